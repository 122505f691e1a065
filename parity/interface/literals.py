"""The numbers that people wrote, read back from what a narrower floating type made of them."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

LONGEST = 17
"""Decimal digits that tell any float64 from any other."""
TYPED = 6
"""Decimal digits of numbers that people type; any such number survives float32."""
COMPUTED = 12
"""So many decimal digits has a float64 number that nobody typed."""
SINGLE = 4
"""Bytes of a float32 number."""
DENOMINATOR = 64
CONSTANTS = (1.0, np.pi, 1 / np.pi, np.log(2.0), 1 / np.log(2.0), np.log(10.0), np.log(2 * np.pi), np.e)
"""Whose multiples by fractions, and the roots of these, formulas round."""
OF_GELU = (np.sqrt(1 / 2), np.sqrt(2 / np.pi))
"""Which JAX's GELU rounds to the type of its input, where nothing is told of it; in half precision, decimals as short
as 0.707 are rounded to the same."""


def as_written(number: float, dtype: np.dtype) -> float:
    """The number that was rounded to this one, as far as that can be told.

    Args:
        number: a number of the type `dtype`, held in float64.
        dtype: any floating type, those of `ml_dtypes` too.

    Returns:
        The number itself where it has few binary digits (0.375, or the epsilon of a type): it was never rounded. Else
        the one with the fewest decimal digits that is rounded to it, where these are so few that somebody typed them;
        else a fraction, a root, or a multiple of a named constant that is rounded to it; else the decimal again. Of a
        type narrower than float32, a constant of GELU's comes before the decimal.
    """
    if not np.isfinite(number) or _few_bits(number, dtype):
        return number

    def rounded(candidate: float) -> bool:
        with np.errstate(over="ignore"):
            return float(np.asarray(candidate).astype(dtype)) == number

    decimals = (float(f"{number:.{digits}g}") for digits in range(1, LONGEST))
    places, decimal = next(((n, c) for n, c in enumerate(decimals, 1) if rounded(c)), (LONGEST, number))
    if dtype.itemsize < SINGLE:
        return next((float(constant) for constant in OF_GELU if rounded(constant)), decimal)
    if places <= TYPED:
        return decimal
    return next(filter(rounded, _closed_forms(number)), decimal)


def as_computed(number: float) -> float:
    """A number of Python's that float32 rounded before, `torch.log(torch.tensor(2.0)).item()` for example, as
    `as_written` reads it; any other as it is.

    Nobody types the many digits that such a number has.
    """
    digits = repr(number).partition("e")[0].replace(".", "").strip("-0")
    with np.errstate(over="ignore"):
        was_single = len(digits) >= COMPUTED and float(np.float32(number)) == number
    return as_written(number, np.dtype(np.float32)) if was_single else number


def _closed_forms(number: float) -> Iterator[float]:
    """Numbers near this one that a formula gives."""
    sign, size = np.copysign(1.0, number), abs(number)
    for constant in CONSTANTS:
        yield float(sign * constant * _fraction(size / constant))
        yield float(sign * np.sqrt(constant * _fraction(size * size / constant)))


def _fraction(number: float) -> float:
    """The nearest one with a small denominator, or its inverse's."""
    small, large = Fraction(number).limit_denominator(DENOMINATOR), Fraction(1 / number).limit_denominator(DENOMINATOR)
    return float(small) if number >= 1 else float(1 / large) if large else 0.0


def _few_bits(number: float, dtype: np.dtype) -> bool:
    """Whether half the binary digits of the type are enough."""
    bits = {2: 4, 4: 12}.get(dtype.itemsize, 3)
    return float(np.ldexp(np.frexp(number)[0], bits)).is_integer()


def table_as_written(array: NDArray) -> NDArray:
    """A float32 table in float64: as its decimals where all of its numbers are ones that people type, else as it is.

    Args:
        array: A table of any shape. One that is not float32, or has numbers that are not finite, is only cast.

    Returns:
        Float64 numbers of the array's shape, as people typed them; each is rounded to the very float32 number that it
        came from.
    """
    exact = array.astype(np.float64)
    if array.dtype != np.float32 or not array.size or not np.all(np.isfinite(array)):
        return exact
    if array.size == 1:
        return np.full(array.shape, as_written(exact.item(), array.dtype))
    if not np.array_equal(_rounded(exact.ravel()[:64]).astype(np.float32), array.ravel()[:64]):
        return exact
    decimal = _rounded(exact)
    return decimal if np.array_equal(decimal.astype(np.float32), array) else exact


def _rounded(exact: NDArray) -> NDArray:
    """To the digits of a typed number, each correctly rounded, as the division of two exact numbers is."""
    with np.errstate(divide="ignore"):
        power = TYPED - 1 - np.floor(np.log10(np.abs(exact)))
    power = np.where(np.isfinite(power), np.clip(power, -22, 22), 0.0)
    up, down = 10.0 ** np.maximum(power, 0), 10.0 ** np.maximum(-power, 0)
    return np.round(exact * up / down) * down / up
