"""Lines of text of which some bytes are hidden, which are to be told from those that are left."""

import numpy as np

from parity.data.arguments import generator, integer
from parity.data.batch import UNLABELLED, Batch
from parity.data.sources import Key, Order
from parity.data.text.lines import PADDING, padded_lines

MASK = 1
"""Byte that stands for a hidden one; the documentation has none of it."""
SHARE, SHOWN_AS_MASK, SHOWN_AS_OTHER = 0.15, 0.8, 0.1
"""Share of the bytes that are asked for; of these the shares that are hidden by `MASK`, and by any other byte."""


class MaskedLines:
    """The lines of a split, of each of which 15 % of the bytes, and one at least, are asked for.

    Of the bytes that are asked for 80 % are shown as `MASK`, 10 % as any byte, and the others as they are; they are
    drawn anew for each epoch, and once for evaluation. Source: https://arxiv.org/abs/1810.04805 with, for the epochs,
    https://arxiv.org/abs/1907.11692.

    Args:
        split: "train" or "test".
        length: T, bytes of a line with the line ends before and after it, at least 3.

    Raises:
        UsageError: the length does not fit.
    """

    def __init__(self, split: str, length: int | None) -> None:
        length = integer("length of the text", length, least=3)  # type: ignore[arg-type] # None gives the same error
        self._rows = padded_lines(split, length - 1)
        self.size = len(self._rows)
        self._order = Order(self.size, shuffle=split == "train")
        self._masked: dict[Key, Batch] = {}

    def train(self, key: Key, start: int, stop: int) -> Batch:
        """Lines `start` to `stop` of the epoch named by `key`."""
        return self._take(key, self._order.of(key)[start:stop])

    def evaluate(self, start: int, stop: int) -> Batch:
        """Lines `start` to `stop` in their own order; the same bytes are hidden each time."""
        return self._take(("evaluation",), np.arange(start, stop))

    def _take(self, key: Key, indices: np.ndarray) -> Batch:
        """Inputs int64 (B, T), and labels int64 (B, T), which are −100 where nothing is asked."""
        if key not in self._masked:
            self._masked = {key: masked(self._rows, generator(*key, "masks"))}
        whole = self._masked[key]
        return Batch(whole.inputs[indices], whole.labels[indices])


def masked(rows: np.ndarray, rng: np.random.Generator) -> Batch:
    """Rows (N, T) of bytes, padded, with some of them hidden; the labels are those that were asked for, and −100.

    Neither padding nor a row's first byte, a line end, is ever asked for.
    """
    chance = np.where(rows == PADDING, 1.0, rng.random(rows.shape))
    chance[:, 0] = 1.0
    asked = (chance < SHARE) | (chance == chance.min(axis=1, keepdims=True))
    how, other = rng.random(rows.shape), rng.integers(MASK + 1, 256, rows.shape)
    shown = np.where(how < SHOWN_AS_MASK, MASK, np.where(how < SHOWN_AS_MASK + SHOWN_AS_OTHER, other, rows))
    return Batch(np.where(asked, shown, rows), np.where(asked, rows, UNLABELLED))
