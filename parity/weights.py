"""Canonical weight names and layouts, the map to and from each framework's own, and the file that holds them.

A canonical name is the module path and the field's word for the array: `features.0.conv.kernel`. Canonical layouts are
Flax's (kernels (in, out) and (H, W, in, out)). One table by layer *kind* maps everything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors import numpy as safetensors_numpy

from parity.errors import UsageError
from parity.files import write_atomically

Weights = dict[str, NDArray]
Kind = Literal["dense", "conv", "norm", "embedding", "table", "experts", "lstm", "bias"]


@dataclass(frozen=True)
class Role:
    """One array of a layer kind.

    Args:
        flax, torch: the array's name below its layer in each framework, such as "kernel" and "weight".
        axes: the torch array is the canonical one transposed by these axes; None leaves it as it is.
        buffer: whether it is a running statistic, not a parameter.
    """

    flax: str
    torch: str
    axes: tuple[int, ...] | None = None
    buffer: bool = False


ROLES: dict[Kind, dict[str, Role]] = {
    "dense": {"kernel": Role("kernel", "weight", (1, 0)), "bias": Role("bias", "bias")},
    "conv": {"kernel": Role("kernel", "weight", (3, 2, 0, 1)), "bias": Role("bias", "bias")},
    "norm": {
        "scale": Role("scale", "weight"),
        "bias": Role("bias", "bias"),
        "running_mean": Role("mean", "running_mean", buffer=True),
        "running_var": Role("var", "running_var", buffer=True),
    },
    "embedding": {"embedding": Role("embedding", "weight")},
    "table": {name: Role(name, name) for name in ("class_token", "position")},
    "bias": {"bias": Role("bias", "bias")},
    "lstm": {
        "cell.dense_i.kernel": Role("cell.dense_i.kernel", "weight_ih_l0", (1, 0)),
        "cell.dense_i.bias": Role("cell.dense_i.bias", "bias_ih_l0"),
        "cell.dense_h.kernel": Role("cell.dense_h.kernel", "weight_hh_l0", (1, 0)),
        "cell.dense_h.bias": Role("cell.dense_h.bias", "bias_hh_l0"),
    },
    "experts": {name: Role(name, name) for name in ("gate", "hidden", "out")},
}
TABLES = frozenset({*ROLES["embedding"], *ROLES["table"]})
"""Roles of the arrays whose rows are looked up, or added to every example."""
KERNELS = frozenset({"kernel", *ROLES["experts"]})
"""Roles of the arrays that multiply what comes in; those of experts are kernels (in, out), stacked."""
BUFFERS = frozenset(role for roles in ROLES.values() for role, spec in roles.items() if spec.buffer)
# PyTorch counts batches for a cumulative average that is off unless momentum is None; nothing else has a counterpart.
WITHOUT_TWIN = frozenset({"num_batches_tracked"})


def is_buffer(name: str) -> bool:
    """Whether the canonical name is that of a running statistic."""
    return name.rpartition(".")[2] in BUFFERS


def parameters(weights: Mapping[str, NDArray]) -> Weights:
    """The weights without the running statistics: the part that an optimizer updates."""
    return {name: array for name, array in weights.items() if not is_buffer(name)}


def buffers(weights: Mapping[str, NDArray]) -> Weights:
    """The running statistics among the weights."""
    return {name: array for name, array in weights.items() if is_buffer(name)}


def to_canonical(
    native: Mapping[str, NDArray], kinds: Mapping[str, Kind], framework: Literal["flax", "torch"]
) -> Weights:
    """Rename and transpose a framework's arrays to canonical names and layouts; dtypes stay as they are.

    Args:
        native: every parameter and buffer by the framework's own dotted name.
        kinds: kind of every module that holds arrays, by module path.
        framework: the framework that the arrays come from.

    Raises:
        UsageError: an array belongs to no known kind or role.
    """
    weights: Weights = {}
    for name, array in native.items():
        path, leaf = layer_of(name, kinds)
        if leaf in WITHOUT_TWIN:
            continue
        role, spec = _role(path, leaf, kinds, framework, array.shape)
        axes = spec.axes if framework == "torch" else None
        weights[_join(path, role)] = array if axes is None else np.ascontiguousarray(array.transpose(np.argsort(axes)))
    return weights


def shapes_of(
    native: Mapping[str, tuple[int, ...]], kinds: Mapping[str, Kind], framework: Literal["flax", "torch"]
) -> dict[str, tuple[int, ...]]:
    """Canonical name → canonical shape, from a framework's own names and shapes; raises what `to_canonical` raises."""
    nothing = {name: np.broadcast_to(np.int8(0), shape) for name, shape in native.items()}
    return {name: array.shape for name, array in to_canonical(nothing, kinds, framework).items()}


