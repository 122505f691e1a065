"""Lines of text, each a sequence of its own, of different lengths in one batch."""

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import integer
from parity.data.batch import UNLABELLED, Batch
from parity.data.text.documentation import TEST_SHARE, python_docs
from parity.errors import UsageError

PADDING = 0
"""Byte that fills a line up at its end; the documentation has none of it."""
END = 10
"""Byte that ends a line, and that stands before its first byte."""


def padded_lines(split: str, length: int | None) -> NDArray[np.int64]:
    """The lines of Python's documentation that fit, without blanks at their ends, each between two line ends.

    Args:
        split: "train", or "test", which is the last tenth of the lines.
        length: T; a line fits if it has at most T - 1 bytes. There are 8,539 that fit 80 in Python 3.11.7.

    Returns:
        int64 (N, T + 1), filled up with `PADDING`.

    Raises:
        UsageError: the length is below 2, or no line is as short.
    """
    length = integer("length of the text", length, least=2)  # type: ignore[arg-type] # None gives the same error
    lines = [line.strip() for line in bytes(python_docs().astype(np.uint8)).split(b"\n")]
    lines = [line for line in lines if 0 < len(line) < length]
    cut = len(lines) - len(lines) // TEST_SHARE
    part = lines[:cut] if split == "train" else lines[cut:]
    if not part:
        raise UsageError(f"length of the text is {length}; in split {split!r} no line is as short: give more")
    rows = [b"\n" + line + b"\n" for line in part]
    return np.stack([np.frombuffer(row.ljust(length + 1, b"\0"), np.uint8) for row in rows]).astype(np.int64)


def lines(split: str, length: int | None) -> Batch:
    """The lines of a split, of which each byte is to be told from those before it.

    Args:
        split: "train" or "test".
        length: T, as `padded_lines` takes it.

    Returns:
        Inputs int64 (N, T), which begin with a line end and are filled up with `PADDING`; and as labels int64 (N, T)
        the byte that comes after each, the last of which is a line end, and −100 where the input is padding.

    Raises:
        UsageError: the length does not fit.
    """
    rows = padded_lines(split, length)
    inputs, labels = rows[:, :-1].copy(), rows[:, 1:].copy()
    inputs[labels == PADDING] = PADDING  # the line end is asked for, and not shown
    labels[labels == PADDING] = UNLABELLED
    return Batch(inputs, labels)
