"""An NNX network parted into its structure and its arrays."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

import jaxnets
from parity.errors import UsageError
from parity.weights import Kind

KINDS: dict[type, Kind] = {
    nnx.Linear: "dense",
    nnx.Conv: "conv",
    nnx.ConvTranspose: "conv",
    jaxnets.layers.BatchNorm: "norm",
    nnx.GroupNorm: "norm",
    nnx.LayerNorm: "norm",
    nnx.RMSNorm: "norm",
    nnx.Embed: "embedding",
    jaxnets.ViT: "table",
    jaxnets.BERT: "bias",
    nnx.RNN: "lstm",
    jaxnets.layers.RoutedFeedForward: "experts",
}
State = dict[str, jax.Array]  # native dotted name → array


class Graph:
    """The structure of a network, to which any arrays of its names and shapes can be joined again.

    Args:
        model: the network; it is left in evaluation mode.

    Raises:
        UsageError: a variable is neither a parameter nor a batch statistic.
    """

    def __init__(self, model: nnx.Module) -> None:
        self._graphs: dict[bool, nnx.GraphDef] = {}
        for training in (True, False):
            model.train() if training else model.eval()
            self._graphs[training], state = nnx.split(model)
        flat = {".".join(map(str, path)): variable for path, variable in nnx.to_flat_state(state)}
        self._types = {name: _known_type(name, variable) for name, variable in flat.items()}
        self.values: dict[str, Any] = {name: variable.get_value() for name, variable in flat.items()}
        """What the network held when it was parted, by native name; shapes only where it was built without a seed."""
        self.kinds = kinds_of(model)

    def merged(self, state: Mapping[str, Any], training: bool) -> Any:
        """A network of this structure that holds the arrays and is in that mode."""
        flat = [(tuple(_key(k) for k in name.split(".")), self._types[name](a)) for name, a in state.items()]
        return nnx.merge(self._graphs[training], nnx.from_flat_state(flat))

    def split(self, state: State) -> tuple[State, State]:
        """The parameters and the buffers among the arrays."""
        learnable = {name: a for name, a in state.items() if issubclass(self._types[name], nnx.Param)}
        return learnable, {name: a for name, a in state.items() if name not in learnable}

    @property
    def has_convolutions(self) -> bool:
        """Whether any layer is a convolution."""
        return "conv" in self.kinds.values()

    @property
    def dense_kernels(self) -> frozenset[str]:
        """Native names of the kernels of dense layers, which are (in, out)."""
        return frozenset(f"{path}.kernel" for path, kind in self.kinds.items() if kind == "dense")


def buffers_of(model: nnx.Module) -> State:
    """The batch statistics that a network holds, by native name."""
    flat = nnx.to_flat_state(nnx.state(model, nnx.BatchStat))
    return {".".join(map(str, path)): variable[...] for path, variable in flat}


def kinds_of(model: nnx.Module) -> dict[str, Kind]:
    """Module path → kind of layer, for all layers that hold arrays and that the weight map knows."""
    return {
        path: kind
        for path, module in module_paths(model).values()
        for cls, kind in KINDS.items()
        if isinstance(module, cls)
    }


def module_paths(model: nnx.Module) -> dict[int, tuple[str, nnx.Module]]:
    """Path of every module of ours or of Flax, by identity; containers (lists) are not modules that are called.

    What is inside a recurrent layer of Flax's own is part of that layer, as it is in PyTorch's.
    """
    named = [(tuple(map(str, path)), module) for path, module in nnx.iter_modules(model)]
    layers = {path for path, module in named if isinstance(module, nnx.RNN)}
    return {
        id(module): (".".join(path), module)
        for path, module in named
        if callable(module)
        and not isinstance(module, nnx.List)
        and not any(path[:depth] in layers for depth in range(len(path)))
    }


def concrete(value: Any, dtype: Any) -> jax.Array:
    """A copy of the value in that dtype; zeros where there is only a shape."""
    if isinstance(value, jax.ShapeDtypeStruct):
        return jnp.zeros(value.shape, dtype)
    return jnp.array(value, dtype, copy=True)


def _known_type(name: str, variable: nnx.Variable) -> type[nnx.Variable]:
    if not isinstance(variable, nnx.Param | nnx.BatchStat):
        kind = type(variable).__name__
        raise UsageError(f"variable {name} is a {kind}; expected parameters and batch statistics: take it out")
    return type(variable)


def _key(part: str) -> str | int:
    return int(part) if part.isdigit() else part
