"""Blocks as people write them themselves, as lines of Flax NNX; the features are the last axis."""

from collections.abc import Callable, Mapping

from benchmarks.evidence.drawn.own.flax_flow import EPS, KEEP
from benchmarks.evidence.drawn.text.lines import Lines, Settings, angles, plus

FUNCTIONS = {
    "softmax": "nnx.softmax({})", "tanh": "jnp.tanh({})", "gelu": "nnx.gelu({}, approximate=False)",
    "softplus": "nnx.softplus({})", "none": "{}",
}  # fmt: skip


def _inside(s: Settings) -> tuple[list[str], str]:
    """The lines that bind `h` in the dtype that is computed with, and the dtype that is given on."""
    if not s["narrow"]:
        return (["h = x.astype(jnp.float32)"] if s["upcast"] else ["h = x"]), "x.dtype"
    upcast = ["h = h.astype(jnp.float32)"] if s["upcast"] else []
    return ["h = x.astype(jnp.bfloat16)", *upcast], "jnp.bfloat16"


def _norm(s: Settings, name: str) -> Lines:
    made = [f"self.{name}_weight = nnx.Param(jnp.ones({s['features']}))"]
    run, dtype = _inside(s)
    if s["form"] == "layer":
        made.append(f"self.{name}_bias = nnx.Param(jnp.zeros({s['features']}))")
        run.append("h = h - h.mean(-1, keepdims=True)")
    if "times" in s:
        run.append(f"square = (h * h).sum(-1, keepdims=True) / ({s['features']} - 1)")
    else:
        run.append("square = (h * h).mean(-1, keepdims=True)")
    outside = s.get("outside", False)
    run.append(f"h = h / (jnp.sqrt(square) + {s['eps']})" if outside else f"h = h * jax.lax.rsqrt(square + {s['eps']})")
    run.append(f"h = h.astype({dtype}) * {plus(s['more'], f'self.{name}_weight[...]')}")
    bias = f" + self.{name}_bias[...]" if s["form"] == "layer" else ""
    return Lines(made, [*run, f"x = (h{bias}).astype(x.dtype)"])


def _upcast(s: Settings, name: str) -> Lines:
    del name
    run, dtype = _inside(s)
    return Lines(run=[*run, f"x = {FUNCTIONS[s['function']].format('h')}.astype({dtype}).astype(x.dtype)"])


def _attention(s: Settings, name: str) -> Lines:
    features, heads, bias = s["features"], s["heads"], f"use_bias={s['bias']}, rngs=rngs"
    order = ", ".join(s["order"])
    if s["flax"] != "fused":
        made = [f"self.{name}_{part} = nnx.Linear({features}, {features}, {bias})" for part in "qkv"]
        run = [f"{part} = self.{name}_{part}(x).reshape(*x.shape[:2], {heads}, -1)" for part in "qkv"]
    else:
        made = [f"self.{name}_qkv = nnx.Linear({features}, {3 * features}, {bias})"]
        if s["by head"]:
            run = [f"{order} = jnp.split(self.{name}_qkv(x).reshape(*x.shape[:2], {heads}, -1), 3, -1)"]
        else:
            run = [f"{order} = jnp.split(self.{name}_qkv(x), 3, -1)"]
            run += [f"{part} = {part}.reshape(*x.shape[:2], {heads}, -1)" for part in "qkv"]
    scale = " * q.shape[-1] ** -0.5" if s.get("scaled", True) else ""
    made.append(f"self.{name}_out = nnx.Linear({features}, {features}, rngs=rngs)")
    run += [
        f'scores = jnp.einsum("bthd,bshd->bhts", q, k){scale}',
        'x = jnp.einsum("bhts,bshd->bthd", nnx.softmax(scores), v).reshape(x.shape)',
        f"x = self.{name}_out(x)",
    ]
    return Lines(made, run)


def _table(s: Settings, name: str) -> Lines:
    half = s["features"] // 2
    made: list[str] = []
    if s["flax"] == "held":
        made = [angles(s)]
        made += [
            f"self.{name}_{wave}s = nnx.Variable(jnp.asarray(np.{wave[:3]}(angles), jnp.float32))"
            for wave in ("sine", "cosine")
        ]
        run = [f"sines, cosines = self.{name}_sines[...], self.{name}_cosines[...]"]
    elif s["flax"] == "numpy":
        run = [angles(s), "sines, cosines = jnp.asarray(np.sin(angles)), jnp.asarray(np.cos(angles))"]
    else:
        first = (
            f"({s['start']} + jnp.arange({s['time']}, dtype=jnp.float32))"
            if "start" in s
            else (f"jnp.arange({s['time']}, dtype=jnp.float32)")
        )
        run = [
            f"frequencies = {s['base']} ** (-jnp.arange({half}, dtype=jnp.float32) / {half})",
            f"angles = {first}[:, None] * frequencies",
            "sines, cosines = jnp.sin(angles), jnp.cos(angles)",
        ]
    axis = -1 if s["form"] == "neighbours" else -2
    if s["use"] == "add":
        return Lines(made, [*run, f"x = x + jnp.stack([sines, cosines], {axis}).reshape(x.shape[1:])"])
    parts = ["a, b = x[..., ::2], x[..., 1::2]"] if axis == -1 else ["a, b = jnp.split(x, 2, -1)"]
    turned = f"jnp.stack([a * cosines - b * sines, b * cosines + a * sines], {axis})"
    return Lines(made, [*run, *parts, f"x = {turned}.reshape(x.shape)"])


