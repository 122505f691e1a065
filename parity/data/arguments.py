"""Checks of arguments that several loaders take, and the random streams keyed by them."""

import operator
import zlib
from importlib.util import find_spec

import numpy as np

from parity.errors import UsageError

SEED_LIMIT = 2**32  # scikit-learn takes no larger seed
PACKAGES = {"sklearn": ("scikit-learn", "study"), "PIL": ("Pillow", "study"), "gymnasium": ("gymnasium", "rl")}
"""Packages that only some data sets need: the module's name → the package's, and the extra that brings it."""


def integer(what: str, value: int, *, least: int, below: int | None = None) -> int:
    """The value as a Python integer, if it is one in `least` ≤ value < `below`.

    Raises:
        UsageError: it is not; the message calls the argument `what`.
    """
    expected = f"an integer of at least {least}" if below is None else f"an integer from {least} to {below - 1}"
    try:
        number = operator.index(value)
    except TypeError:
        raise UsageError(f"{what} is {value!r}; give {expected}") from None
    if number < least or (below is not None and number >= below):
        raise UsageError(f"{what} is {number}; give {expected}")
    return number


def generator(*keys: str | int) -> np.random.Generator:
    """A random stream of its own for each sequence of keys, the same on every machine and in every process.

    Strings enter as their CRC-32: Python's own hash differs from process to process.

    Raises:
        UsageError: an integer key is negative.
    """
    words = [zlib.crc32(key.encode()) if isinstance(key, str) else integer("key", key, least=0) for key in keys]
    return np.random.default_rng(np.random.SeedSequence(words))


def require_package(module: str, what: str) -> None:
    """See that a package is installed that only some data sets need.

    Args:
        module: "sklearn", "PIL" or "gymnasium".
        what: What needs it, in words.

    Raises:
        UsageError: It is not.
    """
    if find_spec(module) is None:
        package, extra = PACKAGES[module]
        raise UsageError(f"{what} needs {package}, which is not installed; pip install 'netparity[{extra}]'")
