"""A live network of any framework: what a training run needs of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from numpy.typing import NDArray

from parity.interface.devices import Devices
from parity.interface.trace import Arrays, Precision
from parity.weights import require_bijection

Config = Mapping[str, Any]
P = ParamSpec("P")
R = TypeVar("R")
N = TypeVar("N", bound="Network")


def in_setting(method: Callable[Concatenate[N, P], R]) -> Callable[Concatenate[N, P], R]:
    """Run a network's method inside its `setting()`; the framework's configuration is as before afterwards.

    Args:
        method: The method to decorate; its arguments, result and exceptions are as they were.
    """

    @wraps(method)
    def run(self: N, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.setting():
            return method(self, *args, **kwargs)

    return run


class Network(ABC):
    """A live network in one framework, at one precision, on one device, seen through NumPy arrays.

    Everything goes in and comes out as NumPy arrays with canonical names; nothing but `load` changes the network.
    Every method is small, so that a planted bug can replace one of them.

    Args:
        model: the framework's own object; a backend that changes anything works on a copy of it.
        precision: the floating-point type of weights, activations and gradients. Float32 is strict: no TF32, and no
            bfloat16 passes.
        device: "cpu", "gpu" or, for JAX, "tpu".

    Raises:
        UsageError: the device is not available.
    """

    framework: ClassVar[str]

    def __init__(self, model: Any, *, precision: Precision = "float64", device: str = "cpu") -> None:
        self.model = model
        self.precision: Precision = precision
        self.device = device
        self.compiled = False
        """Whether a long training run compiles its steps first, where that is a choice; JAX's always are compiled."""
        self.devices = Devices()
        """Where its training runs compute; all else that it does is on one device."""

    def setting(self) -> AbstractContextManager[None]:
        """The framework's configuration that the network's precision and device ask for."""
        return nullcontext()

    @classmethod
    @abstractmethod
    def build(cls, network: str, config: Config, *, seed: int | None = None, init: str = "default") -> Any:
        """Construct one of the project's networks in this framework.

        Args:
            network: the class's name in `jaxnets`, `torchnets` and `parity.reference`, such as "VGG".
            config: the keywords of the class's constructor.
            seed: what the initial weights are drawn from; None where weights are loaded later, so that any will do.
            init: the name of the initial distribution, one of `parity.interface.random.Scheme`.
        """

    @classmethod
    @abstractmethod
    def draw(cls, network: str, config: Config, *, seeds: Sequence[int], init: str) -> Arrays:
        """Draw initial weights by the network's own constructor.

        Returns:
            Canonical name → floating array whose first axis is the draws, (len(seeds), *shape of the weight).
        """

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter and buffer by canonical name, in canonical layouts.

        Raises:
            UsageError: an array belongs to a layer kind that the weight map does not know.
        """

    @abstractmethod
    def weights(self) -> Arrays:
        """All parameters and buffers by canonical name, in canonical layouts, at the network's precision.

        Later changes of the network leave the arrays alone.
        """

    def load(self, weights: Mapping[str, NDArray]) -> None:
        """Copy weights in.

        Args:
            weights: all parameters and buffers by canonical name, in canonical layouts; rounded to the network's
                precision.

        Raises:
            UsageError: the names or shapes are not those of the network, or a value is not finite.
        """
        self.require(weights)
        self._load(weights)

    def require(self, weights: Mapping[str, NDArray]) -> None:
        """Raise unless the weights have the names and shapes of the network and are finite.

        Args:
            weights: All parameters and buffers by canonical name, in canonical layouts, of any dtype.

        Raises:
            UsageError: The names or shapes are not those of the network, or a value is not finite.
        """
        require_bijection(weights, self.shapes())

    @abstractmethod
    def _load(self, weights: Mapping[str, NDArray]) -> None:
        """Copy in weights that `require` has let pass."""
