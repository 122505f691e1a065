"""The layers of any PyTorch network that hold arrays, in canonical terms."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from parity.backends.torch.spectral import Spectral, spectral_of
from parity.interface.packing import Packing, Part, whole
from parity.interface.unit import Kind, Unit

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
AFFINE = {"scale": "weight", "bias": "bias"}
STATISTICS = {"running_mean": "running_mean", "running_var": "running_var"}
ATTENTION = ("query", "key", "value")
Arrays = dict[str, Packing]
NORMED = (
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ("weight_g", "weight_v"),
)
"""Names of the norm and of what is normed in a layer with a weight norm: the new one and the old one."""
Described = tuple[str, Kind, Arrays, dict[str, Any]]  # what comes behind the path, kind, arrays, settings


def units_of(model: nn.Module, started: Mapping[str, int]) -> list[Unit]:
    """All units in the order of execution.

    Args:
        model: the network.
        started: module path → when its first call began; modules that never ran are not in it.
    """
    keyed: list[tuple[tuple[int, int, int], Unit]] = []
    inside = {id(part) for module in model.modules() if is_parametrized(module) for part in _parametrizations(module)}
    for place, (path, module) in enumerate(model.named_modules()):
        if id(module) in inside:
            continue
        for suffix, kind, arrays, settings in _described(module, f"{path}." if path else ""):
            owner = path if path in started else path.rpartition(".")[0] if _held(model, path) else path
            key = (started.get(owner, len(started) + 1), place, len(keyed))
            unit = Unit(f"{path}{suffix}", kind, arrays, settings, 0, type(module).__name__, owner in started)
            keyed.append((key, replace(unit, normed=_normed(unit, module, f"{path}." if path else ""))))
    ordered = [unit for _, unit in sorted(keyed, key=lambda pair: pair[0])]
    return [_numbered(unit, order) for order, unit in enumerate(ordered)]


def _numbered(unit: Unit, order: int) -> Unit:
    normed = None if unit.normed is None else replace(unit.normed, order=order)
    return replace(unit, order=order, normed=normed)


def _normed(unit: Unit, module: nn.Module, prefix: str) -> Unit | None:
    """The layer that PyTorch's weight norm or spectral norm, the new one or the old one, computes the weight of; None
    without one."""
    if (spectral := spectral_of(module)) is not None:
        return _spectral(unit, module, prefix, spectral)
    norm, kept = next(((g, v) for g, v in NORMED if {g, v} <= unit.arrays.keys()), ("", ""))
    known = _known(module, prefix)
    if not norm or known is None or (is_parametrized(module) and not _is_weight_norm(module)):
        return None
    _, kind, arrays, settings = known
    weight, scale = arrays["kernel"].parts[0], _arrays(module)[norm]
    assert scale is not None  # it is one of the unit's arrays
    kernel = Packing((replace(weight, name=f"{prefix}{kept}"),))
    flat = whole(f"{prefix}{norm}", shape=(scale.numel(),))
    return replace(unit, kind=kind, arrays={**arrays, "kernel": kernel, "weight_scale": flat}, settings=settings)


def _spectral(unit: Unit, module: nn.Module, prefix: str, spectral: Spectral) -> Unit | None:
    """The layer whose weight has that spectral norm; None if it is of no known kind."""
    known = _known(module, prefix)
    if known is None or "kernel" not in known[2]:
        return None
    _, kind, arrays, settings = known
    kernel = Packing((replace(arrays["kernel"].parts[0], name=f"{prefix}{spectral.weight}"),))
    vectors = {f"spectral_{role}": whole(f"{prefix}{getattr(spectral, role)}") for role in ("u", "v")}
    arrays = {**arrays, "kernel": kernel, **vectors}
    return replace(unit, kind=kind, arrays=arrays, settings={**settings, **spectral.settings})


def _known(module: nn.Module, prefix: str) -> Described | None:
    """A layer as it would be described if its weight were not computed; None if it is of no known kind."""
    describe = next((function for classes, function in DESCRIBED if isinstance(module, classes)), None)
    return None if describe is None else next(describe(module, prefix), None)


def _is_weight_norm(module: nn.Module) -> bool:
    holder = cast(Any, module.parametrizations)
    return [type(part).__name__ for part in getattr(holder, "weight", ())] == ["_WeightNorm"]


def _held(model: nn.Module, path: str) -> bool:
    """Whether the module is one that an attention uses without calling it."""
    return isinstance(model.get_submodule(path.rpartition(".")[0]), nn.MultiheadAttention)


def _parametrizations(module: nn.Module) -> Iterator[nn.Module]:
    """The modules that compute its arrays from others."""
    yield from cast(nn.Module, module.parametrizations).modules()


def _computed(module: nn.Module) -> bool:
    """Whether an array of a known layer is computed from others: by a parametrization, or by the weight norm or
    spectral norm of old, which keep it as a plain attribute."""
    return is_parametrized(module) or isinstance(vars(module).get("weight"), torch.Tensor)


def _arrays(module: nn.Module) -> dict[str, torch.Tensor | None]:
    """Its own arrays, and those that its parametrizations compute from."""
    arrays: dict[str, torch.Tensor | None] = {**module._parameters, **module._buffers}
    if is_parametrized(module):
        holder = cast(nn.Module, module.parametrizations)
        every = (*holder.named_parameters(), *holder.named_buffers())
        arrays |= {f"parametrizations.{name}": tensor for name, tensor in every}
    return arrays


def _described(module: nn.Module, prefix: str) -> Iterator[Described]:
    for classes, describe in DESCRIBED if not _computed(module) else ():
        if isinstance(module, classes):
            yield from describe(module, prefix)
            return
    tensors = _arrays(module)
    arrays = {
        n: whole(f"{prefix}{n}")
        for n, t in tensors.items()
        if t is not None and (t.is_floating_point() or t.is_complex())
    }
    if arrays:
        yield "", "custom", arrays, {}


def _present(module: nn.Module, prefix: str, roles: Mapping[str, str]) -> Arrays:
    """Roles whose array is there, as it is."""
    return {role: whole(f"{prefix}{name}") for role, name in roles.items() if getattr(module, name, None) is not None}


def _dense(module: nn.Linear, prefix: str) -> Iterator[Described]:
    arrays = {"kernel": whole(f"{prefix}weight", (1, 0)), **_present(module, prefix, {"bias": "bias"})}
    yield "", "dense", arrays, {"features": module.out_features}


def _convolution_settings(module: Any) -> dict[str, Any]:
    padding = module.padding
    return {
        "features": module.out_channels,
        "kernel_size": tuple(module.kernel_size),
        "strides": tuple(module.stride),
        "dilation": tuple(module.dilation),
        "groups": module.groups,
        "padding": padding.upper() if isinstance(padding, str) else tuple((p, p) for p in padding),
        "padding_mode": module.padding_mode,
    }


def _conv(module: Any, prefix: str) -> Iterator[Described]:
    spatial = tuple(range(2, 2 + len(module.kernel_size)))
    arrays = {"kernel": whole(f"{prefix}weight", (*spatial, 1, 0)), **_present(module, prefix, {"bias": "bias"})}
    yield "", "conv", arrays, _convolution_settings(module)


def _conv_transpose(module: Any, prefix: str) -> Iterator[Described]:
    count = len(module.kernel_size)
    kernel = Part(f"{prefix}weight", axes=(*range(2, 2 + count), 0, 1), flip=tuple(range(count)))
    arrays = {"kernel": Packing((kernel,)), **_present(module, prefix, {"bias": "bias"})}
    settings = {**_convolution_settings(module), "output_padding": tuple(module.output_padding)}
    yield "", "conv_transpose", arrays, settings


def _batch_norm(module: Any, prefix: str) -> Iterator[Described]:
    keep = None if module.momentum is None else 1.0 - module.momentum
    settings = {"eps": module.eps, "keep": keep, "running_var": "unbiased", "fast_variance": False}
    yield "", "batch_norm", _present(module, prefix, AFFINE | STATISTICS), settings


def _instance_norm(module: Any, prefix: str) -> Iterator[Described]:
    if arrays := _present(module, prefix, AFFINE | STATISTICS):
        settings = {"eps": module.eps, "num_groups": module.num_features, "fast_variance": False}
        yield "", "group_norm", arrays, settings


def _layer_norm(module: nn.LayerNorm, prefix: str) -> Iterator[Described]:
    if arrays := _present(module, prefix, AFFINE):
        yield "", "layer_norm", arrays, {"eps": module.eps, "fast_variance": False}


def _group_norm(module: nn.GroupNorm, prefix: str) -> Iterator[Described]:
    if arrays := _present(module, prefix, AFFINE):
        settings = {"eps": module.eps, "num_groups": module.num_groups, "fast_variance": False}
        yield "", "group_norm", arrays, settings


def _rms_norm(module: Any, prefix: str) -> Iterator[Described]:
    if arrays := _present(module, prefix, {"scale": "weight"}):
        yield "", "rms_norm", arrays, {"eps": module.eps}


def _embedding(module: nn.Embedding, prefix: str) -> Iterator[Described]:
    yield (
        "",
        "embedding",
        {"table": whole(f"{prefix}weight")},
        {"features": module.embedding_dim, "padding_idx": module.padding_idx},
    )


def _attention(module: nn.MultiheadAttention, prefix: str) -> Iterator[Described]:
    """Query, key and value of the packed or the separate projections; the output projection is a module of its own."""
    size, settings = module.embed_dim, {"heads": module.num_heads, "dropout": float(module.dropout)}
    for i, name in enumerate(ATTENTION):
        rows = ((i * size, (i + 1) * size),)
        packed = module.in_proj_weight is not None
        kernel = (
            Part(f"{prefix}in_proj_weight", cut=rows, axes=(1, 0))
            if packed
            else Part(f"{prefix}{name[0]}_proj_weight", axes=(1, 0))
        )
        arrays = {"kernel": Packing((kernel,))}
        if module.in_proj_bias is not None:
            arrays["bias"] = Packing((Part(f"{prefix}in_proj_bias", cut=rows),))
        yield f".{name}", "dense", arrays, settings
    if module.bias_k is not None:
        yield "", "custom", _present(module, prefix, {"bias_k": "bias_k", "bias_v": "bias_v"}), settings


def _recurrent(module: Any, prefix: str) -> Iterator[Described]:
    """One unit a layer and direction."""
    many = module.num_layers > 1 or module.bidirectional
    for layer in range(module.num_layers):
        for direction in ("", "_reverse") if module.bidirectional else ("",):
            tail = f"_l{layer}{direction}"
            suffix = f"[l{layer}{direction}]" if many else ""
            yield suffix, *_gates(module, prefix, tail, module.mode)
            if module.proj_size:
                yield f"{suffix}.projection", "dense", {"kernel": whole(f"{prefix}weight_hr{tail}", (1, 0))}, {}


def _cell(module: Any, prefix: str) -> Iterator[Described]:
    mode = {nn.LSTMCell: "LSTM", nn.GRUCell: "GRU"}.get(type(module)) or f"RNN_{module.nonlinearity.upper()}"
    yield "", *_gates(module, prefix, "", mode)


def _gates(module: Any, prefix: str, tail: str, mode: str) -> tuple[Kind, Arrays, dict[str, Any]]:
    first, second = (f"{prefix}bias_{which}{tail}" for which in ("ih", "hh"))
    arrays = {
        "input_kernel": whole(f"{prefix}weight_ih{tail}", (1, 0)),
        "recurrent_kernel": whole(f"{prefix}weight_hh{tail}", (1, 0)),
    }
    size, settings = module.hidden_size, {"features": module.hidden_size}
    if mode == "GRU":
        two, last = ((0, 2 * size),), ((2 * size, 3 * size),)
        biases = {
            "gate_bias": Packing((Part(first, cut=two), Part(second, cut=two)), "sum"),
            "candidate_bias": Packing((Part(first, cut=last),)),
            "recurrent_bias": Packing((Part(second, cut=last),)),
        }
        settings["reset_after"] = True
    else:
        biases = {"bias": Packing((Part(first), Part(second)), "sum")}
    kind: Kind = "gru" if mode == "GRU" else "lstm" if mode == "LSTM" else "rnn"
    if kind == "rnn":
        settings["activation"] = mode.partition("_")[2].lower()
    return kind, {**arrays, **(biases if module.bias else {})}, settings


DESCRIBED: list[tuple[Any, Callable[[Any, str], Iterator[Described]]]] = [
    (nn.Linear, _dense),
    (CONVOLUTIONS, _conv),
    (TRANSPOSED, _conv_transpose),
    (BATCH_NORMS, _batch_norm),
    (INSTANCE_NORMS, _instance_norm),
    (nn.LayerNorm, _layer_norm),
    (nn.GroupNorm, _group_norm),
    (nn.RMSNorm, _rms_norm),
    (nn.Embedding, _embedding),
    (nn.MultiheadAttention, _attention),
    ((nn.LSTM, nn.GRU, nn.RNN), _recurrent),
    (nn.RNNCellBase, _cell),
]
"""Class → how its units are described; the first that fits."""
