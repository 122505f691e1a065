"""Palindromes of decimal digits, as docs/the-study.md, part III, has them."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import integer
from parity.data.batch import Batch
from parity.errors import unknown_name

Encoding = Literal["digits", "one-hot"]

DIGITS = 10
ENCODINGS: tuple[Encoding, ...] = ("digits", "one-hot")
TEST_SAMPLES = 2000  # the study does not say how many unseen palindromes it measured on; ours


def palindromes(count: int, length: int, rng: np.random.Generator, *, encoding: Encoding = "digits") -> Batch:
    """Draw palindromes, each of the 10^⌈T/2⌉ equally likely.

    The first ⌈T/2⌉ digits are drawn independently and mirrored.

    Args:
        count: B, at least 1.
        length: T, at least 2.
        rng: source of the digits, which do not depend on the encoding.
        encoding: form of the inputs: "digits" is the study's, "one-hot" ours.

    Returns:
        Inputs float32, the first T-1 digits: as numbers 0 to 9, (B, T-1, 1), or as rows with a single 1, (B, T-1, 10);
        labels int64 (B,), the last digit, which equals the first.

    Raises:
        UsageError: the count is below 1, the length is below 2, or the encoding is unknown.
    """
    count = integer("number of palindromes", count, least=1)
    length, encoding = check_length(length), check_encoding(encoding)
    half = rng.integers(DIGITS, size=(count, (length + 1) // 2))
    digits: NDArray[np.int64] = np.concatenate([half, half[:, : length // 2][:, ::-1]], axis=1)
    beginning = digits[:, :-1]
    inputs = beginning[..., None] if encoding == "digits" else beginning[..., None] == np.arange(DIGITS)
    return Batch(inputs.astype(np.float32), digits[:, -1].copy())


def check_length(length: int | None) -> int:
    """The length, if a palindrome has it.

    Raises:
        UsageError: it is None, or below 2.
    """
    return integer("length of the palindromes", length, least=2)  # type: ignore[arg-type]  # None gives the same error


def check_encoding(encoding: str | None) -> Encoding:
    """The encoding, if there is one of that name; "digits" if none is given.

    Raises:
        UsageError: there is none; the message lists the known ones.
    """
    for known in ENCODINGS:
        if known == encoding or encoding is None:
            return known
    raise unknown_name("encoding of palindromes", str(encoding), ENCODINGS)