def from_canonical(
    weights: Mapping[str, NDArray], kinds: Mapping[str, Kind], framework: Literal["flax", "torch"]
) -> Weights:
    """Rename and transpose canonical arrays to a framework's own names and layouts: the inverse of `to_canonical`.

    Raises:
        UsageError: a name belongs to no module of known kind.
    """
    native: Weights = {}
    for name, array in weights.items():
        path, role = layer_of(name, kinds)
        spec = ROLES[kinds[path]].get(role) if path in kinds else None
        if spec is None:
            raise UsageError(f"weight {name} {array.shape} fits no layer of the network; known layers: {_some(kinds)}")
        axes = spec.axes if framework == "torch" else None
        leaf = spec.torch if framework == "torch" else spec.flax
        native[_join(path, leaf)] = array if axes is None else array.transpose(axes)
    return native


def layer_of(name: str, layers: Iterable[str]) -> tuple[str, str]:
    """The path of the innermost of the layers that an array is in, and its name below that.

    Args:
        name: a dotted name of an array, such as "layers.0.cell.dense_i.kernel".
        layers: paths of layers, such as "layers.0". An array that is in none of them is in the layer of its own path.
    """
    parts, known = name.split("."), set(layers)
    inside = (depth for depth in range(len(parts) - 1, 0, -1) if ".".join(parts[:depth]) in known)
    depth = next(inside, len(parts) - 1)
    return ".".join(parts[:depth]), ".".join(parts[depth:])


def require_bijection(got: Mapping[str, NDArray], expected: Mapping[str, tuple[int, ...]]) -> None:
    """Check that `got` holds exactly the expected names and shapes, and finite numbers only.

    Raises:
        UsageError: it does not; the message lists what is missing, what is extra, what has another shape, and what
            holds NaN or infinity.
    """
    faults = mismatches({name: array.shape for name, array in got.items()}, expected)
    faults += [f"NaN or infinity in {name}" for name, array in got.items() if not np.isfinite(array).all()]
    if faults:
        raise UsageError(f"the weights do not fit the network: {'; '.join(faults)}; give the weights of this network")


def mismatches(got: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]) -> list[str]:
    """The faults, in words, that keep two sets of names and shapes from being the same; empty when they are."""
    faults = []
    if missing := [name for name in expected if name not in got]:
        faults.append(f"missing {_listed(missing, expected)}")
    if extra := [name for name in got if name not in expected]:
        faults.append(f"extra {_listed(extra, got)}")
    faults += [
        f"{name} has shape {tuple(got[name])}, expected {tuple(shape)}"
        for name, shape in expected.items()
        if name in got and tuple(got[name]) != tuple(shape)
    ]
    return faults


def save(weights: Mapping[str, NDArray], path: str | Path) -> None:
    """Write canonical weights to a safetensors file, whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    arrays = {name: np.require(array, requirements="C") for name, array in weights.items()}
    write_atomically(path, safetensors_numpy.save(arrays, metadata={"format": "netparity", "layout": "canonical"}))


def load(path: str | Path) -> Weights:
    """Read canonical weights from a safetensors file, in the dtypes in which they were saved.

    Raises:
        UsageError: there is no such file, it is not a whole safetensors file, or it holds other than real numbers.
    """
    try:
        weights = safetensors_numpy.load(Path(path).read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read weights {path}: {error.strerror}; name a safetensors file") from error
    except KeyError as error:
        raise UsageError(f"{path} holds numbers of type {error}; save them as float32 or float64") from error
    except (SafetensorError, ValueError) as error:
        raise UsageError(f"{path} is not a whole safetensors file ({error}); save it again") from error
    if others := sorted({str(array.dtype) for array in weights.values() if array.dtype.kind != "f"}):
        raise UsageError(f"{path} holds numbers of type {', '.join(others)}; save them as float32 or float64")
    return weights


def _role(path: str, leaf: str, kinds: Mapping[str, Kind], framework: str, shape: tuple[int, ...]) -> tuple[str, Role]:
    for role, spec in ROLES[kinds[path]].items() if path in kinds else ():
        if getattr(spec, framework) == leaf:
            return role, spec
    known = ", ".join(ROLES)
    raise UsageError(f"{framework} array {_join(path, leaf)} {tuple(shape)} belongs to no known layer kind ({known})")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _listed(names: Iterable[str], shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {tuple(shapes[name])}" for name in names)


def _some(names: Iterable[str]) -> str:
    return ", ".join(list(names)[:8])
