"""Compares activations up to the layout that a framework keeps them in."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import HighLow, rule
from parity.checks.verdict import Finding

Turn = Callable[[NDArray], NDArray]
AS_IT_IS = "as it is"
RESHAPED = ", reshaped"
ONE_FOR_ALL = "one for the whole batch"
TURNS: dict[str, Turn] = {
    AS_IT_IS: lambda a: a,
    "channels last to first": lambda a: np.moveaxis(a, -1, 1),
    "channels first to last": lambda a: np.moveaxis(a, 1, -1),
    "first two axes swapped": lambda a: a.swapaxes(0, 1),
}
"""What a layout of Flax may be turned by to be PyTorch's. Height and width are never exchanged: that would be a bug."""


def turns(shape: tuple[int, ...], wanted: tuple[int, ...]) -> Iterator[tuple[str, Turn]]:
    """Turns that give the wanted shape; if none does, those that give it when axes are merged or split."""
    usable = {name: turn for name, turn in TURNS.items() if len(shape) > 2 or name == AS_IT_IS}
    nothing = np.broadcast_to(np.int8(0), shape)
    exact = [(name, turn) for name, turn in usable.items() if turn(nothing).shape == wanted]
    if exact or nothing.size != np.prod(wanted, dtype=int):
        yield from exact
        return
    for name, turn in usable.items():
        yield f"{name}{RESHAPED}", lambda a, turn=turn: turn(a).reshape(wanted)  # type: ignore[misc]


def one_for_all(flax: NDArray, wanted: tuple[int, ...]) -> NDArray:
    """What one side computes once for the whole batch and the other for every sample (positions)."""
    return flax.mean(0, keepdims=True) if wanted[0] == 1 else np.broadcast_to(flax, wanted)


def turned(flax: NDArray, torch: NDArray, *, inside: bool = False) -> tuple[str, Turn] | None:
    """The turn of Flax's array that comes nearest to PyTorch's; None if no turn has its shape.

    Args:
        flax, torch: the arrays.
        inside: they are a layer's, not what the networks return: one side may have it once for the whole batch.
    """
    found = list(turns(flax.shape, torch.shape))
    if inside and not found and 1 in (flax.shape[:1] + torch.shape[:1]) and flax.shape[1:] == torch.shape[1:]:
        return ONE_FOR_ALL, lambda a: one_for_all(a, torch.shape)
    if len(found) < 2:
        return found[0] if found else None
    return min(found, key=lambda turn: _distance(turn[1](flax), torch))


def _distance(a: NDArray, b: NDArray) -> float:
    with np.errstate(all="ignore"):
        gap = float(np.linalg.norm((a - b).ravel()))
    return gap if np.isfinite(gap) else np.inf


def agree(flax: NDArray, torch: NDArray, low: NDArray, *, inside: bool = False) -> bool:
    """Whether two arrays differ by rounding only, in some layout.

    Args:
        flax, torch: in float64.
        low: PyTorch's in float32.
        inside: as of `turned`.
    """
    turn = turned(flax, torch, inside=inside)
    return turn is not None and compare("", "", turn[1](flax), torch, low).verdict.passes


def compare(
    quantity: str,
    name: str,
    flax: NDArray,
    torch: NDArray,
    torch_low: NDArray | None,
    flax_low: NDArray | None = None,
    *,
    mode: str = "",
    smooth: bool = True,
) -> Finding:
    """The referee's finding on arrays of one layout."""
    values = {"flax": HighLow(_wide(flax), flax_low), "torch": HighLow(_wide(torch), torch_low)}
    return rule(quantity, name, values, mode=mode, smooth=smooth)


def _wide(array: NDArray) -> NDArray:
    return (
        array if array.dtype == np.float64 or not np.issubdtype(array.dtype, np.integer) else array.astype(np.float64)
    )


def spread(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether an array of one shape stands for several places of the other, along axes of one."""
    return (
        len(shape) == len(wanted) and shape != wanted and all(a in (1, b) for a, b in zip(shape, wanted, strict=True))
    )


def floating(arrays: Sequence[NDArray]) -> list[NDArray]:
    """The floating ones."""
    return [array for array in arrays if np.issubdtype(array.dtype, np.floating)]
