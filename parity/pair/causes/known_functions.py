"""How two arrays that should be the same are related, and which function one array is of another: clues to a cause."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import AGREED

Function = Callable[[NDArray], NDArray]

NOTHING = "nothing"


def _leaky(slope: float) -> Function:
    return lambda x: np.where(x > 0, x, slope * x)


@cache
def functions() -> Mapping[str, Function]:
    """The elementwise functions between layers, as both frameworks document them, by name; float64 arrays to arrays of
    the same shape. SciPy is loaded here, as few checks come to ask for a function."""
    from scipy import special

    return {
        NOTHING: lambda x: x,
        "ReLU": lambda x: np.maximum(x, 0),
        "ReLU6": lambda x: np.clip(x, 0, 6),
        "leaky ReLU (slope 0.01)": _leaky(0.01),
        "leaky ReLU (slope 0.2)": _leaky(0.2),
        "ELU": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        "SELU": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))),
        "GELU (exact)": lambda x: x * special.ndtr(x),
        "GELU (tanh form)": lambda x: 0.5 * x * (1 + np.tanh(sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        "GELU (x·σ(1.702·x))": lambda x: x * special.expit(1.702 * x),
        "SiLU": lambda x: x * special.expit(x),
        "Mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
        "softplus": lambda x: np.logaddexp(0, x),
        "softsign": lambda x: x / (1 + np.abs(x)),
        "tanh": np.tanh,
        "sigmoid": special.expit,
        "log-sigmoid": special.log_expit,
        "hard sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
        "hard swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
        "hard tanh": lambda x: np.clip(x, -1, 1),
        "square": np.square,
        "exp": np.exp,
        "1 - x": lambda x: 1 - x,
    }


@cache
def functions_along() -> Mapping[str, Callable[..., NDArray]]:
    """The functions along an axis, which they take as `axis`, by name."""
    from scipy import special

    return {"softmax": special.softmax, "log-softmax": special.log_softmax}


def applied(x: NDArray, y: NDArray) -> str:
    """Name of the function that gives y of x, "" if it is none that is known.

    Args:
        x, y: float64 arrays.
    """
    if x.shape != y.shape or not y.size:
        return ""
    with np.errstate(all="ignore"):
        return next((name for name, value in _values(x) if _close(value, y)), "")


def _values(x: NDArray) -> Iterator[tuple[str, NDArray]]:
    for name, function in functions().items():
        yield name, function(x)
    for name, along in functions_along().items():
        for axis in range(1, x.ndim):
            yield f"{name} along axis {axis}", along(x, axis=axis)


def related(flax: NDArray, torch: NDArray) -> str:
    """Say what turns PyTorch's array into Flax's: a factor, an offset, another order; "" if it is none of these.

    Args:
        flax, torch: float64 arrays of one shape.
    """
    if flax.shape != torch.shape or flax.size < 2 or not np.isfinite(flax).all() or not np.isfinite(torch).all():
        return ""
    squared = float(np.vdot(torch, torch))
    factor = float(np.vdot(torch, flax)) / squared if squared else 0.0
    if _close(torch, flax):
        return ""
    if _close(-torch, flax):
        return "Flax's numbers are PyTorch's with the other sign"
    if factor and _close(factor * torch, flax):
        return f"Flax's numbers are {_factor_words(factor)} times PyTorch's"
    offset = float((flax - torch).mean())
    if np.ptp(torch) and _close(torch + offset, flax):
        return f"Flax's numbers are PyTorch's and {offset:.6g} more"
    for axis in range(1, flax.ndim):
        if _close(np.flip(torch, axis), flax):
            return f"Flax's numbers are PyTorch's, backwards along axis {axis}"
    if _close(np.sort(torch, axis=None), np.sort(flax, axis=None)):
        return "the numbers are the same in another order"
    return ""


def _factor_words(factor: float) -> str:
    """A factor, also as the root or the part of a whole number that it is."""
    large, plain = max(abs(factor), 1 / abs(factor)), f"{factor:.6g}"
    for mark, whole in (("", large), ("√", large**2)):
        if round(whole) > 1 and abs(whole / round(whole) - 1) < AGREED:
            exact = f"{'-' if factor < 0 else ''}{'' if abs(factor) > 1 else '1/'}{mark}{round(whole)}"
            return exact if exact == plain else f"{plain} ({exact})"
    return plain


def _close(array: NDArray, other: NDArray) -> bool:
    return bool(np.linalg.norm((array - other).ravel()) <= AGREED * np.linalg.norm(other.ravel()))
