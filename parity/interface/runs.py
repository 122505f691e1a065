"""What goes into a training run and comes out of it, in no framework's form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from numpy.typing import NDArray

from parity.interface.trace import Arrays


def require_rates(steps: int, learning_rates: Sequence[float]) -> None:
    """Raise unless there is one learning rate a step.

    Raises:
        ValueError: There are more, or fewer.
    """
    if len(learning_rates) != steps:
        raise ValueError(f"got {len(learning_rates)} learning rates for {steps} steps; give one a step")


@dataclass(frozen=True)
class TrainingState:
    """All that a training run goes on from, in no framework's form.

    Args:
        weights: parameters and buffers by canonical name, in canonical layouts, at the network's precision.
        moments: PyTorch's name of the optimizer's moment ("exp_avg") → canonical name of the parameter → array of the
            parameter's shape.
        step: the number of optimizer steps so far.
    """

    weights: Arrays
    moments: dict[str, Arrays]
    step: int


@dataclass(frozen=True)
class Steps:
    """What some training steps gave, still on the device until it is asked for.

    Args:
        samples: the number of examples in each step.
        fetch: waits for the device, and gives the mean loss of each step, floating (steps,), and how many of its
            predictions were correct, integer (steps,).
    """

    samples: Sequence[int]
    fetch: Callable[[], tuple[NDArray, NDArray]]


@dataclass(frozen=True)
class Score:
    """Mean loss and share of correct predictions, from 0 to 1, over some examples that each count once."""

    loss: float
    accuracy: float
    samples: int
