"""Palindromes of decimal digits (STUDY part III)."""

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import integer
from parity.data.batch import Batch

DIGITS = 10
TEST_SAMPLES = 2000  # the study does not say how many unseen palindromes it measured on; ours


def palindromes(count: int, length: int, rng: np.random.Generator) -> Batch:
    """Draw palindromes, each of the 10^⌈T/2⌉ equally likely.

    The first ⌈T/2⌉ digits are drawn independently and mirrored.

    Args:
        count: B, at least 1.
        length: T, at least 2.
        rng: where the digits come from.

    Returns:
        Inputs float32 (B, T-1, 1), the first T-1 digits as numbers 0 to 9; labels int64 (B,), the last digit, which
        equals the first.

    Raises:
        UsageError: a count below 1 or a length below 2.
    """
    count = integer("number of palindromes", count, least=1)
    length = check_length(length)
    half = rng.integers(DIGITS, size=(count, (length + 1) // 2))
    digits: NDArray[np.int64] = np.concatenate([half, half[:, : length // 2][:, ::-1]], axis=1)
    return Batch(digits[:, :-1, None].astype(np.float32), digits[:, -1].copy())


def check_length(length: int | None) -> int:
    """The length, if a palindrome has it.

    Raises:
        UsageError: none given, or below 2.
    """
    return integer("length of the palindromes", length, least=2)  # type: ignore[arg-type]  # None gives the same error
