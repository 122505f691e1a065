"""One batch of any data set."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNLABELLED = -100
"""Label of a position of which nothing is asked, as PyTorch's cross-entropy has it."""


@dataclass(frozen=True)
class Batch:
    """Inputs and the labels they should get.

    Attributes:
        inputs: float32; images (B, H, W, C), points (B, 2), sequences (B, T-1, 1). Text is int64, bytes (B, T).
        labels: int64 (B,), class indices from 0; of text (B, T), the next byte of each. −100 is a position of which
            nothing is asked.
    """

    inputs: NDArray[Any]
    labels: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of labels that ask for something."""
        return int((self.labels != UNLABELLED).sum())

    def digest(self) -> str:
        """SHA-256 in hexadecimal over dtype, shape and C-order bytes of inputs and labels.

        Two batches have the same digest only if they are the same bytes read in the same way.
        """
        total = hashlib.sha256()
        for array in (self.inputs, self.labels):
            total.update(f"{array.dtype.str}{array.shape}".encode())
            total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()

    def examples(self) -> list[str]:
        """The digest of each example with its label as a batch of one, in the batch's order."""
        return [Batch(self.inputs[i : i + 1], self.labels[i : i + 1]).digest() for i in range(len(self.labels))]
