"""How each layer of Flax holds its arrays, in canonical terms. NNX and Linen name their settings alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from flax import nnx

from parity.interface.packing import Packing, Part
from parity.interface.unit import Kind

Shapes = Mapping[str, tuple[int, ...]]
Arrays = dict[str, Packing]


@dataclass(frozen=True)
class Seat:
    """A module and the arrays that are its own or beneath it.

    Args:
        path: the module's path in the network.
        module: NNX's object, or Linen's with its fields; None where nobody knows what holds the arrays.
        names: "kernel" or "hi.kernel" → native name.
        shapes: the same → shape.
        ran: when its first call began; None if it never ran.
        held: names of those that are its own.
    """

    path: str
    module: Any
    names: Mapping[str, str]
    shapes: Shapes
    ran: int | None
    held: Sequence[str]


def is_plain(module: Any, classes: tuple[type, ...]) -> bool:
    """Whether a module is of one of the classes and computes what it does: a subclass may do anything else."""
    return any(isinstance(module, cls) and type(module).__call__ is cls.__call__ for cls in classes)


def dtype_of(module: Any) -> dict[str, Any]:
    """The dtype that a module computes in whatever it is given, if it has one."""
    dtype = getattr(module, "dtype", None)
    return {} if dtype is None else {"dtype": jnp.dtype(dtype).name}


def _present(seat: Seat, roles: Mapping[str, str]) -> Arrays:
    return {role: Packing((Part(seat.names[name]),)) for role, name in roles.items() if name in seat.names}


AFFINE = {"scale": "scale", "bias": "bias"}


def _dense(seat: Seat, shapes: Shapes) -> tuple[Arrays, dict[str, Any]]:
    """A dense layer over one axis or several, into one or several (the heads of an attention)."""
    inner = _inner(seat.module, len(shapes["kernel"]))
    shape = prod(shapes["kernel"][:inner]), prod(shapes["kernel"][inner:])
    arrays = {"kernel": Packing((Part(seat.names["kernel"], shape=shape),))}
    if "bias" in seat.names:
        arrays["bias"] = Packing((Part(seat.names["bias"], shape=(shape[1],)),))
    heads = shapes["kernel"][0 if inner > 1 else 1] if len(shapes["kernel"]) > 2 else None
    return arrays, {"features": shape[1], **({} if heads is None else {"heads": heads})}


def _inner(module: Any, rank: int) -> int:
    """Axes of a dense kernel that are summed over."""
    if isinstance(module, nnx.LinearGeneral | nn.DenseGeneral):
        return len(_tuple(module.axis))
    return rank - 1


def _dense_rank(module: Any) -> int | None:
    """None of a layer with a kernel for every place of a batch axis."""
    if getattr(module, "batch_dims", ()) or getattr(module, "batch_axis", ()):
        return None
    if isinstance(module, nnx.LinearGeneral):
        return len(_tuple(module.axis)) + len(_tuple(module.out_features))
    if isinstance(module, nn.DenseGeneral):
        return len(_tuple(module.axis)) + len(_tuple(module.features))
    return 2


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _spatial(module: Any, value: Any) -> tuple[int, ...]:
    count = len(_tuple(module.kernel_size))
    return (1,) * count if value is None else _tuple(value) * (count if isinstance(value, int) else 1)


def _padding(module: Any) -> Any:
    padding = module.padding
    if isinstance(padding, str):
        return padding
    count = len(_tuple(module.kernel_size))
    each = _tuple(padding) * (count if isinstance(padding, int) else 1)
    return tuple((p, p) if isinstance(p, int) else tuple(p) for p in each)


def _convolution(module: Any) -> dict[str, Any]:
    size = module.kernel_size
    return {
        "features": getattr(module, "out_features", None) or module.features,
        "kernel_size": _tuple(size),
        "strides": _spatial(module, module.strides),
        "dilation": _spatial(module, module.kernel_dilation),
        "groups": getattr(module, "feature_group_count", 1),
        "padding": _padding(module),
    }


def _conv(seat: Seat, shapes: Shapes) -> tuple[Arrays, dict[str, Any]]:
    del shapes
    settings = {**_convolution(seat.module), "input_dilation": _spatial(seat.module, seat.module.input_dilation)}
    return _present(seat, {"kernel": "kernel", "bias": "bias"}), settings


def _conv_transpose(seat: Seat, shapes: Shapes) -> tuple[Arrays, dict[str, Any]]:
    """The kernel as it is without `transpose_kernel`; with it, it is PyTorch's: flipped, output before input."""
    arrays = _present(seat, {"kernel": "kernel", "bias": "bias"})
    if seat.module.transpose_kernel:
        count = len(shapes["kernel"]) - 2
        axes, flip = (*range(count), count + 1, count), tuple(range(count))
        arrays["kernel"] = Packing((Part(seat.names["kernel"], axes=axes, flip=flip),))
    return arrays, _convolution(seat.module)


def _conv_rank(module: Any) -> int:
    return len(_tuple(module.kernel_size)) + 2


