"""A drawn network as the source of a PyTorch module; images are NCHW."""

import inspect
from collections.abc import Callable, Mapping, Sequence

from benchmarks.evidence.drawn.network import VOCABULARY, Block, Network
from benchmarks.evidence.drawn.text.lines import Lines, Settings, indented, joined, name_of, of_layer, residual, results
from benchmarks.evidence.drawn.text.torch_own import FLOWS, OVER_FEATURES

IMPORTS = (
    "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"
    "from torch.nn.utils import parametrizations, parametrize, weight_norm\n"
)
ACTIVATIONS: Mapping[str, str] = {
    "relu": "F.relu(x)",
    "tanh": "torch.tanh(x)",
    "sigmoid": "torch.sigmoid(x)",
    "gelu": "F.gelu(x)",
    "gelu tanh": 'F.gelu(x, approximate="tanh")',
    "silu": "F.silu(x)",
    "elu": "F.elu(x)",
    "softplus": "F.softplus(x)",
    "leaky relu": "F.leaky_relu(x, 0.1)",
}


def written(network: Network) -> str:
    """The source of the class `TorchNet`, and of what it needs."""
    ranks = network.ranks()
    lines = joined(
        [_block(block, (i,), rank) for i, (block, rank) in enumerate(zip(network.blocks, ranks, strict=True))]
    )
    cell = f"{_gru()}\n\n" if any("GRU(" in line for line in lines.made) else ""
    arguments = "x, mask" if network.mask else "x"
    return (
        f"{cell}class TorchNet(nn.Module):\n"
        f"    def __init__(self):\n        super().__init__()\n{indented(lines.made, 8)}\n\n"
        f"    def forward(self, {arguments}):\n{indented(lines.run, 8)}\n        return {results(network.blocks)}\n"
    )


def _gru() -> str:
    from benchmarks.evidence.drawn.torch import GRU

    return inspect.getsource(GRU).replace("class GRU(", "class TorchGRU(")


def _block(block: Block, place: Sequence[int], rank: int) -> Lines:
    name, s = name_of(block, place), {**block.settings, "kind": block.kind}
    if block.kind == "residual":
        return residual(block, name, place, lambda inner, inside: _block(inner, inside, rank))
    if block.kind in FLOWS:
        return FLOWS[block.kind](s, name, rank)
    if block.kind in OVER_FEATURES:
        return _over_features(OVER_FEATURES[block.kind](s, name), rank)
    if block.kind in FEATURES_LAST:
        return _over_features(FEATURES_LAST[block.kind](s, name), rank)
    return KINDS[block.kind](s, name, rank)


def _over_features(lines: Lines, rank: int) -> Lines:
    """Lines that work on the last axis, set to work on axis 1 of images."""
    if rank != 3:
        return lines
    return Lines(lines.made, ["x = x.movedim(1, -1)", *lines.run, "x = x.movedim(-1, 1)"])


def _activation(s: Settings, name: str, rank: int) -> Lines:
    del name
    if s["function"] in ("softmax", "log softmax"):
        function = s["function"].replace(" ", "_")
        return Lines(run=[f"x = torch.{function}(x, {1 if rank == 3 else -1})"])
    return Lines(run=[f"x = {ACTIVATIONS[s['function']]}"])


def _embedding(s: Settings, name: str, rank: int) -> Lines:
    del rank
    scale = s.get("scale", 1.0)
    layer = of_layer(name, f"nn.Embedding({VOCABULARY}, {s['features']})")
    return Lines(layer.made, [f"x = {scale} * self.{name}(x)"]) if scale != 1.0 else layer


def _batch_norm(s: Settings, name: str, rank: int) -> Lines:
    momentum, affine = 1 - s["keep"], "" if s["affine"] else ", affine=False"
    layer = f"nn.BatchNorm{'2d' if rank == 3 else '1d'}"
    return of_layer(name, f"{layer}({s['features']}, eps={s['eps']}, momentum={momentum}{affine})")


def _conv(s: Settings, name: str, rank: int) -> Lines:
    del rank
    return of_layer(
        name,
        f"nn.Conv2d({s['in']}, {s['out']}, {s['kernel']}, stride={s['stride']}, padding={s['padding']}, "
        f"dilation={s['dilation']}, groups={s['groups']}, bias={s['bias']})",
    )


def _transposed_conv(s: Settings, name: str, rank: int) -> Lines:
    del rank
    return of_layer(
        name,
        f"nn.ConvTranspose2d({s['in']}, {s['out']}, {s['kernel']}, stride={s['stride']}, padding={s['padding']}, "
        f"output_padding={s['more']}, bias={s['bias']})",
    )


def _pool(s: Settings, name: str, rank: int) -> Lines:
    del name, rank
    where = f"x, {s['window']}, {s['stride']}, {s['padding']}"
    if s["kind"] == "max pool":
        return Lines(run=[f"x = F.max_pool2d({where})"])
    return Lines(run=[f"x = F.avg_pool2d({where}, count_include_pad={not s['inner']})"])


def _resize(s: Settings, name: str, rank: int) -> Lines:
    del name, rank
    corners = ", align_corners=False" if s["method"] == "bilinear" else ""
    return Lines(run=[f'x = F.interpolate(x, {tuple(s["size"])}, mode="{s["method"]}"{corners})'])


def _recurrent(s: Settings, name: str, rank: int) -> Lines:
    del rank
    return of_layer(name, f"nn.{s['kind'].upper()}({s['in']}, {s['out']}, batch_first=True)", "[0]")


def _attention(s: Settings, name: str, rank: int) -> Lines:
    del rank
    made = [f"self.{name} = nn.MultiheadAttention({s['features']}, {s['heads']}, batch_first=True)"]
    return Lines(made, [f"x = self.{name}(x, x, x, need_weights=False)[0]"])


def _flatten(s: Settings, name: str, rank: int) -> Lines:
    del name
    last = rank == 3 and s.get("order", "") != "channels first"
    return Lines(run=["x = x.movedim(1, -1).flatten(1)" if last else "x = x.flatten(1)"])


def _mean(s: Settings, name: str, rank: int) -> Lines:
    del name
    return Lines(run=[f"x = x.{'sum' if s.get('sum', False) else 'mean'}({(-2, -1) if rank == 3 else 1})"])


FEATURES_LAST: Mapping[str, Callable[[Settings, str], Lines]] = {
    "dense": lambda s, name: of_layer(name, f"nn.Linear({s['in']}, {s['out']}, bias={s['bias']})"),
    "layer norm": lambda s, name: of_layer(name, f"nn.LayerNorm({s['features']}, eps={s['eps']})"),
    "rms norm": lambda s, name: of_layer(name, f"nn.RMSNorm({s['features']}, eps={s['eps']})"),
}
KINDS: Mapping[str, Callable[[Settings, str, int], Lines]] = {
    "activation": _activation,
    "embedding": _embedding,
    "batch norm": _batch_norm,
    "group norm": lambda s, name, rank: of_layer(name, f"nn.GroupNorm({s['groups']}, {s['features']}, eps={s['eps']})"),
    "conv": _conv,
    "transposed conv": _transposed_conv,
    "max pool": _pool,
    "mean pool": _pool,
    "resize": _resize,
    "attention": _attention,
    "rnn": _recurrent,
    "lstm": _recurrent,
    "gru": lambda s, name, rank: of_layer(name, f"TorchGRU({s['in']}, {s['out']})"),
    "flatten": _flatten,
    "mean": _mean,
}
