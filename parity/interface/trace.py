"""What a backend hands to the checks: NumPy arrays by canonical name. No framework object crosses this joint."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from numpy.typing import NDArray

Arrays = dict[str, NDArray]
Precision = Literal["float32", "float64"]


@dataclass(frozen=True)
class Gradients:
    """What one cotangent of the logits is pulled back to.

    Args:
        parameters: the gradient of every parameter by canonical name, in its canonical layout.
        input: the gradient of the network's input, of its shape; images are NHWC. Empty where whole numbers come in.
        outputs: the gradient of every layer's output by call, of the output's shape.
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
        outputs, inputs: the output and the first input of every call.
        gradients: what the cotangent of the logits is pulled back to.
        loss: the mean loss of the batch's labels, a scalar array.
        training_gradients: the loss's gradients by canonical name, as the optimizer would get them; none in evaluation.
        buffers: the running statistics after the pass, by canonical name.
    """

    outputs: Arrays
    inputs: Arrays
    gradients: Gradients
    loss: NDArray
    training_gradients: Arrays
    buffers: Arrays


@dataclass(frozen=True)
class Probe:
    """What one call alone is fed: its input, and the cotangent of its output, of the output's shape."""

    input: NDArray
    cotangent: NDArray


@dataclass(frozen=True)
class Reading:
    """What one call alone gives for a `Probe`.

    Args:
        output: the call's output.
        input_gradient: the gradient of its input, of the input's shape; empty where whole numbers come in.
        parameter_gradients: the gradients of the module's own parameters by canonical name, not of modules inside it.
    """

    output: NDArray
    input_gradient: NDArray
    parameter_gradients: Arrays


@dataclass(frozen=True)
class Trajectory:
    """A training run: the mean loss before each step, (steps,), and the weights after the last by canonical name."""

    losses: NDArray
    weights: Arrays


@dataclass(frozen=True)
class WatchedRun:
    """A training run, watched step by step; arrays are by canonical name.

    Args:
        fed: the digests of the examples, by step, device and example.
        losses: the mean loss of the global batch before each step, (steps,).
        gradients: each step's gradients as the optimizer gets them, before clipping.
        buffers: the running statistics after each step.
        parameters: the parameters after the last step.
    """

    fed: Sequence[Sequence[Sequence[str]]]
    losses: NDArray
    gradients: Sequence[Arrays]
    buffers: Sequence[Arrays]
    parameters: Arrays


def call_names(paths: Sequence[str]) -> list[str]:
    """Name calls by their paths, numbering those of a module that is called more than once.

    Args:
        paths: Module paths in the order of the calls.

    Returns:
        A name for each, in that order: "hh[0]", "hh[1]" of two calls of "hh", and "fc" of the one of "fc".
    """
    totals, seen = Counter(paths), Counter[str]()
    names = []
    for path in paths:
        names.append(f"{path}[{seen[path]}]" if totals[path] > 1 else path)
        seen[path] += 1
    return names


def call_path(call: str) -> str:
    """Module path of a call: "hh" of "hh[3]"."""
    return call.partition("[")[0]


def spoken(name: str) -> str:
    """A layer or one of its calls as people say it: "layer 3" where its name is a number, "the network" for ""."""
    if not name:
        return "the network"
    return f"layer {name}" if re.fullmatch(r"\d+(\.\d+)*(\[\d+\])?", name) else name
