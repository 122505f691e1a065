"""A module of Flax Linen with its variables as a pure function of named arrays."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import traverse_util
from flax.core import meta
from flax.errors import ScopeCollectionNotFound

from parity.backends.flax.models.model import Model, State, of_draw
from parity.backends.flax.models.modes import changed_collections, in_mode, linen_in_mode, mode_words
from parity.backends.flax.tracing.tape import Tape, linen_taps
from parity.errors import UsageError

COLLECTIONS = frozenset({"params", "batch_stats", "cache", "constants", "buffers", "state", "intermediates"})
"""Usual names of collections: variables with none of them are a tree of parameters that is not in its collection."""


class LinenModel(Model):
    """A module of Flax Linen with its variables."""

    separator = "/"

    def __init__(self, module: nn.Module, variables: Mapping[str, Any], flag: str = "") -> None:
        self._module, self._flag = module, flag
        self._changed: list[str] | None = None
        self._boxed = _plain(variables)
        self._variables = meta.unbox(self._boxed)
        self._paths = {"/".join(path): path for path in traverse_util.flatten_dict(self._variables)}
        if self._variables and not self._variables.keys() & COLLECTIONS:
            got = ", ".join(self._variables)
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
        module, key = linen_in_mode(self._module, words), of_draw(jax.random.key(0), tape)

        def run(mutable: list[str]) -> Any:
            rngs = {"dropout": key, "params": key}
            try:
                return module.apply(variables, *args, **kwargs, mutable=mutable, rngs=rngs)
            except ScopeCollectionNotFound as error:
                if "params" in variables:
                    raise
                name, got = type(module).__name__, ", ".join(variables) or "nothing"
                raise UsageError(
                    f"the Linen variables hold {got}, and {name} has parameters; expected params: give module.init(…)"
                ) from error

        mutable = [collection for collection in variables if collection != "params"]
        if mutable and not tape.training:
            self._changed = changed_collections(run) if self._changed is None else self._changed
            mutable = self._changed
        with linen_taps(tape, self._seen):
            result, after = run(mutable)
        changed = {**state, **_joined(meta.unbox(_plain(after)))}
        return result, {name: changed[name] for name in state if name not in self.parameters}

    def modules(self) -> dict[str, Any]:
        """Path → module of those that have run; those that hold arrays and have not are None."""
        paths = [path[1:-1] for path in self._paths.values()]
        every = dict.fromkeys("/".join(path[:depth]) for path in paths for depth in range(len(path) + 1))
        return {path: self._seen.get(path) for path in {**every, **dict.fromkeys(self._seen)}}

    def adopt(self, native: Mapping[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
        """Module and variables that hold these arrays, in the user's dtypes and boxes of sharding."""
        arrays = self.arrays
        flat = {name: jnp.asarray(native.get(name, array), jnp.asarray(array).dtype) for name, array in arrays.items()}
        variables = traverse_util.unflatten_dict({self._paths[name]: array for name, array in flat.items()})
        return self._module, meta.replace_boxed(self._boxed, variables)


def _plain(tree: Any) -> Any:
    return {key: _plain(item) for key, item in tree.items()} if isinstance(tree, Mapping) else tree


def _joined(tree: Any) -> dict[str, Any]:
    return {"/".join(path): array for path, array in traverse_util.flatten_dict(tree).items()}
