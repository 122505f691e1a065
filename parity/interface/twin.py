"""What every backend can do with a network of its framework."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from parity.data import Batch, Stream
from parity.interface.devices import Devices
from parity.interface.trace import Arrays, Precision, Probe, Reading, Trace, Trajectory, WatchedRun
from parity.recipes import Optimizer
from parity.weights import buffers, parameters, require_bijection

if TYPE_CHECKING:
    from parity.interface.session import Session

Config = Mapping[str, Any]
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound="Twin")


def in_setting(method: Callable[Concatenate[T, P], R]) -> Callable[Concatenate[T, P], R]:
    """Run a twin's method inside its `setting()`; the framework's configuration is as before afterwards."""

    @wraps(method)
    def run(self: T, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.setting():
            return method(self, *args, **kwargs)

    return run


def require_rates(steps: int, learning_rates: Sequence[float]) -> None:
    """Raise ValueError unless there is one learning rate a step."""
    if len(learning_rates) != steps:
        raise ValueError(f"got {len(learning_rates)} learning rates for {steps} steps; give one a step")


class Twin(ABC):
    """A live network in one framework, at one precision, on one device, seen through NumPy arrays.

    Everything goes in and comes out as NumPy arrays with canonical names; nothing but `load` changes the network.
    Every method is small, so that a planted bug can replace one of them.

    Args:
        model: the framework's own object; it is used as it is.
        precision: of weights, activations and gradients. Float32 is strict: no TF32, no bfloat16 passes.
        device: "cpu" or "gpu".

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
        """The framework's configuration that the twin's precision and device ask for."""
        return nullcontext()

    @classmethod
    @abstractmethod
    def build(cls, network: str, config: Config, *, seed: int | None = None, init: str = "default") -> Any:
        """Construct the framework's network of that class name; without a seed, for weights that are loaded later."""

    @classmethod
    @abstractmethod
    def draw(cls, network: str, config: Config, *, seeds: Sequence[int], init: str) -> Arrays:
        """Initial weights by the network's own constructor, one draw a seed: canonical name → (seeds, …)."""

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter and buffer by canonical name.

        Raises:
            UsageError: an array belongs to a layer kind that the weight map does not know.
        """

    @abstractmethod
    def weights(self) -> Arrays:
        """All parameters and buffers, canonical names and layouts; later changes of the network leave them alone."""

    def load(self, weights: Mapping[str, NDArray]) -> None:
        """Copy weights in.

        Raises:
            UsageError: the names or shapes are not those of the network, or a value is not finite.
        """
        self.require(weights)
        self._load(weights)

    def require(self, weights: Mapping[str, NDArray]) -> None:
        """Raise UsageError unless the weights have the names and shapes of the network and are finite."""
        require_bijection(weights, self.shapes())

    @abstractmethod
    def _load(self, weights: Mapping[str, NDArray]) -> None: ...

    @abstractmethod
    def forward(self, inputs: NDArray, *, training: bool) -> NDArray:
        """Logits, by the framework's ordinary way (jitted in JAX), with nothing captured."""

    @abstractmethod
    def trace(self, batch: Batch, cotangent: NDArray, *, training: bool) -> Trace:
        """One pass with every layer's output, loss and gradients captured."""

    @abstractmethod
    def isolate(self, probes: Mapping[str, Probe], *, training: bool) -> dict[str, Reading]:
        """Each call alone, on the given input and output cotangent."""

    @abstractmethod
    def state(self, batches: Sequence[Batch]) -> tuple[Arrays, NDArray]:
        """Buffers after a training-mode pass over each batch, then the logits of the last batch in evaluation mode."""

    @abstractmethod
    def update(
        self,
        optimizer: Optimizer,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        learning_rates: Sequence[float],
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone.

        Returns:
            after each step, "parameter.<name>" and "<moment>.<name>" for each of the optimizer's moments.
        """

    @abstractmethod
    def session(self, optimizer: Optimizer, *, brief: bool = False) -> "Session":
        """Begin a training run from the present weights; the twin stays as it is.

        Args:
            optimizer: the recipe's.
            brief: it will be a few steps: where that is a choice, compile fast rather than well.
        """

    def train(self, batches: Sequence[Batch], optimizer: Optimizer, learning_rates: Sequence[float]) -> Trajectory:
        """One training step a batch, from the present weights.

        Raises:
            ValueError: not one learning rate a batch.
        """
        session = self.session(optimizer, brief=True)
        losses, _ = session.advance(batches, learning_rates).fetch()
        return Trajectory(losses, session.state().weights)

    def watched(self, batches: Sequence[Batch], optimizer: Optimizer, learning_rates: Sequence[float]) -> WatchedRun:
        """One training step a batch on the twin's devices, from the present weights, each looked at.

        Raises:
            ValueError: not one learning rate a batch.
        """
        require_rates(len(batches), learning_rates)
        session = self.session(optimizer, brief=True)
        fed, losses, gradients, states = [], [], [], []
        for batch, rate in zip(batches, learning_rates, strict=True):
            fed.append(session.fed(batch))
            loss, reduced = session.observed(batch, rate)
            losses.append(loss)
            gradients.append(reduced)
            states.append(session.state().weights)
        return WatchedRun(
            fed=[[part.examples() for part in parts] for parts in fed],
            losses=np.array(losses),
            gradients=gradients,
            buffers=[buffers(weights) for weights in states],
            parameters=parameters(states[-1]),
        )

    @abstractmethod
    def receive(self, batch: Batch) -> Batch:
        """The batch as the framework holds it, read back."""

    def feed(self, stream: Stream, positions: Sequence[tuple[int, int]]) -> Iterator[Batch]:
        """What the framework receives of a stream at each (epoch, step)."""
        for epoch, step in positions:
            yield self.receive(stream.batch(epoch, step))
