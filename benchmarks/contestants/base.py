"""What every way to train a workload can do; a process runs one of them, once."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from numpy.typing import NDArray

from benchmarks.contestants.workload import Precision, Workload
from parity.data import Batch
from parity.interface.trace import Arrays


class Contestant(ABC):
    """One way to train and to apply a workload's network, in a process of its own.

    The process's configuration (float64, precision of products, threads) is the contestant's to set when it is made.

    Args:
        workload: network, optimizer and batch size.
        precision: of products; "float64" makes the same program in float64, for the gate.
        device: "cpu", "gpu" or "tpu".

    Raises:
        UsageError: the device or the precision is not to be had.
    """

    framework: ClassVar[str]
    block_seconds: ClassVar[float] = 0.0
    """Least length of a timed block, where a call of `train` or `infer` has a fixed cost beside its steps."""

    def __init__(self, workload: Workload, precision: Precision, device: str) -> None:
        self.workload = workload
        self.recipe = workload.recipe
        self.precision = precision
        self.device = device
        self.steps_per_call = 1
        """Training steps that one call of its program takes; known after `begin`."""

    @property
    def width(self) -> Literal["float32", "float64"]:
        """Of weights and inputs, whatever the precision of products."""
        return "float64" if self.precision == "float64" else "float32"

    @abstractmethod
    def begin(self, weights: Arrays, batches: Sequence[Batch]) -> None:
        """Build network and optimizer from canonical weights. Training goes through the batches round and round."""

    @abstractmethod
    def train(self, steps: int) -> float:
        """So many training steps, their batches brought to the device; returns when all that they changed is there.

        Returns:
            mean loss of these steps, each before its update.
        """

    @abstractmethod
    def infer(self, steps: int) -> None:
        """So many passes in evaluation mode, batches brought to the device; returns when all logits are there."""

    @abstractmethod
    def weights(self) -> Arrays:
        """Parameters and buffers by canonical name, in canonical layouts."""

    @abstractmethod
    def logits(self, inputs: NDArray) -> NDArray:
        """Logits in evaluation mode, by the program that `infer` runs."""

    def pipeline(self) -> Iterator[object]:
        """Training batches as its own data pipeline makes them ready, without end; the network is left alone."""
        return self.workload.stream().iterate()

    def compiling(self) -> dict[str, float]:
        """Seconds that it has traced and compiled so far, where its framework tells them."""
        return {}

    @abstractmethod
    def programs(self) -> int:
        """Programs compiled so far; steady steps must not add to them. 0 where nothing is compiled."""
