"""Compares activations up to the layout that a framework keeps them in."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import HighLow, rule
from parity.checks.verdict import Finding

Turn = Callable[[NDArray], NDArray]
AS_IT_IS = "as it is"
CHANNELS_LAST_TO_FIRST = "channels last to first"
RESHAPED = ", reshaped"
FEATURES = "the last axis channels last to first, of "
ONE_FOR_ALL = "one for the whole batch"
TURNS: dict[str, Turn] = {
    AS_IT_IS: lambda a: a,
    CHANNELS_LAST_TO_FIRST: lambda a: np.moveaxis(a, -1, 1),
    "channels first to last": lambda a: np.moveaxis(a, 1, -1),
    "first two axes swapped": lambda a: a.swapaxes(0, 1),
}
"""What a layout of Flax may be turned by to be PyTorch's. Height and width are never exchanged: that would be a bug."""


def features_turn(inner: tuple[int, ...]) -> str:
    """The name of the turn of features that one side makes a map of, of shape (channels, *spatial) in PyTorch."""
    return FEATURES + " × ".join(map(str, inner))


def _turn(name: str) -> Turn:
    """The turn of a name, without what reshapes afterwards."""
    if not name.startswith(FEATURES):
        return TURNS[name.removesuffix(RESHAPED)]
    channels, *spatial = map(int, name.removeprefix(FEATURES).split(" × "))

    def turn(array: NDArray) -> NDArray:
        split = array.reshape(*array.shape[:-1], *spatial, channels)
        return np.moveaxis(split, -1, array.ndim - 1).reshape(array.shape)

    return turn


def turns(shape: tuple[int, ...], wanted: tuple[int, ...]) -> Iterator[tuple[str, Turn]]:
    """Turns that give the wanted shape; if none does, those that give it when axes are merged or split.

    Args:
        shape: The shape of Flax's array. Axes of arrays with fewer than three are never exchanged.
        wanted: The shape of PyTorch's array.

    Yields:
        The name of a turn, with `RESHAPED` behind it where axes are merged or split, and the turn.
    """
    usable = {name: turn for name, turn in TURNS.items() if len(shape) > 2 or name == AS_IT_IS}
    nothing = np.broadcast_to(np.int8(0), shape)
    exact = [(name, turn) for name, turn in usable.items() if turn(nothing).shape == wanted]
    if exact or nothing.size != np.prod(wanted, dtype=int):
        yield from exact
        return
    for name, turn in usable.items():
        yield f"{name}{RESHAPED}", lambda a, turn=turn: turn(a).reshape(wanted)  # type: ignore[misc]


def one_for_all(flax: NDArray, wanted: tuple[int, ...]) -> NDArray:
    """What one side computes once for the whole batch and the other for every sample, such as positions.

    Args:
        flax: Flax's array; if PyTorch's is the one that is there once, it is averaged over the batch.
        wanted: The shape of PyTorch's array, equal but for the first axis, which is 1 on one side.
    """
    return flax.mean(0, keepdims=True) if wanted[0] == 1 else np.broadcast_to(flax, wanted)


def turned(
    flax: NDArray, torch: NDArray, *, inside: bool = False, features: tuple[int, ...] = ()
) -> tuple[str, Turn] | None:
    """The turn of Flax's array that comes nearest to PyTorch's; None if no turn has its shape.

    Args:
        flax, torch: The arrays, of any floating or whole-number dtype.
        inside: Whether they are a layer's and not what the networks return: one side may then have an array once for
            the whole batch.
        features: The shape (channels, *spatial) of the map that PyTorch makes of the last axis, if both sides do.
    """
    if features and flax.shape == torch.shape and flax.shape[-1] == np.prod(features, dtype=int):
        name = features_turn(features)
        return name, _turn(name)
    fitting = list(turns(flax.shape, torch.shape))
    if inside and not fitting and 1 in (flax.shape[:1] + torch.shape[:1]) and flax.shape[1:] == torch.shape[1:]:
        return ONE_FOR_ALL, lambda a: one_for_all(a, torch.shape)
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    return min(fitting, key=lambda turn: _distance(turn[1](flax), torch))


def _distance(a: NDArray, b: NDArray) -> float:
    with np.errstate(all="ignore"):
        gap = float(np.linalg.norm((a - b).ravel()))
    return gap if np.isfinite(gap) else np.inf


def turn_by(name: str | None, flax: NDArray, wanted: tuple[int, ...]) -> NDArray:
    """Flax's array by the turn of that name, of the wanted shape; as it is if there is no turn.

    Args:
        name: The name that `turns` or `turned` gave.
        flax: Flax's array.
        wanted: The shape of PyTorch's array.
    """
    if name is None:
        return flax
    if name == ONE_FOR_ALL:
        return one_for_all(flax, wanted)
    array = _turn(name)(flax)
    return array.reshape(wanted) if array.size == np.prod(wanted, dtype=int) else array


def turn_back(name: str, torch: NDArray, shape: tuple[int, ...]) -> NDArray:
    """PyTorch's array in the layout that the turn of that name would have to start from, as a float64 array.

    Args:
        name: The name that `turns` or `turned` gave.
        torch: PyTorch's array.
        shape: The shape of Flax's array.
    """
    turn = _turn(name)
    places = turn(np.arange(int(np.prod(shape))).reshape(shape)).ravel()
    flat = np.empty(places.size)
    flat[places] = torch.ravel()
    return flat.reshape(shape)


def agree(flax: NDArray, torch: NDArray, low: NDArray, *, inside: bool = False, features: tuple[int, ...] = ()) -> bool:
    """Whether two arrays differ by rounding only, in some layout.

    Args:
        flax, torch: Both sides' arrays in float64.
        low: PyTorch's array in float32.
        inside, features: What is known of the arrays, as for `turned`.
    """
    turn = turned(flax, torch, inside=inside, features=features)
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
    """The referee's finding on arrays of one layout.

    Args:
        quantity, name: What is compared, and of which layer or array, for the report.
        flax, torch: Both sides' arrays in float64, or whole numbers; they should be of one shape.
        torch_low, flax_low: The same in float32; None where that was not computed.
        mode: "evaluation" or "training", "" for neither.
        smooth: Whether the quantity is a continuous function of the inputs, see `parity.checks.referee.rule`.
    """
    values = {"flax": HighLow(_wide(flax), flax_low), "torch": HighLow(_wide(torch), torch_low)}
    return rule(quantity, name, values, mode=mode, smooth=smooth)


def _wide(array: NDArray) -> NDArray:
    return (
        array if array.dtype == np.float64 or not np.issubdtype(array.dtype, np.integer) else array.astype(np.float64)
    )


def spread(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether an array of one shape stands for several places of the other, along axes of length one.

    Args:
        shape: The shape of the array that may stand for several.
        wanted: The shape of the other, which has as many axes.
    """
    return (
        len(shape) == len(wanted) and shape != wanted and all(a in (1, b) for a, b in zip(shape, wanted, strict=True))
    )


def floating(arrays: Sequence[NDArray]) -> list[NDArray]:
    """The arrays of floating dtypes, in order."""
    return [array for array in arrays if np.issubdtype(array.dtype, np.floating)]
