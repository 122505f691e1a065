"""What the checks ask of a network of any framework."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.data import Batch, Inputs, Stream
from parity.interface.network import Network
from parity.interface.runs import require_rates
from parity.interface.session import Session
from parity.interface.trace import Arrays, Probe, Reading, Trace, Trajectory, WatchedRun
from parity.recipes import Optimizer
from parity.weights import buffers, parameters


class Twin(Network):
    """A network that can be looked into, trained, and compared with its twin of another framework.

    Every array that goes in or comes out is NumPy's, with canonical names; the network stays as it is.
    """

    @abstractmethod
    def forward(self, inputs: Inputs, *, training: bool) -> NDArray:
        """Logits (B, classes) of inputs (B, …), by the framework's ordinary way, with nothing captured.

        Flax's network is jitted; running statistics that a training pass would change stay as they are.
        """

    @abstractmethod
    def trace(self, batch: Batch, cotangent: NDArray, *, training: bool) -> Trace:
        """Run one pass with every layer's output, the loss and the gradients captured.

        Args:
            batch: inputs (B, …) and labels (B,).
            cotangent: what is pulled back from the logits, (B, classes).
            training: whether layers behave as they do in training.
        """

    @abstractmethod
    def isolate(self, probes: Mapping[str, Probe], *, training: bool) -> dict[str, Reading]:
        """Run each call alone, on its probe's input and output cotangent.

        Args:
            probes: Name of a call, as `Trace` has it → what it is fed.
            training: Whether layers behave as they do in training.

        Returns:
            What each call gave, by the same names.
        """

    @abstractmethod
    def state(self, batches: Sequence[Batch]) -> tuple[Arrays, NDArray]:
        """Run a training-mode pass over each batch, and one in evaluation mode over the last.

        Returns:
            the buffers after the training passes by canonical name, and the logits (B, classes) in evaluation mode.
        """

    @abstractmethod
    def update(
        self,
        optimizer: Optimizer,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        learning_rates: Sequence[float],
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone, without a network.

        Args:
            optimizer: the recipe's optimizer.
            parameters: what it starts from; any names and shapes will do.
            gradients: each step's gradients, by the names of the parameters.
            learning_rates: one learning rate a step.

        Returns:
            after each step, "parameter.<name>" and "<moment>.<name>" for each of the optimizer's moments.
        """

    @abstractmethod
    def session(self, optimizer: Optimizer, *, brief: bool = False) -> Session[Any]:
        """Begin a training run from the present weights; the twin stays as it is.

        Args:
            optimizer: the recipe's optimizer.
            brief: whether it will be a few steps: where that is a choice, compile fast rather than well.
        """

    def train(self, batches: Sequence[Batch], optimizer: Optimizer, learning_rates: Sequence[float]) -> Trajectory:
        """Take one training step a batch, from the present weights.

        Raises:
            ValueError: there is not one learning rate a batch.
        """
        session = self.session(optimizer, brief=True)
        losses, _ = session.advance(batches, learning_rates).fetch()
        return Trajectory(losses, session.state().weights)

    def watched(self, batches: Sequence[Batch], optimizer: Optimizer, learning_rates: Sequence[float]) -> WatchedRun:
        """Take one training step a batch on the twin's devices, from the present weights, and look at each step.

        Raises:
            ValueError: there is not one learning rate a batch.
        """
        require_rates(len(batches), learning_rates)
        session = self.session(optimizer, brief=True)
        parts, losses, gradients, states = [], [], [], []
        for batch, rate in zip(batches, learning_rates, strict=True):
            parts.append(session.fed(batch))
            loss, reduced = session.observed(batch, rate)
            losses.append(loss)
            gradients.append(reduced)
            states.append(session.state().weights)
        return WatchedRun(
            fed=[[part.examples() for part in batch] for batch in parts],
            losses=np.array(losses),
            gradients=gradients,
            buffers=[buffers(weights) for weights in states],
            parameters=parameters(states[-1]),
        )

    @abstractmethod
    def receive(self, batch: Batch) -> Batch:
        """The batch as the framework holds it on its device, read back."""

    def feed(self, stream: Stream, positions: Sequence[tuple[int, int]]) -> Iterator[Batch]:
        """What the framework receives of a stream at each position (epoch, step)."""
        for epoch, step in positions:
            yield self.receive(stream.batch(epoch, step))
