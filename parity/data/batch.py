"""One batch of any data set."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Batch:
    """Inputs and the labels they should get.

    Attributes:
        inputs: float32; images (B, H, W, C), points (B, 2), sequences (B, T-1, 1), graphs (B, N, F + K):
            a node's features, and the numbers of the nodes that it hears. Text is int64, bytes (B, T).
        labels: int64 (B,), class indices from 0; of text (B, T), the next byte of each. Of the steps of an
            agent float32 (B, 5), see `parity.data.rollouts.collect`.
    """

    inputs: NDArray[Any]
    labels: NDArray[Any]

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
