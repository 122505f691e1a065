"""The pairs of Flax's own layers against torch.nn's, as the documentations of both say that they agree."""

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.pairs.gallery.entry import MadePair

Arrays = dict[str, Any]
LINEN, NN = partial(import_module, "flax.linen"), partial(import_module, "torch.nn")


def _pair(module: Any, network: Any, inputs: np.ndarray, convert: Callable[[Arrays], Arrays], **more: Any) -> MadePair:
    """The pair of one layer.

    Args:
        module, network: The layers.
        inputs: What both are called with.
        convert: The converter by hand, of NumPy arrays to the tree of parameters.
        **more: Other fields of the pair.
    """
    import jax

    def carried(how: Callable[[Arrays], Arrays]) -> Callable[[Arrays], Arrays]:
        return lambda arrays: {"params": how({name: np.asarray(array.detach()) for name, array in arrays.items()})}

    arguments = more["to_flax"](inputs) if "to_flax" in more else (inputs,)
    if "convert_gradients" in more:
        more["convert_gradients"] = carried(more["convert_gradients"])
    variables = dict(module.init(jax.random.key(0), *arguments))
    return MadePair((module, variables), network, inputs, carried(convert), training_call=({}, {}), **more)


def _normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(18).standard_normal(shape).astype(np.float32)


def conv_transpose() -> MadePair:
    """`linen.ConvTranspose` with `transpose_kernel=True` and `torch.nn.ConvTranspose2d`.

    Flax pads the stretched image with k - 1 - p where PyTorch's padding is p.
    """
    module = LINEN().ConvTranspose(5, (4, 4), strides=(2, 2), padding=((2, 2), (2, 2)), transpose_kernel=True)
    network = NN().ConvTranspose2d(3, 5, 4, stride=2, padding=1)
    return _pair(
        module, network, _normal(2, 6, 6, 3),
        lambda a: {"kernel": a["weight"].transpose(2, 3, 1, 0), "bias": a["bias"]},
        to_torch=lambda x: x.transpose(0, 3, 1, 2),
    )  # fmt: skip


def group_norm() -> MadePair:
    """`linen.GroupNorm` with PyTorch's epsilon and `torch.nn.GroupNorm`."""
    module, network = LINEN().GroupNorm(num_groups=3, epsilon=1e-5), NN().GroupNorm(3, 6)
    return _pair(module, network, _normal(4, 6), lambda a: {"scale": a["weight"], "bias": a["bias"]})


def rms_norm() -> MadePair:
    """`linen.RMSNorm` and `torch.nn.RMSNorm` with one epsilon."""
    module, network = LINEN().RMSNorm(epsilon=1e-6), NN().RMSNorm(6, eps=1e-6)
    return _pair(module, network, _normal(4, 6), lambda a: {"scale": a["weight"]})


def weight_norm() -> MadePair:
    """`linen.WeightNorm` of a dense layer without its epsilon and `torch.nn.utils.parametrizations.weight_norm`."""
    linen, nn = LINEN(), NN()

    class Normed(linen.Module):  # type: ignore[name-defined] # the layer must be made inside a module
        """A dense layer whose kernel is normed."""

        @linen.compact
        def __call__(self, x: Any) -> Any:
            """The rows of x through the layer."""
            return linen.WeightNorm(linen.Dense(5), epsilon=0.0)(x)

    network = import_module("torch.nn.utils.parametrizations").weight_norm(nn.Linear(6, 5))
    name = "parametrizations.weight.original"

    def convert(a: Arrays) -> Arrays:
        scale = {"Dense_0/kernel/scale": a[f"{name}0"].reshape(-1)}
        return {"Dense_0": {"kernel": a[f"{name}1"].T, "bias": a["bias"]}, "WeightNorm_0": scale}

    return _pair(Normed(), network, _normal(4, 6), convert)


def attention() -> MadePair:
    """`linen.MultiHeadDotProductAttention` and `torch.nn.MultiheadAttention`."""
    heads, width = 2, 6

    def convert(a: Arrays) -> Arrays:
        kernels, biases = np.split(a["in_proj_weight"], 3), np.split(a["in_proj_bias"], 3)
        params = {
            name: {"kernel": kernel.T.reshape(width, heads, -1), "bias": bias.reshape(heads, -1)}
            for name, kernel, bias in zip(("query", "key", "value"), kernels, biases, strict=True)
        }
        out = {"kernel": a["out_proj.weight"].T.reshape(heads, -1, width), "bias": a["out_proj.bias"]}
        return {**params, "out": out}

    return _pair(
        LINEN().MultiHeadDotProductAttention(heads), NN().MultiheadAttention(width, heads, batch_first=True),
        _normal(2, 5, width), convert, to_flax=lambda x: (x, x, x),
        to_torch=lambda x: {"query": x, "key": x, "value": x, "need_weights": False},
    )  # fmt: skip


def _gates(names: str, width: int) -> Iterator[tuple[str, slice]]:
    """Each gate with its rows in PyTorch's arrays."""
    for place, name in enumerate(names):
        yield name, slice(place * width, (place + 1) * width)


def lstm() -> MadePair:
    """`linen.RNN` of an `OptimizedLSTMCell`, which has one bias, and `torch.nn.LSTM`, which has two."""

    def convert(a: Arrays, bias: Callable[[Arrays], Any]) -> Arrays:
        cell: Arrays = {}
        for gate, rows in _gates("ifgo", 5):
            cell[f"i{gate}"] = {"kernel": a["weight_ih_l0"][rows].T}
            cell[f"h{gate}"] = {"kernel": a["weight_hh_l0"][rows].T, "bias": bias(a)[rows]}
        return {"cell": cell}

    module = LINEN().RNN(LINEN().OptimizedLSTMCell(5))
    return _recurrent(module, NN().LSTM(4, 5, batch_first=True), convert)


def gru() -> MadePair:
    """`linen.RNN` of a `GRUCell`, whose gates r and z have one bias, and `torch.nn.GRU`, whose gates have two."""

    def convert(a: Arrays, bias: Callable[[Arrays], Any]) -> Arrays:
        cell: Arrays = {}
        for gate, rows in _gates("rzn", 5):
            input_bias = a["bias_ih_l0"] if gate == "n" else bias(a)
            cell[f"i{gate}"] = {"kernel": a["weight_ih_l0"][rows].T, "bias": input_bias[rows]}
            cell[f"h{gate}"] = {"kernel": a["weight_hh_l0"][rows].T}
        cell["hn"]["bias"] = a["bias_hh_l0"][10:]
        return {"cell": cell}

    return _recurrent(LINEN().RNN(LINEN().GRUCell(5)), NN().GRU(4, 5, batch_first=True), convert)


def _recurrent(module: Any, network: Any, convert: Callable[[Arrays, Callable[[Arrays], Any]], Arrays]) -> MadePair:
    """The pair of a layer over sequences; PyTorch's returns its last state too."""
    return _pair(
        module, network, _normal(2, 7, 4), lambda a: convert(a, lambda a: a["bias_ih_l0"] + a["bias_hh_l0"]),
        convert_gradients=lambda a: convert(a, lambda a: a["bias_ih_l0"]), results=1,
    )  # fmt: skip