def _norm(seat: Seat, shapes: Shapes) -> tuple[Arrays, dict[str, Any]]:
    module = seat.module
    settings = {"eps": float(module.epsilon), "fast_variance": bool(module.use_fast_variance)}
    if isinstance(module, nnx.GroupNorm | nn.GroupNorm):
        features = next(iter(shapes.values()))[-1]
        settings["num_groups"] = int(module.num_groups or features // (module.group_size or features))
    if isinstance(module, nnx.InstanceNorm | nn.InstanceNorm):
        settings["num_groups"] = next(iter(shapes.values()))[-1]
    return _present(seat, AFFINE), settings


def _batch_norm(seat: Seat, shapes: Shapes) -> tuple[Arrays, dict[str, Any]]:
    arrays, settings = _norm(seat, shapes)
    arrays |= _present(seat, {"running_mean": "mean", "running_var": "var"})
    return arrays, {**settings, "keep": float(seat.module.momentum), "running_var": "biased"}


def _embedding(seat: Seat, shapes: Shapes) -> tuple[Arrays, dict[str, Any]]:
    return _present(seat, {"table": "embedding"}), {"features": shapes["embedding"][-1]}


def _joined(seat: Seat, names: list[str], axis: int) -> Packing:
    return Packing(tuple(Part(seat.names[name]) for name in names), axis=axis)


def _whole_gates(seat: Seat) -> Arrays:
    return _present(seat, {"input_kernel": "dense_i.kernel", "recurrent_kernel": "dense_h.kernel"})


def _gate(seat: Seat) -> dict[str, Any]:
    """The gates' activation where it is not the usual one."""
    name = getattr(seat.module.gate_fn, "__name__", "")
    return {} if name == "sigmoid" else {"gate": name}


def _lstm(seat: Seat, shapes: Shapes) -> tuple[Arrays, dict[str, Any]]:
    if "dense_i.kernel" in seat.names:
        arrays = _whole_gates(seat) | _present(seat, {"bias": "dense_h.bias"})
        return arrays, {"features": shapes["dense_h.kernel"][0], **_gate(seat)}
    forget = "if_" if "if_.kernel" in seat.names else "if"
    recurrent = ["hi", "hf", "hg", "ho"]
    arrays = {
        "input_kernel": _joined(seat, [f"{gate}.kernel" for gate in ("ii", forget, "ig", "io")], 1),
        "recurrent_kernel": _joined(seat, [f"{gate}.kernel" for gate in recurrent], 1),
        "bias": _joined(seat, [f"{gate}.bias" for gate in recurrent], 0),
    }
    return arrays, {"features": shapes["hi.kernel"][0], **_gate(seat)}


def _gru(seat: Seat, shapes: Shapes) -> tuple[Arrays, dict[str, Any]]:
    if "dense_i.kernel" in seat.names:
        size, bias = shapes["dense_h.kernel"][0], seat.names["dense_i.bias"]
        arrays = _whole_gates(seat)
        arrays["gate_bias"] = Packing((Part(bias, cut=((0, 2 * size),)),))
        arrays["candidate_bias"] = Packing((Part(bias, cut=((2 * size, 3 * size),)),))
        return arrays, {"features": size, "reset_after": True, **_gate(seat)}
    arrays = {
        "input_kernel": _joined(seat, ["ir.kernel", "iz.kernel", "in.kernel"], 1),
        "recurrent_kernel": _joined(seat, ["hr.kernel", "hz.kernel", "hn.kernel"], 1),
        "gate_bias": _joined(seat, ["ir.bias", "iz.bias"], 0),
        **_present(seat, {"candidate_bias": "in.bias", "recurrent_bias": "hn.bias"}),
    }
    return arrays, {"features": shapes["hn.kernel"][0], "reset_after": True, **_gate(seat)}


def _simple(seat: Seat, shapes: Shapes) -> tuple[Arrays, dict[str, Any]]:
    i, h = ("dense_i", "dense_h") if "dense_i.kernel" in seat.names else ("i", "h")
    roles = {"input_kernel": f"{i}.kernel", "recurrent_kernel": f"{h}.kernel", "bias": f"{i}.bias"}
    activation = getattr(seat.module.activation_fn, "__name__", "")
    return _present(seat, roles), {"features": shapes[f"{h}.kernel"][0], "activation": activation}


def _two_axes(module: Any) -> int:
    del module
    return 2


def _one_axis(module: Any) -> int:
    del module
    return 1


LSTM = (nnx.LSTMCell, nnx.OptimizedLSTMCell, nn.LSTMCell, nn.OptimizedLSTMCell)
GRU = (nnx.GRUCell, nn.GRUCell)
SIMPLE = (nnx.SimpleCell, nn.SimpleCell)
CELLS = (*LSTM, *GRU, *SIMPLE)
Describe = Callable[[Seat, Shapes], tuple[Arrays, dict[str, Any]]]
DESCRIBED: list[tuple[tuple[type, ...], Kind, Callable[[Any], int | None], Describe]] = [
    ((nnx.Linear, nnx.LinearGeneral, nn.Dense, nn.DenseGeneral), "dense", _dense_rank, _dense),
    ((nnx.Conv, nn.Conv), "conv", _conv_rank, _conv),
    ((nnx.ConvTranspose, nn.ConvTranspose), "conv_transpose", _conv_rank, _conv_transpose),
    ((nnx.BatchNorm, nn.BatchNorm), "batch_norm", _one_axis, _batch_norm),
    ((nnx.LayerNorm, nn.LayerNorm), "layer_norm", _one_axis, _norm),
    ((nnx.RMSNorm, nn.RMSNorm), "rms_norm", _one_axis, _norm),
    ((nnx.GroupNorm, nn.GroupNorm, nnx.InstanceNorm, nn.InstanceNorm), "group_norm", _one_axis, _norm),
    ((nnx.Embed, nn.Embed), "embedding", _two_axes, _embedding),
    (LSTM, "lstm", _two_axes, _lstm),
    (GRU, "gru", _two_axes, _gru),
    (SIMPLE, "rnn", _two_axes, _simple),
]
"""Class → kind, axes of its kernel, and how it is described; the first that fits."""
