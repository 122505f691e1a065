"""Inputs of other sizes than the user's: one sample, one more, other images, shorter and longer sequences."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import Inputs
from parity.pair.arrays.inputs import arrays, with_arrays
from parity.pair.rungs.probing.written_sizes import WrittenSize

CHANNELS = 4
"""An axis that is no longer may be that of an image's channels."""
SEQUENCE = 3
"""So many axes has a floating array of positions: samples, positions, features."""

SHORT = 32
"""A sequence of so many positions may become twice as long at little cost."""
LARGEST = 2**16
"""Inputs of more numbers are not made only since a size is written in the code."""
IN_CODE = "sizes in the code"
"""The name of what is tried since the code compares sizes with it; which sizes these are follows in brackets."""


@dataclass(frozen=True)
class Resized:
    """Inputs of another size.

    Args:
        name: a few words that say what is other.
        inputs: the inputs.
        parts: what is tried by itself where the networks refuse these inputs, or differ on them.
        is_guess: whether an axis was taken for that of positions, so that nothing is said if no network takes it.
        grows: whether axes inside a sample are longer than the user's, which a network may not be made for.
    """

    name: str
    inputs: Inputs
    parts: tuple["Resized", ...] = ()
    is_guess: bool = False
    grows: bool = False


@dataclass(frozen=True)
class Change:
    """One way to make inputs of another size.

    Args:
        name: what it is called.
        change: makes the new inputs.
        lesser: a lesser change of that name, for networks that refuse this one; None if there is none.
        is_guess, grows: what is said of the inputs that it makes, as in `Resized`.
    """

    name: str
    change: Callable[[Inputs], Inputs]
    lesser: "Change | None" = None
    is_guess: bool = False
    grows: bool = False

    def resized(self, inputs: Inputs) -> Resized:
        """The inputs with this change alone."""
        parts = () if self.lesser is None else (self.lesser.resized(inputs),)
        return Resized(self.name, self.change(inputs), parts, self.is_guess, self.grows)


def other_sizes(inputs: Inputs, written: Sequence[WrittenSize] = ()) -> Iterator[Resized]:
    """Inputs of other sizes: as few as find what depends on a size, since each is a program of its own to compile.

    One sample is of odd or even sizes or a position shorter too, one sample more comes with larger images or a longer
    sequence; each change is made by itself only where both together are refused, or show a difference. Sizes that the
    code compares with are one more, if none of these is on the other side of them.

    Args:
        inputs: The user's, whose first axis is the batch.
        written: What the users' sources compare sizes with.
    """
    batch = _batch(inputs)
    if batch is None:
        return
    smaller, larger = _images(inputs) or _sequences(inputs, batch) or (None, None)
    fewer = Change("one sample", lambda user: _samples(user, batch, slice(1)))
    more = Change("one sample more", lambda user: _samples(user, batch, np.arange(batch + 1) % batch))
    yield from _together("smaller sizes", inputs, *(change for change in (batch > 1 and fewer, smaller) if change))
    yield from _together("larger sizes", inputs, *(change for change in (more, larger) if change))
    yield from _in_code(inputs, batch, written)


def _in_code(inputs: Inputs, batch: int, written: Sequence[WrittenSize]) -> Iterator[Resized]:
    """Inputs with as many samples and places as the code compares with, the nearest ones that nothing else tries.

    Images keep their size: networks are made for one, and compare with it to refuse others or to interpolate.
    """
    main = next((array for array in arrays(inputs).values() if array.ndim > 1), None)
    if main is None:
        return
    length = main.shape[1]
    samples = _across([w for w in written if w.axis == 0], batch, (1, batch + 1))
    tried = (length - _fewer(length), length + _further(length))
    places = None if _is_image(main) else _across([w for w in written if _is_of_places(w, main)], length, tried)
    changes: list[Callable[[Inputs], Inputs]] = []
    if samples is not None:
        changes.append(lambda user: _samples(user, batch, np.arange(samples) % batch))
    if places is not None:
        changes.append(lambda user: _positions(user, batch, length, places - length))
    made = [change(inputs) for change in changes]
    if len(changes) > 1:
        made.insert(0, changes[1](made[0]))
    grows = places is not None and places > length
    resized = [
        Resized(f"{IN_CODE} ({_shape(each)})", each, is_guess=True, grows=grows)
        for each in made
        if sum(array.size for array in arrays(each).values()) <= LARGEST
    ]
    if resized:
        yield replace(resized[0], parts=tuple(resized[1:]))


def _shape(inputs: Inputs) -> str:
    return " × ".join(map(str, next(array for array in arrays(inputs).values() if array.ndim > 1).shape))


