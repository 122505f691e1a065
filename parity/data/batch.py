"""One batch of any data set."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNLABELLED = -100
"""Label of a position of which nothing is asked, as PyTorch's cross-entropy has it."""
Inputs = NDArray[Any] | tuple[NDArray[Any], ...]
"""What a network is called with: an array, or one array for each of its arguments."""


def as_arguments(inputs: Inputs) -> tuple[NDArray[Any], ...]:
    """The arguments that a network is called with, one after the other."""
    return inputs if isinstance(inputs, tuple) else (inputs,)


@dataclass(frozen=True)
class Batch:
    """Inputs and the labels they should get.

    Attributes:
        inputs: float32; images (B, H, W, C), points (B, 2), sequences (B, T-1, 1), graphs (B, N, F + K): a node's
            features, and the numbers of the nodes that it hears. Text is int64, bytes (B, T). A tuple where
            a network takes several: noised images, steps int64 (B,), and classes int64 (B,).
        labels: int64 (B,), class indices from 0; of text (B, T), the next byte of each; −100 is a position of which
            nothing is asked. Float32 where numbers are to be predicted, such as the noise of images (B, H, W, C). Of
            the steps of an agent float32 (B, 5), see `parity.data.rollouts.collect`.
    """

    inputs: Any
    labels: NDArray[Any]

    @property
    def arguments(self) -> tuple[NDArray[Any], ...]:
        """The inputs, one after the other."""
        return as_arguments(self.inputs)

    def part(self, index: Any) -> "Batch":
        """Some of the examples: a slice, or their numbers."""
        parts = tuple(array[index] for array in self.arguments)
        return Batch(parts if isinstance(self.inputs, tuple) else parts[0], self.labels[index])

    @property
    def count(self) -> int:
        """Number of labels that ask for something."""
        return self.labels.size if self.labels.dtype.kind == "f" else int((self.labels != UNLABELLED).sum())

    def digest(self) -> str:
        """SHA-256 in hexadecimal over dtype, shape and C-order bytes of inputs and labels.

        Two batches have the same digest only if they are the same bytes read in the same way.
        """
        total = hashlib.sha256()
        for array in (*self.arguments, self.labels):
            total.update(f"{array.dtype.str}{array.shape}".encode())
            total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()

    def examples(self) -> list[str]:
        """The digest of each example with its label as a batch of one, in the batch's order."""
        return [self.part(slice(i, i + 1)).digest() for i in range(len(self.labels))]
