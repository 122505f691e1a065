"""What a backend hands to the checks: NumPy arrays by canonical name. No framework object crosses this joint."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from numpy.typing import NDArray

Arrays = dict[str, NDArray]


@dataclass(frozen=True)
class Gradients:
    """Pull-back of one cotangent of the logits.

    Args:
        parameters: by canonical name.
        input: of the network's input, images as NHWC.
        outputs: of every layer's output, by call.
    """

    parameters: Arrays
    input: NDArray
    outputs: Arrays


@dataclass(frozen=True)
class Trace:
    """One forward and backward pass seen from inside.

    A *call* is a module path ("features.0.conv"), with the number of the call where a module is called more than once
    ("hh[3]"); "" is the network itself. Calls stand in the order in which they ended. Four-dimensional activations
    are NHWC whatever the framework.

    Args:
        outputs, inputs: of every call.
        gradients: for the given cotangent of the logits.
        loss: scalar, of the given labels.
        training_gradients: of the loss, by canonical name, as the optimizer would get them; none in evaluation.
        buffers: running statistics after the pass.
    """

    outputs: Arrays
    inputs: Arrays
    gradients: Gradients
    loss: NDArray
    training_gradients: Arrays
    buffers: Arrays


@dataclass(frozen=True)
class Probe:
    """What one call alone is fed: its input and the cotangent of its output."""

    input: NDArray
    cotangent: NDArray


@dataclass(frozen=True)
class Reading:
    """What one call alone gives for a `Probe`; parameter gradients are those of the module's own parameters."""

    output: NDArray
    input_gradient: NDArray
    parameter_gradients: Arrays


@dataclass(frozen=True)
class Trajectory:
    """A training run: the loss before each step, (steps,), and the weights after the last."""

    losses: NDArray
    weights: Arrays


@dataclass(frozen=True)
class WatchedRun:
    """A training run, watched step by step.

    Args:
        fed: of each step, the digests of the examples that each device had.
        losses: before each step, (steps,).
        gradients: of each step, as the optimizer gets them, before clipping.
        buffers: after each step.
        parameters: after the last.
    """

    fed: Sequence[Sequence[Sequence[str]]]
    losses: NDArray
    gradients: Sequence[Arrays]
    buffers: Sequence[Arrays]
    parameters: Arrays


def call_names(paths: Sequence[str]) -> list[str]:
    """Name calls by their paths, numbering those of a module that is called more than once."""
    totals, seen = Counter(paths), Counter[str]()
    names = []
    for path in paths:
        names.append(f"{path}[{seen[path]}]" if totals[path] > 1 else path)
        seen[path] += 1
    return names


def call_path(call: str) -> str:
    """Module path of a call: "hh" of "hh[3]"."""
    return call.partition("[")[0]


Precision = Literal["float32", "float64"]