def _weight_norm(s: Settings, name: str) -> Lines:
    length = (1, s["out"]) if s["axis"] == 0 else (s["in"], 1)
    made = [
        f"self.{name}_direction = nnx.Param(jax.random.normal(rngs(), ({s['in']}, {s['out']})))",
        f"self.{name}_length = nnx.Param(jnp.ones({length}))",
        f"self.{name}_bias = nnx.Param(jnp.zeros({s['out']}))",
    ]
    run = [
        f"v = self.{name}_direction[...]",
        f"norm = jnp.sqrt((v * v).sum({s['axis']}, keepdims=True))",
        f"x = x @ (self.{name}_length[...] * v / norm) + self.{name}_bias[...]",
    ]
    return Lines(made, run)


def _parametrized(s: Settings, name: str) -> Lines:
    kernel = FUNCTIONS[s["function"]].format(f"self.{name}_raw[...]")
    made = [
        f"self.{name}_raw = nnx.Param(jax.random.normal(rngs(), ({s['in']}, {s['out']})))",
        f"self.{name}_bias = nnx.Param(jnp.zeros({s['out']}))",
    ]
    return Lines(made, [f"x = x @ {kernel} + self.{name}_bias[...]"])


def _dropped(s: Settings, name: str) -> Lines:
    features, exact = s["features"], "use_fast_variance=False, rngs=rngs"
    layer = {
        "dense": f"nnx.Linear({features}, {features}, rngs=rngs)",
        "layer norm": f"nnx.LayerNorm({features}, epsilon={EPS}, {exact})",
        "batch norm": f"nnx.BatchNorm({features}, momentum={KEEP}, epsilon={EPS}, {exact})",
    }[s["layer"]]
    run = [f"self.{name}(x + 1.0)"] if s["flax"] else []
    run.append(f"y = jnp.tanh(self.{name}(x))")
    return Lines([f"self.{name} = {layer}"], [*run, "x = x + y"] if s.get("used", True) else run)


def _tap(s: Settings, name: str) -> Lines:
    shown = {"as it is": "y", "later": "z", "stopped": "jax.lax.stop_gradient(y)"}[s["returned"]]
    return Lines(run=["y = 2.0 * x", "z = y + 1.0", f"{name} = {shown}", "x = jnp.tanh(z)"])


def _frozen(s: Settings, name: str) -> Lines:
    kind = "nnx.Variable" if s["frozen"] and s["flax"] == "variable" else "nnx.Param"
    made = [
        f"self.{name}_kernel = {kind}(jax.random.normal(rngs(), ({s['in']}, {s['out']})))",
        f"self.{name}_bias = {kind}(jnp.zeros({s['out']}))",
    ]
    kernel, bias = f"self.{name}_kernel[...]", f"self.{name}_bias[...]"
    if s["frozen"] and s["flax"] == "stopped":
        kernel, bias = f"jax.lax.stop_gradient({kernel})", f"jax.lax.stop_gradient({bias})"
    return Lines(made, [f"x = x @ {kernel} + {bias}"])


def _ids(s: Settings, name: str) -> Lines:
    first = f" + {s['first']}" if s["first"] else ""
    return Lines(run=[f"{name} = jnp.{s['function']}(x, -1){first}"])


def _masked(s: Settings, name: str) -> Lines:
    del name
    run = [f"there = mask {'!=' if s['kept'] else '=='} 0"]
    if s["flax"] == "filled":
        run.append("x = jnp.where(there[..., None], x, 0.0)")
    else:
        kept = "mask.astype(x.dtype)" if s["kept"] else "(1 - mask.astype(x.dtype))"
        run.append(f"x = x * {kept}[..., None]")
    if s.get("divisor") == "kept":
        run.append("x = x.sum(1) / there.sum(1, keepdims=True)")
    elif s.get("divisor") == "all":
        run.append("x = x.sum(1) / x.shape[1]")
    return Lines(run=run)


OWN_BLOCKS: Mapping[str, Callable[[Settings, str], Lines]] = {
    "own norm": _norm,
    "upcast": _upcast,
    "fused attention": _attention,
    "table": _table,
    "weight norm": _weight_norm,
    "parametrized dense": _parametrized,
    "dropped call": _dropped,
    "tap": _tap,
    "frozen dense": _frozen,
    "ids": _ids,
    "masked fill": _masked,
    "masked mean": _masked,
}
