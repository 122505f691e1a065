"""A user's Flax network as a pure function of named arrays: NNX and Linen."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax import nnx, traverse_util

from parity.backends.flax_tape import Tape, linen_taps, nnx_taps, widen
from parity.errors import UsageError
from parity.trace import Arrays

State = dict[str, jax.Array]
TRAINING_WORDS = ("train", "training", "is_training")
EVALUATION_WORDS = ("deterministic", "use_running_average", "inference", "eval")


class Model(ABC):
    """A network, which is never changed."""

    separator: str

    @property
    @abstractmethod
    def arrays(self) -> dict[str, Any]:
        """Parameters and buffers by native name, in the user's dtypes."""

    @property
    @abstractmethod
    def parameters(self) -> frozenset[str]:
        """Names of the learnable ones."""

    @abstractmethod
    def apply(self, state: State, args: Any, kwargs: Any, tape: Tape) -> tuple[Any, State]:
        """Result and buffers of one pass."""

    @abstractmethod
    def modules(self) -> dict[str, Any]:
        """Path → module, parents first; Linen knows those that have run."""

    @abstractmethod
    def adopt(self, native: Mapping[str, Any]) -> Any:
        """The user's object with these arrays."""

    def owned(self, name: str) -> str:
        """Native name without what does not belong to the module path."""
        return name


def mode_words(call: Callable[..., Any], training: bool) -> dict[str, bool]:
    """The keyword by which a call is told its mode, if it has one."""
    known = inspect.signature(call).parameters
    words = {**dict.fromkeys(TRAINING_WORDS, training), **dict.fromkeys(EVALUATION_WORDS, not training)}
    return {word: value for word, value in words.items() if word in known}


class NnxModel(Model):
    """A network of Flax NNX."""

    separator = "."

    def __init__(self, model: nnx.Module) -> None:
        self._user = model
        self._split: dict[tuple[bool, Any], tuple[nnx.GraphDef, Any]] = {}

    @property
    def arrays(self) -> dict[str, Any]:
        """All variables but the states of random streams."""
        flat = nnx.to_flat_state(nnx.state(self._user))
        return {_dotted(p): v.get_value() for p, v in flat if not isinstance(v, nnx.RngState)}

    @property
    def parameters(self) -> frozenset[str]:
        """Those that are `nnx.Param`."""
        flat = nnx.to_flat_state(nnx.state(self._user))
        return frozenset(_dotted(path) for path, variable in flat if isinstance(variable, nnx.Param))

    def _parts(self, training: bool, dtype: Any) -> tuple[nnx.GraphDef, Any]:
        if (training, dtype) not in self._split:
            model = nnx.clone(self._user)
            model.train() if training else model.eval()
            for _, module in nnx.iter_modules(model):
                widen(module, dtype)
            self._split[training, dtype] = nnx.split(model)
        return self._split[training, dtype]

    def apply(self, state: State, args: Any, kwargs: Any, tape: Tape) -> tuple[Any, State]:
        """Result and buffers of one pass."""
        graph, variables = self._parts(tape.training, tape.dtype)
        flat = [
            (p, v.replace(state[_dotted(p)]) if _dotted(p) in state else v) for p, v in nnx.to_flat_state(variables)
        ]
        model = nnx.merge(graph, nnx.from_flat_state(flat))
        with nnx_taps(model, tape):
            result = model(*args, **{**kwargs, **mode_words(type(model).__call__, tape.training)})
        after = {_dotted(path): variable for path, variable in nnx.to_flat_state(nnx.state(model))}
        return result, {name: after[name].get_value() for name in state if name not in self.parameters}

    def modules(self) -> dict[str, Any]:
        """Path → module."""
        return {_dotted(path): module for path, module in nnx.iter_modules(self._user)}

    def adopt(self, native: Mapping[str, Any]) -> nnx.Module:
        """A clone that holds these arrays, in the user's dtypes."""
        graph, variables = nnx.split(nnx.clone(self._user))
        flat = [
            (p, v.replace(jnp.asarray(native[_dotted(p)], v.get_value().dtype)) if _dotted(p) in native else v)
            for p, v in nnx.to_flat_state(variables)
        ]
        return nnx.merge(graph, nnx.from_flat_state(flat))


