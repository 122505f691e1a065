"""How a framework's own arrays pack a canonical one: cut, reshaped, transposed, flipped, joined. All is linear."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from parity.interface.trace import Arrays

Cut = int | tuple[int, int] | None
"""Of one axis: one index (the axis goes), a range from the first to before the last, or all of it."""


@dataclass(frozen=True)
class Part:
    """One native array, or a part of it, as a part of a canonical one. The steps are done in the order of the fields.

    Args:
        name: name of the native array.
        cut: what is taken of each of the first axes.
        shape: reshaped to, row-major; None leaves the shape.
        axes: transposed by, as `numpy.transpose`.
        flip: axes that are reversed afterwards.
        offset: added afterwards; 1 where a scale is stored as what it is beyond one.
    """

    name: str
    cut: tuple[Cut, ...] = ()
    shape: tuple[int, ...] | None = None
    axes: tuple[int, ...] | None = None
    flip: tuple[int, ...] = ()
    offset: float = 0.0

    def read(self, native: Mapping[str, NDArray], *, offset: bool = True) -> NDArray:
        """The canonical part.

        Args:
            native: The framework's arrays by native name; it is a view of one of them wherever the steps allow it.
            offset: Whether the offset is added, as it is to numbers; gradients have none.
        """
        array = _cut(native[self.name], self.cut)
        array = array if self.shape is None else array.reshape(self.shape)
        array = array if self.axes is None else array.transpose(self.axes)
        array = np.flip(array, self.flip) if self.flip else array
        return array + self.offset if offset and self.offset else array

    def write(self, part: NDArray, native: Mapping[str, NDArray]) -> None:
        """Write the canonical part back, as the inverse of `read`.

        Args:
            part: The array as `read` gives it, of the same shape; it is cast to the native array's dtype.
            native: The framework's arrays by native name; the one of this part must be writable.
        """
        array = np.flip(part, self.flip) if self.flip else part
        array = array if self.axes is None else array.transpose(np.argsort(self.axes))
        target = _cut(native[self.name], self.cut)
        target[...] = array.reshape(target.shape) - self.offset


def _cut(array: NDArray, cut: tuple[Cut, ...]) -> NDArray:
    """A piece of an array, as a view, also of a single number."""
    places = tuple(slice(*c) if isinstance(c, tuple) else slice(None) if c is None else c for c in cut)
    return array[(*places, ...)]


@dataclass(frozen=True)
class Packing:
    """How the native arrays of a layer hold one canonical array.

    Args:
        parts: the parts in the order in which they are joined.
        join: "concatenate" them along `axis`, or their "sum" (the two biases of PyTorch's recurrent layers).
        axis: the axis that the parts are concatenated along.
        reshaped, transposed: what is done to the joined array, to fit the other side's canonical one.
        cut: what is then taken of each of the first axes, where the canonical array is a piece of that.
        shape_after, axes_after: what the piece is reshaped to, and transposed by; None leaves it.
        flip: axes that are reversed at the end.
    """

    parts: tuple[Part, ...]
    join: Literal["concatenate", "sum"] = "concatenate"
    axis: int = 0
    reshaped: tuple[int, ...] | None = None
    transposed: tuple[int, ...] | None = None
    cut: tuple[Cut, ...] = ()
    shape_after: tuple[int, ...] | None = None
    axes_after: tuple[int, ...] | None = None
    flip: tuple[int, ...] = ()

    @property
    def whole(self) -> "Packing":
        """The packing of all that this one is a piece of."""
        return replace(self, cut=(), shape_after=None, axes_after=None, flip=())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the native arrays that take part, each once, in the order of the parts."""
        return tuple(dict.fromkeys(part.name for part in self.parts))

    def renamed(self, names: Mapping[str, str]) -> "Packing":
        """The packing of other native arrays, held in the same way; a name that is not among `names` stays."""
        return replace(self, parts=tuple(replace(part, name=names.get(part.name, part.name)) for part in self.parts))

    def read(self, native: Mapping[str, NDArray]) -> NDArray:
        """The canonical array that the native ones hold, of their dtype.

        Args:
            native: The framework's arrays by native name, of which those of `names` are read.
        """
        return self._join([part.read(native) for part in self.parts], 1.0)

    def pull(self, gradients: Mapping[str, NDArray]) -> NDArray:
        """Gradient with respect to the canonical array, of those with respect to the native ones.

        Where parts are summed it is their mean, which is right after `write`: it shares a sum out equally.

        Args:
            gradients: Gradients by native name, each of its array's shape.
        """
        return self._join([part.read(gradients, offset=False) for part in self.parts], 1.0 / len(self.parts))

    def write(self, canonical: NDArray, native: Mapping[str, NDArray]) -> None:
        """Let the native arrays hold the canonical one, as the inverse of `read`; a sum is shared out equally.

        Args:
            canonical: The array as `read` gives it, of the same shape.
            native: The framework's arrays by native name. Those of `names` must be writable; where this packing is only
                a piece of one, the numbers beside it stay.
        """
        canonical = np.flip(canonical, self.flip) if self.flip else canonical
        canonical = canonical if self.axes_after is None else canonical.transpose(np.argsort(self.axes_after))
        if self.cut:
            everything = np.array(self.whole.read(native))
            piece = _cut(everything, self.cut)
            piece[...] = canonical.reshape(piece.shape)
            self.whole.write(everything, native)
            return
        if self.shape_after is not None:
            canonical = canonical.reshape(self.whole.read(native).shape)
        canonical = self._joined(canonical, native)
        if self.join == "sum":
            pieces = [canonical / len(self.parts)] * len(self.parts)
        else:
            sizes = [part.read(native).shape[self.axis] for part in self.parts] if len(self.parts) > 1 else []
            pieces = np.split(canonical, np.cumsum(sizes)[:-1].astype(int), self.axis) if sizes else [canonical]
        for part, piece in zip(self.parts, pieces, strict=True):
            part.write(piece, native)

    def shape(self, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
        """Shape of the canonical array; no number is computed.

        Args:
            shapes: The shapes of the native arrays by name.
        """
        return self.read({name: np.broadcast_to(np.int8(0), shapes[name]) for name in self.names}).shape

    def fit(self, joined: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the canonical array.

        Args:
            joined: The shape of the array that the joined parts give.

        Raises:
            ValueError: An array of that shape cannot be reshaped so.
        """
        return self._fitted(np.broadcast_to(np.int8(0), joined)).shape

    def places(self, joined: tuple[int, ...]) -> NDArray:
        """Where the numbers of the canonical array are among those of the joined one.

        Args:
            joined: The shape of the array that the joined parts give.

        Returns:
            For each number of the canonical array, in row-major order, its row-major index in the joined one; int64.
        """
        return self._fitted(np.arange(int(np.prod(joined, dtype=int))).reshape(joined)).ravel()

    def _join(self, parts: list[NDArray], share: float) -> NDArray:
        if self.join == "sum":
            array = np.sum(parts, axis=0) * share
        else:
            array = parts[0] if len(parts) == 1 else np.concatenate(parts, self.axis)
        return self._fitted(array)

    def _fitted(self, array: NDArray) -> NDArray:
        """What is done to the joined array."""
        array = array if self.reshaped is None else array.reshape(self.reshaped)
        array = array if self.transposed is None else array.transpose(self.transposed)
        array = _cut(array, self.cut)
        array = array if self.shape_after is None else array.reshape(self.shape_after)
        array = array if self.axes_after is None else array.transpose(self.axes_after)
        return np.flip(array, self.flip) if self.flip else array

    def _joined(self, canonical: NDArray, native: Mapping[str, NDArray]) -> NDArray:
        """The array before the last reshaping and transposing."""
        array = canonical if self.transposed is None else canonical.transpose(np.argsort(self.transposed))
        if self.reshaped is None:
            return array
        return array.reshape(replace(self, reshaped=None, transposed=None).read(native).shape)


def whole(name: str, axes: tuple[int, ...] | None = None, **how: object) -> Packing:
    """The packing of one native array as it is, or transposed.

    Args:
        name: The native array's name.
        axes: What it is transposed by, as `numpy.transpose` takes it; None leaves it.
        **how: Further keywords of `Part`.
    """
    return Packing((Part(name, axes=axes, **how),))  # type: ignore[arg-type] # the keywords of Part


def native_copy(native: Mapping[str, NDArray]) -> Arrays:
    """Writable copies by name: floating arrays in float64, others, complex ones among them, in their own dtype."""
    return {n: np.array(a, np.float64 if np.issubdtype(a.dtype, np.floating) else a.dtype) for n, a in native.items()}


def shaped_as(native: Mapping[str, NDArray], before: Mapping[str, NDArray]) -> Arrays:
    """Native arrays in the shapes that they had before: a network may keep what it updates with axes of length one.

    Args:
        native: The arrays afterwards, by native name.
        before: The arrays before; an array that is not among them, or has another size here, stays as it is.
    """
    return {
        name: array.reshape(before[name].shape) if name in before and array.size == before[name].size else array
        for name, array in native.items()
    }