def _is_of_places(written: WrittenSize, main: NDArray) -> bool:
    """Whether the size may be that of an axis of places: not of the samples, nor of the features of a sequence."""
    return (written.axis + main.ndim if written.axis < 0 else written.axis) == 1


def _across(written: Sequence[WrittenSize], now: int, tried: tuple[int, ...]) -> int | None:
    """The nearest size on the other side of what is written that is none of those that are tried anyway, nor with one
    of them on its side; equalities are looked at first."""
    sizes = [
        (each.span is not None, abs(size - now), size)
        for each in written
        if (size := each.across(now)) is not None
        and size > 0
        and size not in tried
        and (each.span is None or all((other > size) != (size > now) for other in tried))
    ]
    return min(sizes)[2] if sizes else None


def _together(name: str, inputs: Inputs, *changes: Change) -> Iterator[Resized]:
    parts = tuple(change.resized(inputs) for change in changes)
    if len(parts) < 2:
        yield from parts
        return
    both = inputs
    for change in changes:
        both = change.change(both)
    yield Resized(name, both, parts, grows=any(part.grows for part in parts))


def _batch(inputs: Inputs) -> int | None:
    """The number of samples: the first axis of the first array that has another one, or of a vector; None if there is
    no sample."""
    shapes = sorted((array.shape for array in arrays(inputs).values() if array.ndim), key=lambda shape: len(shape) < 2)
    return shapes[0][0] if shapes and shapes[0][0] > 0 else None


def _samples(inputs: Inputs, batch: int, places: slice | NDArray) -> Inputs:
    return with_arrays(inputs, lambda _, a: a[places] if a.ndim and a.shape[0] == batch else a)


def _images(inputs: Inputs) -> tuple[Change, Change] | None:
    """Images of one row and column less, so that even sizes become odd and odd ones even; and larger, oblong ones that
    are as odd or even as they were."""
    images = [array for array in arrays(inputs).values() if _is_image(array)]
    if not images:
        return None
    parity = "odd" if images[0].shape[2] % 2 == 0 else "even"
    smaller = Change(f"{parity} sizes", lambda user: _cut(user, -1, -1))
    return smaller, Change("larger images", lambda user: _cut(user, 2, 4), grows=True)


def _is_image(array: NDArray) -> bool:
    return array.ndim == 4 and array.dtype.kind == "f" and array.shape[2] > 2


def _cut(inputs: Inputs, rows: int, columns: int) -> Inputs:
    """Images with so many rows and columns more, whichever of the outer axes is the channels'."""

    def cut(array: NDArray) -> NDArray:
        last = array.shape[3] <= CHANNELS or (array.shape[1] > CHANNELS and array.shape[1] == array.shape[2])
        first = 1 if last else 2
        return _longer(_longer(array, first, rows), first + 1, columns)

    return with_arrays(inputs, lambda _, array: cut(array) if _is_image(array) else array)


def _longer(array: NDArray, axis: int, more: int) -> NDArray:
    """An array whose last places along an axis are left out, or repeated."""
    length = array.shape[axis]
    return np.take(array, np.minimum(np.arange(length + more), length - 1), axis)


def _sequences(inputs: Inputs, batch: int) -> tuple[Change, Change] | None:
    """Sequences of about half the length and of about twice, of one position less and of one more where a network
    refuses these; None where no array can be one."""
    main = next((array for array in arrays(inputs).values() if 2 <= array.ndim <= SEQUENCE), None)
    length = 0 if main is None else main.shape[1]
    if length < 2:
        return None

    def change(name: str, *more: int) -> Change:
        lesser = change(name, *more[1:]) if len(more) > 1 else None
        return Change(
            name, lambda user: _positions(user, batch, length, more[0]), lesser, is_guess=True, grows=more[0] > 0
        )

    return (
        change("shorter sequences", *dict.fromkeys((-_fewer(length), -1))),
        change("longer sequences", *dict.fromkeys((_further(length), 1))),
    )


def _fewer(length: int) -> int:
    """So many positions less: an odd number, so that even lengths become odd and odd ones even."""
    return length // 2 - (length // 2 + 1) % 2


def _further(length: int) -> int:
    return length if length <= SHORT else 1


def _positions(inputs: Inputs, batch: int, length: int, more: int) -> Inputs:
    """Every axis of that length, but the batch's and that of features, longer by so many places."""

    def moved(array: NDArray) -> NDArray:
        last = array.ndim - (array.dtype.kind == "f" and array.ndim == SEQUENCE)
        for axis in range(length == batch, last):
            if array.shape[axis] == length:
                array = _longer(array, axis, more)
        return array

    return with_arrays(inputs, lambda _, array: moved(array))
