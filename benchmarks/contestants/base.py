"""The interface of the contestants; a process runs one of them, once."""

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
        workload: the workload, which has network, optimizer and batch size.
        precision: precision of products; "float64" makes the same program in float64, for the gate.
        device: "cpu", "gpu" or "tpu".

    Raises:
        UsageError: the device or the precision is not available.
    """

    framework: ClassVar[str]
    block_seconds: ClassVar[float] = 0.0
    """Least seconds of a timed block, where a call of `train` or `infer` has a fixed cost beside its steps."""

    def __init__(self, workload: Workload, precision: Precision, device: str) -> None:
        self.workload = workload
        self.recipe = workload.recipe
        self.precision = precision
        self.device = device
        self.steps_per_call = 1
        """Number of training steps that one call of its program takes; known after `begin`."""

    @property
    def width(self) -> Literal["float32", "float64"]:
        """The dtype of weights and inputs, whatever the precision of products."""
        return "float64" if self.precision == "float64" else "float32"

    @abstractmethod
    def begin(self, weights: Arrays, batches: Sequence[Batch]) -> None:
        """Build network and optimizer from canonical weights. Training goes through the batches round and round."""

    @abstractmethod
    def train(self, steps: int) -> float:
        """Take `steps` training steps, bring their batches to the device, and return when all their results are there.

        Returns:
            The mean loss of these steps, each before its update.
        """

    @abstractmethod
    def infer(self, steps: int) -> None:
        """Make `steps` passes in evaluation mode, with their batches brought to the device; wait for all logits."""

    @abstractmethod
    def weights(self) -> Arrays:
        """Parameters and buffers by canonical name, in canonical layouts."""

    @abstractmethod
    def logits(self, inputs: NDArray) -> NDArray:
        """Logits (B, classes) of channels-last inputs in evaluation mode, by the program that `infer` runs."""

    def pipeline(self) -> Iterator[object]:
        """Yield training batches without end, as the contestant's own data pipeline makes them ready."""
        return self.workload.stream().iterate()

    def compiling(self) -> dict[str, float]:
        """Seconds of "trace" and "compile" so far; empty where the framework does not tell them."""
        return {}

    @abstractmethod
    def programs(self) -> int:
        """The number of programs compiled so far, which steady steps must not raise; 0 where nothing is compiled."""
