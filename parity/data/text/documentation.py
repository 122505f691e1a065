"""Text, byte by byte: Python's own documentation, which comes with it and needs no download."""

from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import integer
from parity.data.batch import Batch
from parity.errors import UsageError

BYTES = 256
SPLITS = ("train", "test")
TEST_SHARE = 10
"""One byte in so many, those at the end, is for the test; ours."""


def python_docs() -> NDArray[np.int64]:
    """The topics of `help()` in alphabetical order, bytes 0 to 255, int64 (N,); 466,195 of them in Python 3.11.7.

    They are the chapters of the language reference, and differ a little from one version of Python to the next.

    Raises:
        UsageError: this Python came without them.
    """
    try:
        topics = import_module("pydoc_data.topics").topics
    except ImportError as error:
        raise UsageError("this Python lacks pydoc_data, its documentation; install its whole library") from error
    text = "\n".join(topics[name] for name in sorted(topics))
    return np.frombuffer(text.encode(), np.uint8).astype(np.int64)


def windows(split: str, length: int | None) -> Batch:
    """The windows of a split, which follow each other; what is left at the end is left out.

    Args:
        split: "train" or "test".
        length: bytes T of a window.

    Returns:
        Inputs int64 (N, T), and as labels int64 (N, T) the byte that comes after each.

    Raises:
        UsageError: the length is below 1 or more than the split has.
    """
    text = python_docs()
    cut = len(text) - len(text) // TEST_SHARE
    part = text[:cut] if split == "train" else text[cut:]
    length = integer("length of the text", length, least=1, below=len(part))  # type: ignore[arg-type] # None gives an error
    count = (len(part) - 1) // length
    inputs, labels = (part[start : start + count * length].reshape(count, length) for start in (0, 1))
    return Batch(inputs, labels)
