"""A user's Flax network as a pure function of named arrays: NNX and Linen."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax import nnx, traverse_util

from parity.backends.flax.modes import changed_collections, in_mode, linen_in_mode, mode_words, nnx_in_mode
from parity.backends.flax.tracing.tape import Tape, calm, linen_taps, nnx_taps
from parity.backends.flax.tracing.written import wide
from parity.errors import UsageError
from parity.interface.trace import Arrays
from parity.interface.user_code import kind_of

State = dict[str, jax.Array]


class Model(ABC):
    """A network, which is never changed."""

    separator: str

    @property
    @abstractmethod
    def arrays(self) -> dict[str, Any]:
        """Parameters and buffers by native name, in the user's dtypes."""

    @property
    def plain(self) -> frozenset[str]:
        """Names of those that are in no variable."""
        return frozenset()

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

    @property
    @abstractmethod
    def call(self) -> Callable[..., Any]:
        """The method that runs the network, whose first parameter is the module."""

    @property
    def ties(self) -> dict[str, str]:
        """Second names → native names."""
        return {}

    def tree(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Learnable arrays by native name as the nested dict that an optimizer gets: its masks may ask for paths."""
        return traverse_util.unflatten_dict({self.path(name): array for name, array in arrays.items()})

    def flat(self, tree: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """The other way round."""
        arrays = traverse_util.flatten_dict(tree)
        return {name: arrays[self.path(name)] for name in names}

    def path(self, name: str) -> tuple[str, ...]:
        """Path of an array in the tree of the parameters."""
        return tuple(name.split(self.separator))

    @abstractmethod
    def place(self, name: str) -> tuple[str, str]:
        """Path of the module that holds a native array, and the array's name in it."""


class NnxModel(Model):
    """A network of Flax NNX."""

    separator = "."

    def __init__(self, model: nnx.Module, flag: str = "") -> None:
        self._user, self._flag = model, flag
        self._split: dict[tuple[bool, bool], tuple[nnx.GraphDef, Any]] = {}

    @property
    def arrays(self) -> dict[str, Any]:
        """All variables but the states of random streams, and the floating arrays that modules hold as they are."""
        flat = nnx.to_flat_state(nnx.state(self._user))
        return {_dotted(path): _value(leaf) for path, leaf in flat if _holds_numbers(leaf)}

    @property
    def parameters(self) -> frozenset[str]:
        """Those that are `nnx.Param`."""
        flat = nnx.to_flat_state(nnx.state(self._user))
        return frozenset(_dotted(path) for path, variable in flat if isinstance(variable, nnx.Param))

    @property
    def plain(self) -> frozenset[str]:
        """Those that a module holds as they are."""
        flat = nnx.to_flat_state(nnx.state(self._user))
        return frozenset(_dotted(p) for p, v in flat if _holds_numbers(v) and not isinstance(v, nnx.Variable))

    @property
    def call(self) -> Callable[..., Any]:
        """The class's own."""
        return type(self._user).__call__

    def _parts(self, training: bool, drops: bool) -> tuple[nnx.GraphDef, Any]:
        key = training, drops
        if key not in self._split:
            model = nnx.clone(self._user)
            nnx_in_mode(model, training, mode_words(training, self._flag))
            for _, module in () if drops else nnx.iter_modules(model):
                calm(module)
            self._split[key] = nnx.split(model)
        return self._split[key]

    def apply(self, state: State, args: Any, kwargs: Any, tape: Tape) -> tuple[Any, State]:
        """Result and buffers of one pass."""
        graph, variables = self._parts(tape.training, tape.drops)
        flat = [
            (path, _holding(leaf, state.get(_dotted(path), _drawn(leaf, tape))))  # new variables, of this trace
            for path, leaf in nnx.to_flat_state(variables)
        ]
        model = nnx.merge(graph, nnx.from_flat_state(flat))
        args, kwargs = in_mode(self.call, args, kwargs, mode_words(tape.training, self._flag))
        with nnx_taps(model, tape):
            result = model(*args, **kwargs)
        after = {_dotted(path): _value(leaf) for path, leaf in nnx.to_flat_state(nnx.state(model))}
        return result, {name: after[name] for name in state if name not in self.parameters}

    def modules(self) -> dict[str, Any]:
        """Path → module."""
        modules = sorted(nnx.iter_modules(self._user), key=lambda item: len(item[0]))
        return {_dotted(path): module for path, module in modules}

    def place(self, name: str) -> tuple[str, str]:
        """The innermost module: an array may lie in a list or a dict that it holds."""
        parts, modules = name.split("."), self._paths
        depth = next(depth for depth in range(len(parts) - 1, -1, -1) if ".".join(parts[:depth]) in modules)
        return ".".join(parts[:depth]), ".".join(parts[depth:])

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(_dotted(path) for path, _ in nnx.iter_modules(self._user))

    @property
    def ties(self) -> dict[str, str]:
        """Second names of arrays that are reached in several ways, as through a shared module → the first name."""
        first = {id(v): _dotted(path) for path, v in nnx.iter_graph(self._user) if isinstance(v, nnx.Variable)}
        known = self.arrays
        return {
            name: first[id(v)]
            for name, v in _every_variable(self._user, ())
            if first[id(v)] in known and first[id(v)] != name
        }

    def adopt(self, native: Mapping[str, Any]) -> nnx.Module:
        """A clone that holds these arrays, in the user's dtypes."""
        graph, variables = nnx.split(nnx.clone(self._user))
        flat = [
            (p, _holding(v, jnp.asarray(native[_dotted(p)], _value(v).dtype)) if _dotted(p) in native else v)
            for p, v in nnx.to_flat_state(variables)
        ]
        return nnx.merge(graph, nnx.from_flat_state(flat))


class LinenModel(Model):
    """A module of Flax Linen with its variables."""

    separator = "/"

    def __init__(self, module: nn.Module, variables: Mapping[str, Any], flag: str = "") -> None:
        self._module, self._flag = module, flag
        self._changed: list[str] | None = None
        self._variables = _plain(variables)
        self._paths = {"/".join(path): path for path in traverse_util.flatten_dict(self._variables)}
        if "params" not in self._variables:
            got = ", ".join(self._variables) or "nothing"
            raise UsageError(
                f"the Linen variables hold {got}; expected collections such as params: give module.init(…)"
            )
        self._seen: dict[str, Any] = {}

    @property
    def arrays(self) -> dict[str, Any]:
        """All collections, "collection/path/name"."""
        return _joined(self._variables)

    @property
    def parameters(self) -> frozenset[str]:
        """Those of the collection params."""
        return frozenset(name for name in self.arrays if name.startswith("params/"))

    @property
    def call(self) -> Callable[..., Any]:
        """The class's own."""
        return type(self._module).__call__

    def path(self, name: str) -> tuple[str, ...]:
        """The path has no collection in front."""
        return tuple(self._paths[name][1:]) if name in self._paths else (name,)

    def place(self, name: str) -> tuple[str, str]:
        """The place is read from the path, since a name may hold a slash itself (weight norm's do)."""
        path = self._paths[name]
        return "/".join(path[1:-1]), path[-1]

    def apply(self, state: State, args: Any, kwargs: Any, tape: Tape) -> tuple[Any, State]:
        """Result and buffers of one pass."""
        variables = traverse_util.unflatten_dict({self._paths[name]: array for name, array in state.items()})
        words = mode_words(tape.training, self._flag)
        args, kwargs = in_mode(self.call, args, kwargs, words)
        module, key = linen_in_mode(self._module, words), _of_draw(jax.random.key(0), tape)

        def run(mutable: list[str]) -> Any:
            return module.apply(variables, *args, **kwargs, mutable=mutable, rngs={"dropout": key, "params": key})

        mutable = [collection for collection in variables if collection != "params"]
        if mutable and not tape.training:
            self._changed = changed_collections(run) if self._changed is None else self._changed
            mutable = self._changed
        with linen_taps(tape, self._seen):
            result, after = run(mutable)
        changed = {**state, **_joined(_plain(after))}
        return result, {name: changed[name] for name in state if name not in self.parameters}

    def modules(self) -> dict[str, Any]:
        """Path → module of those that have run; those that hold arrays and have not are None."""
        paths = [path[1:-1] for path in self._paths.values()]
        every = dict.fromkeys("/".join(path[:depth]) for path in paths for depth in range(len(path) + 1))
        return {path: self._seen.get(path) for path in {**every, **dict.fromkeys(self._seen)}}

    def adopt(self, native: Mapping[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
        """Module and variables that hold these arrays, in the user's dtypes."""
        arrays = self.arrays
        flat = {name: jnp.asarray(native.get(name, array), jnp.asarray(array).dtype) for name, array in arrays.items()}
        return self._module, traverse_util.unflatten_dict({self._paths[n]: a for n, a in flat.items()})


def _holds_numbers(leaf: Any) -> bool:
    """Whether a leaf of a state is a variable of the network, or a plain floating array."""
    if isinstance(leaf, nnx.Variable):
        return not isinstance(leaf, nnx.RngState)
    return bool(jnp.issubdtype(leaf.dtype, jnp.inexact))


def _value(leaf: Any) -> Any:
    return leaf.get_value() if isinstance(leaf, nnx.Variable) else leaf


def _drawn(leaf: Any, tape: Tape) -> Any:
    """The value of a leaf of a state; the key of a random stream as it is in that draw."""
    value = _value(leaf)
    return _of_draw(value, tape) if isinstance(leaf, nnx.RngKey) else value


def _of_draw(key: Any, tape: Tape) -> Any:
    return key if tape.draw is None else jax.random.fold_in(key, tape.draw)


def _holding(leaf: Any, value: Any) -> Any:
    return leaf.replace(value) if isinstance(leaf, nnx.Variable) else value


def _every_variable(
    node: Any, path: tuple[Any, ...], above: tuple[int, ...] = ()
) -> Iterator[tuple[str, nnx.Variable]]:
    """Name and variable for every way that leads to one."""
    if isinstance(node, nnx.Variable):
        yield _dotted(path), node
        return
    if id(node) in above:
        return
    inside: Any = ()
    if isinstance(node, nnx.Module):
        inside = [(int(k) if k.isdigit() else k, v) for k, v in vars(node).items()]
    elif isinstance(node, Mapping):
        inside = node.items()
    elif isinstance(node, list | tuple):
        inside = enumerate(node)
    for key, item in inside:
        yield from _every_variable(item, (*path, key), (*above, id(node)))


def open_model(model: Any, training_flag: str = "") -> Model:
    """The driver for what the user gave.

    Args:
        model: An NNX module, or a Linen module and its variables.
        training_flag: The name by which the user's network is told its mode, see `modes.mode_words`.

    Raises:
        UsageError: it is neither an NNX module nor a Linen module with its variables.
    """
    if isinstance(model, nnx.Module):
        return NnxModel(model, training_flag)
    if isinstance(model, tuple) and len(model) == 2 and isinstance(model[0], nn.Module):
        return LinenModel(*model, training_flag)
    hint = "see parity.compare"
    if isinstance(model, nn.Module):
        hint = "give (module, variables)"
    elif isinstance(model, type):
        hint = f"make one, {model.__name__}(…)"
    elif hasattr(model, "named_parameters"):
        hint = "it is PyTorch's; give Flax's network first and PyTorch's second"
    raise UsageError(f"got {kind_of(model)} as Flax model; expected an nnx.Module or (linen module, variables): {hint}")


def plain(arrays: Mapping[str, Any]) -> Arrays:
    """Read-only NumPy copies, floating ones in float64, complex ones in complex128."""
    copies = {}
    for name, value in arrays.items():
        array = np.asarray(value)
        copied = array.astype(wide(array.dtype))  # always a copy
        copied.flags.writeable = False
        copies[name] = copied
    return copies


def _plain(tree: Any) -> Any:
    return {key: _plain(item) for key, item in tree.items()} if isinstance(tree, Mapping) else tree


def _joined(tree: Any) -> dict[str, Any]:
    return {"/".join(path): array for path, array in traverse_util.flatten_dict(tree).items()}


def _dotted(path: Any) -> str:
    return ".".join(map(str, path))
