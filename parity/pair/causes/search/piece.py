"""The piece of both networks between what agrees and the first place that does not, operation by operation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import AGREED
from parity.interface.programs.operations import Alias, Change, Edit, Operation, Returned
from parity.interface.programs.program import Program, returned

SIDES = ("flax", "torch")
Turn = Callable[[NDArray], NDArray]


@dataclass(eq=False)
class Half:
    """One side's part of a piece.

    Args:
        program: the operations; it starts from what agrees.
        target: the value that differs.
        agreeing: values beside it that the other side has alike: those that it starts from, and what is returned.
    """

    program: Program
    target: int
    agreeing: Sequence[int] = ()
    _arrays: dict[int, NDArray] = field(default_factory=dict)

    @cached_property
    def numbers(self) -> list[int]:
        """The operations between what agrees and the target, in order."""
        return self.program.needed([self.target])

    @property
    def operations(self) -> list[tuple[int, Operation]]:
        """Those with their numbers."""
        return [(number, self.program.operations[number]) for number in self.numbers]

    @cached_property
    def values(self) -> dict[int, NDArray]:
        """All values of the piece: those that it starts from, and those that its operations make."""
        every = dict.fromkeys(v for _, each in self.operations for v in (*each.operands, *each.results))
        wanted = [*every, *([] if self.target in every else [self.target])]
        return dict(zip(wanted, self.program.compute(wanted), strict=True))

    @cached_property
    def size(self) -> int:
        """The numbers of all its values."""
        return sum(array.size for array in self.values.values())

    @cached_property
    def made(self) -> list[int]:
        """The values that its operations make and use, or that are the target."""
        used = {value for _, each in self.operations for value in each.operands} | {self.target}
        return [value for _, each in self.operations for value in each.results if value in used]

    @cached_property
    def entering(self) -> list[int]:
        """The values that it starts from."""
        made = set(self.made)
        return [value for value in self.values if value not in made]

    def with_edits(self, edits: Sequence[Edit]) -> NDArray | None:
        """The target with edits made; None where they make no sense."""
        return self.value(self.target, edits)

    def attempt(self, edits: Sequence[Edit]) -> tuple[NDArray | None, dict[int, NDArray]]:
        """The target with edits made, None where they make no sense, and all values that are other ones then."""
        try:
            (target,), made = self.program.attempt([self.target], edits)
        except Exception:  # what a framework raises of a setting that is none
            return None, {}
        return target, made

    def undone(self, edits: Sequence[Edit]) -> "Half":
        """The half with these edits made for good."""
        return Half(self.program.undone(edits), returned([self.target], edits)[0], self.agreeing)

    @cached_property
    def _whole(self) -> tuple[Program, list[NDArray]]:
        """The program, starting from nothing but what the network is given, and what agrees with it."""
        whole = self.program.whole()
        return whole, whole.compute(self.agreeing)

    def parts_nothing(self, edits: Sequence[Edit]) -> bool:
        """Whether all that agrees stays what it is where edits are made in the whole pass, which still comes to an end.

        What is edited itself stands for what the piece takes of it, and not for what the network makes.
        """
        inside = [edit for edit in edits if not isinstance(edit, Returned)]
        edited = {edit.value for edit in inside if isinstance(edit, Alias | Change)}
        watched = [place for place, value in enumerate(self.agreeing) if value not in edited]
        if not inside:
            return True
        whole, before = self._whole
        try:
            seen = whole.compute([*(self.agreeing[p] for p in watched), *whole.named.results.values()], inside)
        except Exception:  # what a framework raises of a setting that is none
            return False
        return all(same(before[place], array) for place, array in zip(watched, seen, strict=False))

    def value(self, value: int, edits: Sequence[Edit]) -> NDArray | None:
        """A value with edits made; None where they make no sense."""
        try:
            return self.program.compute([value], edits)[0]
        except Exception:  # what a framework raises of a setting that is none
            return None


@dataclass(eq=False)
class Piece:
    """Both sides' parts.

    Args:
        flax, torch: each side's.
        turns: what may bring Flax's target into PyTorch's layout.
    """

    flax: Half
    torch: Half
    turns: Sequence[Turn]

    def half(self, side: str) -> Half:
        """One side's part."""
        return self.flax if side == "flax" else self.torch

    def undone(self, side: str, edits: Sequence[Edit]) -> "Piece":
        """The piece with these edits made for good on one side."""
        flax = self.flax.undone(edits) if side == "flax" else self.flax
        torch = self.torch.undone(edits) if side == "torch" else self.torch
        return Piece(flax, torch, self.turns)

    @cached_property
    def gap(self) -> float:
        """How far the sides are apart at the target, relative to their size."""
        return self.gap_to("torch", self.torch.values[self.torch.target])

    def gap_to(self, side: str, array: NDArray | None) -> float:
        """How far that side's target, being that array, is from the other side's."""
        if array is None:
            return np.inf
        other = self.torch if side == "flax" else self.flax
        theirs = other.values[other.target]
        flax, torch = (array, theirs) if side == "flax" else (theirs, array)
        return min((_apart(turn, flax, torch) for turn in self.turns), default=np.inf)

    def apart_with(self, side: str, array: NDArray) -> NDArray | None:
        """What that side's target, being that array, is less than the other side's, number by number, in the layout in
        which the targets are nearest; None where the shapes differ."""
        ours, theirs = self.flax.values[self.flax.target], self.torch.values[self.torch.target]
        turn = min(self.turns, key=lambda each: _apart(each, ours, theirs), default=None)
        if turn is None:
            return None
        flax, torch = (array, theirs) if side == "flax" else (ours, array)
        try:
            return np.subtract(turn(flax), torch, dtype=np.float64) * (1 if side == "flax" else -1)
        except ValueError:  # an edit has changed the shape
            return None


