"""Blocks as people write them themselves, as lines of PyTorch."""

from collections.abc import Callable, Mapping

from benchmarks.evidence.drawn.own.torch_flow import EPS, KEEP
from benchmarks.evidence.drawn.text.lines import Lines, Settings, angles, of_layer, plus

FUNCTIONS = {
    "softmax": "torch.softmax({}, -1)", "tanh": "torch.tanh({})", "gelu": "F.gelu({})",
}  # fmt: skip
PARAMETRIZATIONS = {"softplus": "nn.Softplus()", "tanh": "nn.Tanh()", "none": "nn.Identity()"}


def _inside(s: Settings) -> tuple[list[str], str]:
    """The lines that bind `h` in the dtype that is computed with, and the dtype that is given on."""
    if not s["narrow"]:
        return (["h = x.float()"] if s["upcast"] else ["h = x"]), "x.dtype"
    return ["h = x.to(torch.bfloat16)", *(["h = h.float()"] if s["upcast"] else [])], "torch.bfloat16"


def _norm(s: Settings, name: str) -> Lines:
    layer, weight = s["form"] == "layer", plus(s["more"], f"self.{name}_weight")
    made = [f"self.{name}_weight = nn.Parameter(torch.ones({s['features']}))"]
    if layer:
        made.append(f"self.{name}_bias = nn.Parameter(torch.zeros({s['features']}))")
    if layer and not s["narrow"] and "times" not in s and "outside" not in s:
        return Lines(made, [f"x = F.layer_norm(x, ({s['features']},), {weight}, self.{name}_bias, {s['eps']})"])
    run, dtype = _inside(s)
    if layer:
        run.append("h = h - h.mean(-1, keepdim=True)")
    if "times" in s:
        run.append(f"square = h.pow(2).sum(-1, keepdim=True) / ({s['features']} - 1)")
    else:
        run.append("square = h.pow(2).mean(-1, keepdim=True)")
    outside = s.get("outside", False)
    run.append(f"h = h / (square.sqrt() + {s['eps']})" if outside else f"h = h * torch.rsqrt(square + {s['eps']})")
    run.append(f"h = h.to({dtype}) * {weight}")
    bias = f" + self.{name}_bias" if layer else ""
    return Lines(made, [*run, f"x = (h{bias}).to(x.dtype)"])


def _upcast(s: Settings, name: str) -> Lines:
    del name
    run, dtype = _inside(s)
    return Lines(run=[*run, f"x = {FUNCTIONS[s['function']].format('h')}.to({dtype}).to(x.dtype)"])


def _attention(s: Settings, name: str) -> Lines:
    features, heads, order = s["features"], f"({s['heads']}, -1)", ", ".join(s["order"])
    if s["torch"] != "fused":
        names = [f"self.{name}_{part}_proj" for part in "qkv"]
        made = [f"{projection} = nn.Linear({features}, {features}, bias={s['bias']})" for projection in names]
        run = [
            f"{part} = {projection}(x).unflatten(-1, {heads})" for part, projection in zip("qkv", names, strict=True)
        ]
    else:
        made = [f"self.{name}_c_attn = nn.Linear({features}, {3 * features}, bias={s['bias']})"]
        if s["by head"]:
            run = [f"{order} = self.{name}_c_attn(x).unflatten(-1, {heads}).chunk(3, -1)"]
        else:
            run = [f"{order} = self.{name}_c_attn(x).chunk(3, -1)"]
            run += [f"{part} = {part}.unflatten(-1, {heads})" for part in "qkv"]
    scale = "" if s.get("scaled", True) else ", scale=1.0"
    made.append(f"self.{name}_c_proj = nn.Linear({features}, {features})")
    run += [
        "q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)",
        f"y = F.scaled_dot_product_attention(q, k, v{scale})",
        f"x = self.{name}_c_proj(y.transpose(1, 2).reshape(x.shape))",
    ]
    return Lines(made, run)


def _table(s: Settings, name: str) -> Lines:
    half = s["features"] // 2
    made, run = [], []
    if s["torch"] in ("held", "attribute"):
        made = [angles(s)]
        for wave in ("sines", "cosines"):
            held = f"torch.tensor(np.{wave[:3]}(angles), dtype=torch.float32)"
            buffer = f'self.register_buffer("{name}_{wave}", {held})'
            made.append(buffer if s["torch"] == "held" else f"self.{name}_{wave} = {held}")
        run = [f"sines, cosines = self.{name}_sines.to(x.dtype), self.{name}_cosines.to(x.dtype)"]
    elif s["torch"] == "numpy":
        run = [
            angles(s),
            "sines, cosines = torch.tensor(np.sin(angles), dtype=x.dtype), torch.tensor(np.cos(angles), dtype=x.dtype)",
        ]
    else:
        times = f"torch.arange({s['time']}, dtype=torch.float32)"
        run = [
            f"frequencies = 1.0 / {s['base']} ** (torch.arange({half}, dtype=torch.float32) / {half})",
            f"angles = torch.outer({s['start']} + {times}, frequencies)"
            if "start" in s
            else f"angles = torch.outer({times}, frequencies)",
            "sines, cosines = angles.sin().to(x.dtype), angles.cos().to(x.dtype)",
        ]
    axis = -1 if s["form"] == "neighbours" else -2
    if s["use"] == "add":
        return Lines(made, [*run, f"x = x + torch.stack([sines, cosines], {axis}).flatten(1)"])
    parts = "a, b = x[..., ::2], x[..., 1::2]" if axis == -1 else "a, b = x.chunk(2, -1)"
    turned = f"torch.stack([a * cosines - b * sines, b * cosines + a * sines], {axis})"
    return Lines(made, [*run, parts, f"x = {turned}.flatten(-2)"])


