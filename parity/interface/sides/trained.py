"""How a side trains: whole steps of the network, the optimizer alone, and schedules."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from parity.interface.observation import Inputs
from parity.interface.programs.program import Program
from parity.interface.trace import Arrays, Precision, Trajectory


@dataclass(frozen=True, eq=False)
class Objective:
    """One side's loss, as the user wrote it for that framework.

    Args:
        loss: a function of what the network returns and the targets; it gives one number.
        targets: tree of NumPy arrays, which become the framework's: floating ones in the precision of the pass, whole
            numbers in PyTorch as int64, in Flax as int32, or int64 in a float64 pass.
        scale: the loss is multiplied by it.
    """

    loss: Callable[[Any, Any], Any]
    targets: Any = None
    scale: float = 1.0


class Trained(ABC):
    """A user's network as its side trains it, on copies."""

    framework: ClassVar[str]

    @abstractmethod
    def train(
        self,
        native: Mapping[str, NDArray],
        inputs: Sequence[Inputs],
        targets: Sequence[Arrays],
        optimizer: Any,
        objective: Objective | None = None,
    ) -> Trajectory:
        """Float64 training steps, one for each of the inputs.

        Args:
            native: The parameters and buffers to start from, by native name.
            inputs: What the network is called with in each step.
            targets: Arrays by the name of the output leaf, of its shape, for each step. The loss without an objective
                is the mean of the squared distances of the leaves from them.
            optimizer: Optax's transformation, or PyTorch's optimizer, or that with its scheduler, as for `update`.
            objective: The loss to train on; None takes the squared distances.

        Returns:
            The loss before each step, (steps,), and the weights after the last by native name.

        Raises:
            Exception: Whatever the network, the loss or the optimizer raises.
        """

    @abstractmethod
    def update(
        self,
        optimizer: Any,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        precision: Precision,
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone.

        Args:
            optimizer: optax's transformation; of PyTorch an optimizer over the network's parameters, whose class and
                settings are used, those of each group where the parameters are the network's own, else of the first; or
                it and its scheduler, which moves on after every step.
            parameters: What it starts from, by name.
            gradients: Each step's gradients, by the names of the parameters and of their shapes.
            precision: The floating type that all is computed in.

        Returns:
            The parameters after every step, by name.
        """

    @abstractmethod
    def rates(self, schedule: Any, steps: int, precision: Precision) -> NDArray:
        """Learning rates of the first so many steps.

        Args:
            schedule: Optax's schedule, a function of the step from 0, or PyTorch's scheduler.
            steps: The number of steps.
            precision: The type of the rates. Optax's schedule computes in it; PyTorch's scheduler always in float64.

        Returns:
            The rates, floating (steps,).
        """

    def schedule_program(self, schedule: Any, steps: int) -> Program:
        """The learning rates of the first so many steps, operation by operation: one result, "", of the counts.

        Raises:
            NotImplementedError: The framework's schedules have no operations.
        """
        raise NotImplementedError(f"{self.framework}'s schedules have no operations")

    def written(self, optimizer: Any, parameters: Mapping[str, NDArray]) -> Sequence[float]:
        """The numbers that are written in an optimizer: in its first state, and in one step with these parameters.

        Args:
            optimizer: Optax's transformation.
            parameters: Arrays by native name, of which the shapes and dtypes count.

        Raises:
            NotImplementedError: The framework's optimizers have settings, which can be read.
        """
        raise NotImplementedError(f"{self.framework}'s optimizers have settings")