class LinenModel(Model):
    """A module of Flax Linen with its variables."""

    separator = "/"

    def __init__(self, module: nn.Module, variables: Mapping[str, Any]) -> None:
        self._module = module
        self._variables = _plain(variables)
        if "params" not in self._variables:
            got = ", ".join(self._variables) or "nothing"
            raise UsageError(
                f"the Linen variables hold {got}; expected collections such as params: give module.init(…)"
            )
        self._seen: dict[str, Any] = {}

    @property
    def arrays(self) -> dict[str, Any]:
        """All collections, "collection/path/name"."""
        return traverse_util.flatten_dict(self._variables, sep="/")

    @property
    def parameters(self) -> frozenset[str]:
        """Those of the collection params."""
        return frozenset(name for name in self.arrays if name.startswith("params/"))

    def owned(self, name: str) -> str:
        """Without the collection."""
        return name.partition("/")[2]

    def apply(self, state: State, args: Any, kwargs: Any, tape: Tape) -> tuple[Any, State]:
        """Result and buffers of one pass."""
        variables = traverse_util.unflatten_dict({tuple(name.split("/")): a for name, a in state.items()})
        mutable = [collection for collection in variables if collection != "params"]
        words = mode_words(type(self._module).__call__, tape.training)
        key = jax.random.key(0)
        with linen_taps(tape, self._seen):
            result, after = self._module.apply(
                variables, *args, **{**kwargs, **words}, mutable=mutable, rngs={"dropout": key, "params": key}
            )
        changed = {**state, **traverse_util.flatten_dict(_plain(after), sep="/")}
        return result, {name: changed[name] for name in state if name not in self.parameters}

    def modules(self) -> dict[str, Any]:
        """Path → module of those that have run; those that hold arrays and have not are None."""
        paths = [self.owned(name).split("/")[:-1] for name in self.arrays]
        every = dict.fromkeys("/".join(path[:depth]) for path in paths for depth in range(len(path) + 1))
        return {path: self._seen.get(path) for path in {**every, **dict.fromkeys(self._seen)}}

    def adopt(self, native: Mapping[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
        """Module and variables that hold these arrays, in the user's dtypes."""
        own = self.arrays
        flat = {name: jnp.asarray(native.get(name, array), jnp.asarray(array).dtype) for name, array in own.items()}
        return self._module, traverse_util.unflatten_dict({tuple(n.split("/")): a for n, a in flat.items()})


def open_model(model: Any) -> Model:
    """The driver for what the user gave.

    Raises:
        UsageError: it is neither an NNX module nor a Linen module with its variables.
    """
    if isinstance(model, nnx.Module):
        return NnxModel(model)
    if isinstance(model, tuple) and len(model) == 2 and isinstance(model[0], nn.Module):
        return LinenModel(*model)
    hint = "give (module, variables)" if isinstance(model, nn.Module) else "see parity.compare"
    raise UsageError(
        f"got {type(model).__name__} as Flax model; expected an nnx.Module or (linen module, variables): {hint}"
    )


def plain(arrays: Mapping[str, Any]) -> Arrays:
    """Read-only NumPy copies, floating ones in float64."""
    found = {}
    for name, value in arrays.items():
        array = np.asarray(value)
        wide = array.astype(np.float64) if jnp.issubdtype(array.dtype, jnp.floating) else array.copy()
        wide.flags.writeable = False
        found[name] = wide
    return found


def _plain(tree: Any) -> Any:
    return {key: _plain(item) for key, item in tree.items()} if isinstance(tree, Mapping) else tree


def _dotted(path: Any) -> str:
    return ".".join(map(str, path))