def _apart(turn: Turn, flax: NDArray, torch: NDArray) -> float:
    try:
        return distance(turn(flax), torch)
    except ValueError:  # an edit has changed the shape
        return np.inf


def distance(a: NDArray, b: NDArray) -> float:
    """Relative Euclidean distance of two arrays; infinite where shapes or what is not finite differ."""
    if a.shape != b.shape:
        return np.inf
    with np.errstate(all="ignore"):
        a, b = a.astype(np.float64), b.astype(np.float64)
        odd = ~np.isfinite(a)
        if odd.any() or not np.isfinite(b).all():
            if not np.array_equal(a[odd], b[odd], equal_nan=True) or not np.isfinite(b[~odd]).all():
                return np.inf
            a, b = a[~odd], b[~odd]
        if not a.size:
            return np.inf
        size = max(float(np.linalg.norm(a.ravel())), float(np.linalg.norm(b.ravel())))
        gap = float(np.linalg.norm((a - b).ravel()))
    return gap / size if size else gap


def agrees(flax: NDArray, torch: NDArray) -> bool:
    """Whether two arrays are the same but for rounding; empty ones of one shape are."""
    if flax.size == 0 and flax.shape == torch.shape:
        return True
    with np.errstate(all="ignore"):
        return distance(flax, torch) <= AGREED


LOW = 10
"""One in so many of an array's numbers is smaller than what counts as its ordinary size: a mask may fill the rest."""


def same(a: NDArray, b: NDArray) -> bool:
    """Whether two arrays differ by rounding only, each number by itself: where a mask has filled in -1e9, the others
    would not count beside it."""
    if distance(a, b) > AGREED:
        return False
    with np.errstate(all="ignore"):
        a, b = a.astype(np.float64), b.astype(np.float64)
        there = np.isfinite(a) & np.isfinite(b)
        size = np.maximum(np.abs(a), np.abs(b))[there]
        ordinary = np.sort(size)[size.size // LOW] if size.size else 0
        return bool(np.all(np.abs(a - b)[there] <= AGREED * (size + ordinary)))


def same_numbers(a: NDArray, b: NDArray) -> bool:
    """Whether two arrays hold the same numbers, in any order."""
    return a.size == b.size and same(np.sort(a, axis=None), np.sort(b, axis=None))
