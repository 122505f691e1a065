"""A network of Flax NNX as a pure function of named arrays."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import jax.numpy as jnp
from flax import nnx

from parity.backends.flax.models.model import Model, State, of_draw
from parity.backends.flax.models.modes import in_mode, mode_words, nnx_in_mode
from parity.backends.flax.tracing.tape import Tape, calm, nnx_taps


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
    return of_draw(value, tape) if isinstance(leaf, nnx.RngKey) else value


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


def _dotted(path: Any) -> str:
    return ".".join(map(str, path))
