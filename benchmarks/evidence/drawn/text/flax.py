"""A drawn network as the source of a Flax NNX module."""

import inspect
from collections.abc import Callable, Mapping, Sequence

from benchmarks.evidence.drawn.network import VOCABULARY, Block, Network
from benchmarks.evidence.drawn.text.flax_own import OWN_BLOCKS
from benchmarks.evidence.drawn.text.lines import Lines, Settings, indented, joined, name_of, of_layer, residual, results

IMPORTS = "import jax\nimport jax.numpy as jnp\nfrom flax import nnx\n"
ACTIVATIONS: Mapping[str, str] = {
    "relu": "nnx.relu(x)",
    "tanh": "jnp.tanh(x)",
    "sigmoid": "nnx.sigmoid(x)",
    "gelu": "nnx.gelu(x, approximate=False)",
    "gelu tanh": "nnx.gelu(x, approximate=True)",
    "silu": "nnx.silu(x)",
    "elu": "nnx.elu(x)",
    "softplus": "nnx.softplus(x)",
    "leaky relu": "jnp.where(x > 0, x, 0.1 * x)",
    "softmax": "nnx.softmax(x)",
    "log softmax": "nnx.log_softmax(x)",
}
CELLS = {"rnn": "nnx.SimpleCell", "lstm": "nnx.OptimizedLSTMCell"}


def written(network: Network) -> str:
    """The source of the class `FlaxNet`, and of what it needs."""
    lines = joined([_block(block, (i,)) for i, block in enumerate(network.blocks)])
    cell = f"{_gru()}\n\n" if any("GRU(" in line for line in lines.made) else ""
    arguments = "x, mask" if network.mask else "x"
    return (
        f"{cell}class FlaxNet(nnx.Module):\n"
        f"    def __init__(self, rngs):\n{indented(lines.made or ['pass'], 8)}\n\n"
        f"    def __call__(self, {arguments}):\n{indented(lines.run, 8)}\n        return {results(network.blocks)}\n"
    )


def _gru() -> str:
    from benchmarks.evidence.drawn.flax import GRU

    return inspect.getsource(GRU)


def _block(block: Block, place: Sequence[int]) -> Lines:
    name, s = name_of(block, place), block.settings
    if block.kind == "residual":
        return residual(block, name, place, _block)
    if block.kind in OWN_BLOCKS:
        return OWN_BLOCKS[block.kind](s, name)
    return KINDS[block.kind]({**s, "kind": block.kind}, name)


def _embedding(s: Settings, name: str) -> Lines:
    scale = s.get("scale", 1.0)
    layer = of_layer(name, f"nnx.Embed({VOCABULARY}, {s['features']}, rngs=rngs)")
    return Lines(layer.made, [f"x = {scale} * self.{name}(x)"]) if scale != 1.0 else layer


def _norm(kind: str) -> Callable[[Settings, str], Lines]:
    exact = "use_fast_variance=False, rngs=rngs"
    return lambda s, name: of_layer(name, f"nnx.{kind}({s['features']}, epsilon={s['eps']}, {exact})")


def _batch_norm(s: Settings, name: str) -> Lines:
    affine = "" if s["affine"] else "use_bias=False, use_scale=False, "
    return of_layer(
        name,
        f"nnx.BatchNorm({s['features']}, momentum={s['keep']}, epsilon={s['eps']}, {affine}"
        "use_fast_variance=False, rngs=rngs)",
    )


def _group_norm(s: Settings, name: str) -> Lines:
    return of_layer(
        name,
        f"nnx.GroupNorm({s['features']}, num_groups={s['groups']}, epsilon={s['eps']}, "
        "use_fast_variance=False, rngs=rngs)",
    )


def _conv(s: Settings, name: str) -> Lines:
    return of_layer(
        name,
        f"nnx.Conv({s['in']}, {s['out']}, {s['kernel']}, strides={s['stride']}, padding={_around(s)}, "
        f"kernel_dilation={s['dilation']}, feature_group_count={s['groups']}, use_bias={s['bias']}, rngs=rngs)",
    )


def _transposed_conv(s: Settings, name: str) -> Lines:
    shift = s.get("shift", 0)
    room = [k - 1 - s["padding"] for k in s["kernel"]]
    padding = tuple((size - shift, size + s["more"] + shift) for size in room)
    return of_layer(
        name,
        f"nnx.ConvTranspose({s['in']}, {s['out']}, {s['kernel']}, strides={(s['stride'],) * 2}, padding={padding}, "
        f"use_bias={s['bias']}, transpose_kernel=True, rngs=rngs)",
    )


def _pool(s: Settings, name: str) -> Lines:
    del name
    where = f"x, {(s['window'],) * 2}, strides={(s['stride'],) * 2}, padding={_around(s)}"
    if s["kind"] == "max pool":
        return Lines(run=[f"x = nnx.max_pool({where})"])
    return Lines(run=[f"x = nnx.avg_pool({where}, count_include_pad={not s['inner']})"])


def _around(s: Settings) -> tuple[tuple[int, int], tuple[int, int]]:
    padding, shift = s["padding"], s.get("shift", 0)
    return (padding - shift, padding + shift), (padding - shift, padding + shift)


def _resize(s: Settings, name: str) -> Lines:
    del name
    height, width = s["size"]
    shape = f"(x.shape[0], {height}, {width}, x.shape[-1])"
    return Lines(run=[f'x = jax.image.resize(x, {shape}, "{s["method"]}")'])


def _recurrent(s: Settings, name: str) -> Lines:
    reverse = ", reverse=True" if s.get("reverse", False) else ""
    return of_layer(name, f"nnx.RNN({CELLS[s['kind']]}({s['in']}, {s['out']}, rngs=rngs){reverse}, rngs=rngs)")


def _own_gru(s: Settings, name: str) -> Lines:
    return of_layer(name, f"GRU({s['in']}, {s['out']}, {s.get('reverse', False)}, rngs)")


KINDS: Mapping[str, Callable[[Settings, str], Lines]] = {
    "activation": lambda s, name: Lines(run=[f"x = {ACTIVATIONS[s['function']]}"]),
    "dense": lambda s, name: of_layer(name, f"nnx.Linear({s['in']}, {s['out']}, use_bias={s['bias']}, rngs=rngs)"),
    "embedding": _embedding,
    "layer norm": _norm("LayerNorm"),
    "rms norm": _norm("RMSNorm"),
    "batch norm": _batch_norm,
    "group norm": _group_norm,
    "conv": _conv,
    "transposed conv": _transposed_conv,
    "max pool": _pool,
    "mean pool": _pool,
    "resize": _resize,
    "attention": lambda s, name: of_layer(
        name, f"nnx.MultiHeadAttention({s['heads']}, {s['features']}, decode=False, rngs=rngs)"
    ),
    "rnn": _recurrent,
    "lstm": _recurrent,
    "gru": _own_gru,
    "flatten": lambda s, name: Lines(run=["x = x.reshape(x.shape[0], -1)"]),
    "mean": lambda s, name: Lines(
        run=[f"x = x.{'sum' if s.get('sum', False) else 'mean'}(tuple(range(1, x.ndim - 1)))"]
    ),
}
