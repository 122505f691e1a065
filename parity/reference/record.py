"""The records of a forward and of a backward pass of a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from parity.reference.layers import Array


@dataclass
class Run:
    """One forward pass: float64 arrays by call, in the order in which the calls completed.

    A call is named by its module's path, `path[0]`, `path[1]`, … for a module called several times, and ""
    for the whole network.
    """

    weights: Mapping[str, Array]
    training: bool
    outputs: dict[str, Array] = field(default_factory=dict)
    inputs: dict[str, Array] = field(default_factory=dict)
    buffers: dict[str, Array] = field(default_factory=dict)
    cache: dict[str, Any] = field(default_factory=dict)

    @property
    def logits(self) -> Array:
        """The network's output."""
        return self.outputs[""]

    def record(self, call: str, inputs: Array, output: Array, cache: Any) -> Array:
        """Keep a completed call, and return the output that the network goes on with."""
        self.outputs[call] = output
        self.inputs[call] = inputs
        self.cache[call] = cache
        return output


@dataclass
class Gradients:
    """Gradients of `sum(logits * cotangent)`, all float64.

    Attributes:
        parameters: gradients with respect to the parameters, by canonical name.
        input: gradient with respect to the network's input; empty if whole numbers come in.
        outputs: gradients with respect to the calls' outputs, by call.
    """

    parameters: dict[str, Array]
    input: Array
    outputs: dict[str, Array]