def _weight_norm(s: Settings, name: str) -> Lines:
    layer = f"nn.Linear({s['in']}, {s['out']})"
    if s["torch"] == "new":
        return of_layer(name, f"parametrizations.weight_norm({layer}, dim={s['axis']})")
    if s["torch"] == "old":
        return of_layer(name, f"weight_norm({layer}, dim={s['axis']})")
    length = (s["out"], 1) if s["axis"] == 0 else (1, s["in"])
    made = [
        f"self.{name}_direction = nn.Parameter(torch.randn({s['out']}, {s['in']}))",
        f"self.{name}_length = nn.Parameter(torch.ones({length}))",
        f"self.{name}_bias = nn.Parameter(torch.zeros({s['out']}))",
    ]
    run = [
        f"v = self.{name}_direction",
        f"norm = v.pow(2).sum({1 - s['axis']}, keepdim=True).sqrt()",
        f"x = F.linear(x, self.{name}_length * v / norm, self.{name}_bias)",
    ]
    return Lines(made, run)


def _parametrized(s: Settings, name: str) -> Lines:
    function = PARAMETRIZATIONS[s["function"]]
    made = [
        f"self.{name} = nn.Linear({s['in']}, {s['out']})",
        f'parametrize.register_parametrization(self.{name}, "weight", {function})',
    ]
    return Lines(made, [f"x = self.{name}(x)"])


def _frozen(s: Settings, name: str) -> Lines:
    how = s["torch"] if s["frozen"] else ""
    arrays = {"weight": f"torch.randn({s['out']}, {s['in']})", "bias": f"torch.zeros({s['out']})"}
    frozen = ", requires_grad=False" if how == "requires_grad" else ""
    made = [
        f'self.register_buffer("{name}_{part}", {array})'
        if how == "buffer"
        else f"self.{name}_{part} = nn.Parameter({array}{frozen})"
        for part, array in arrays.items()
    ]
    end = ".detach()" if how == "detached" else ""
    return Lines(made, [f"x = F.linear(x, self.{name}_weight{end}, self.{name}_bias{end})"])


def _dropped(s: Settings, name: str, rank: int) -> Lines:
    features, apart = s["features"], rank == 3 and s["layer"] != "batch norm"
    layer = {
        "dense": f"nn.Linear({features}, {features})",
        "layer norm": f"nn.LayerNorm({features}, eps={EPS})",
        "batch norm": f"nn.BatchNorm{'2d' if rank == 3 else '1d'}({features}, eps={EPS}, momentum={1 - KEEP})",
    }[s["layer"]]
    run = [f"self.{name}(x + 1.0)"] if s["torch"] else []
    run.append(f"y = torch.tanh(self.{name}(x))")
    run += ["x = x + y"] if s.get("used", True) else []
    return Lines([f"self.{name} = {layer}"], ["x = x.movedim(1, -1)", *run, "x = x.movedim(-1, 1)"] if apart else run)


def _tap(s: Settings, name: str, rank: int) -> Lines:
    del rank
    shown = {"as it is": "y", "changed": "y", "later": "z", "stopped": "y.detach()"}[s["returned"]]
    later = "z = y.add_(1.0)" if s["returned"] == "changed" else "z = y + 1.0"
    return Lines(run=["y = 2.0 * x", later, f"{name} = {shown}", "x = torch.tanh(z)"])


def _ids(s: Settings, name: str, rank: int) -> Lines:
    first = f" + {s['first']}" if s["first"] else ""
    return Lines(run=[f"{name} = torch.{s['function']}(x, {1 if rank == 3 else -1}){first}"])


def _masked(s: Settings, name: str, rank: int) -> Lines:
    del name, rank
    run = [f"there = mask {'!=' if s['kept'] else '=='} 0"]
    if s["torch"] == "filled":
        run.append("x = x.masked_fill(~there[..., None], 0.0)")
    else:
        kept = "mask.to(x.dtype)" if s["kept"] else "(1 - mask.to(x.dtype))"
        run.append(f"x = x * {kept}[..., None]")
    if s.get("divisor") == "kept":
        run.append("x = x.sum(1) / there.sum(1, keepdim=True)")
    elif s.get("divisor") == "all":
        run.append("x = x.sum(1) / x.shape[1]")
    return Lines(run=run)


OVER_FEATURES: Mapping[str, Callable[[Settings, str], Lines]] = {
    "own norm": _norm,
    "upcast": _upcast,
    "fused attention": _attention,
    "table": _table,
    "weight norm": _weight_norm,
    "parametrized dense": _parametrized,
    "frozen dense": _frozen,
}
"""Kinds whose lines work on the last axis, which images have as their first."""
FLOWS: Mapping[str, Callable[[Settings, str, int], Lines]] = {
    "dropped call": _dropped,
    "tap": _tap,
    "ids": _ids,
    "masked fill": _masked,
    "masked mean": _masked,
}
