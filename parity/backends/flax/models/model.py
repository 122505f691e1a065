"""A user's Flax network as a pure function of named arrays: what NNX and Linen have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
from flax import traverse_util

from parity.backends.flax.tracing.tape import Tape

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


def of_draw(key: Any, tape: Tape) -> Any:
    """The key of a random stream in the draw that a tape is of; the key as it is where that is of none."""
    return key if tape.draw is None else jax.random.fold_in(key, tape.draw)
