"""What a side says of the network that a user brought: its layers, its arrays, and how they are declared."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from parity.interface.sides.functions import Place
from parity.interface.trace import Arrays
from parity.interface.unit import Unit


class Described(ABC):
    """A user's network as its side describes it; native names are those that the framework itself has for arrays."""

    @property
    @abstractmethod
    def units(self) -> Sequence[Unit]:
        """Layers that hold arrays; every native array belongs to one, or is a counter or a random state."""

    @property
    @abstractmethod
    def native(self) -> Arrays:
        """The user's own parameters and buffers by native name.

        They are read-only copies, floating ones in float64 and complex ones in complex128; `stored` has the user's.
        """

    @property
    @abstractmethod
    def parameters(self) -> frozenset[str]:
        """Names of the native arrays that are trained, as they are declared: parameters that are not frozen."""

    @property
    def declared(self) -> frozenset[str]:
        """Names of the native arrays that are parameters, trained or frozen."""
        return self.parameters

    @property
    @abstractmethod
    def stored(self) -> Mapping[str, str]:
        """Native name → name of the dtype in which the user keeps the array, such as "float16"."""

    @property
    def flags(self) -> Sequence[str]:
        """Arguments of the network's call by one of which it may be told its mode, though no name of ours says so."""
        return ()

    @property
    def functions(self) -> Sequence[Place]:
        """Where the users' functions that the network may run are written."""
        return ()

    def standing(self, name: str) -> str:
        """How the native array of that name is declared, in words that follow its name: "is trained" …"""
        return "is trained" if name in self.parameters else "is no parameter"

    @property
    @abstractmethod
    def ties(self) -> Mapping[str, str]:
        """Second names of native arrays that have several → the first name, which is the one in `native`."""

    @property
    @abstractmethod
    def default_precision(self) -> tuple[bool, str]:
        """Whether float32 products and convolutions are strict as the framework is set now on its device; in words.

        A check runs them strictly all the same; a user's own run may be in TF32 or bfloat16.
        """
