"""Gradients of one pass over a user's PyTorch network."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from parity.backends.torch.inputs import Tensors
from parity.backends.torch.tracing.tape import array_of
from parity.interface.trace import Arrays

End = tuple[torch.Tensor, torch.Tensor]
"""What is differentiated, and its cotangent."""


class Gradients:
    """The pull-back of cotangents to tensors, each of which is known by its identity.

    Args:
        ends: what is differentiated, each with its cotangent; what has no path to it counts for nothing.
        sources: the tensors that are pulled back to.
    """

    def __init__(self, ends: Sequence[End], sources: Sequence[torch.Tensor]) -> None:
        ends = [(end, cotangent) for end, cotangent in ends if end.requires_grad]
        tensors, cotangents = [end for end, _ in ends], [cotangent for _, cotangent in ends]
        gradients = torch.autograd.grad(tensors, sources, cotangents, allow_unused=True) if ends else ()
        pairs = zip(sources, gradients, strict=True) if ends else ()
        self.by_identity = {id(source): gradient for source, gradient in pairs if gradient is not None}

    def of(self, sources: Mapping[str, torch.Tensor]) -> Arrays:
        """The gradients of named tensors, zeros where there is no path to a cotangent."""
        pulled = self.by_identity
        return {n: array_of(pulled[id(t)]) if id(t) in pulled else np.zeros(t.shape) for n, t in sources.items()}


def ends_of(outputs: Tensors, loss: torch.Tensor | None, cotangents: Mapping[str, NDArray]) -> Iterator[End]:
    """What is differentiated, with its cotangent: the loss, or the outputs."""
    if loss is not None:
        yield loss, torch.ones_like(loss)
        return
    yield from ((outputs[name], _like(c, outputs[name])) for name, c in cotangents.items())


def _like(array: NDArray, tensor: torch.Tensor) -> torch.Tensor:
    return torch.tensor(array, dtype=tensor.dtype, device=tensor.device)
