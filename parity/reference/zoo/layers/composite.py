"""The base class of a module that is made of other modules."""

from collections.abc import Iterator
from typing import Any

from parity.reference.layers import Array
from parity.reference.modules import Module, Shapes
from parity.reference.record import Gradients, Run


class Composite(Module):
    """A module that holds others. A subclass writes `forward` and `backward`.

    Args:
        path: the module's place in the network.
        *parts: the modules inside, in the order of their first call.
    """

    def __init__(self, path: str, *parts: Module) -> None:
        super().__init__(path)
        self.parts = parts

    def walk(self) -> Iterator[Module]:
        """Yield the modules inside, then this one."""
        for part in self.parts:
            yield from part.walk()
        yield self

    def shapes(self) -> Shapes:
        """Map the canonical names of all weights inside to their shapes."""
        return {name: shape for part in self.parts for name, shape in part.shapes().items()}


def call(module: Module, run: Run, inputs: Any) -> Array:
    """Run a module that is called once, under its path, on floating or whole numbers."""
    return module.forward(run, module.path, inputs)


def back(module: Module, run: Run, gradients: Gradients, cotangent: Array) -> Array:
    """Run a module that was called once backward; return the gradient of its inputs."""
    return module.backward(run, gradients, module.path, cotangent)
