"""Hypotheses on operations that go by another rule in the other framework: the same name, or nearly so."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Change, Edit, Operation
from parity.pair.causes.search.families.functions import MASKING
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, other
from parity.pair.causes.search.piece import Half, Piece

Rule = Callable[[Operation, Sequence[NDArray], NDArray], NDArray | None]
"""What would be computed of an operation's operands, which gave that result; None where that cannot be said."""


def _windows(reduce: Callable[..., NDArray]) -> Rule:
    """An adaptive pool over windows that are all cut to one length; what is left over at the end is in none."""

    def pooled(each: Operation, operands: Sequence[NDArray], result: NDArray) -> NDArray:
        x, shape = operands[0], result.shape
        axes = [axis for axis in range(x.ndim) if x.shape[axis] != shape[axis]]
        out = np.empty(shape)
        for place in product(*(range(shape[axis]) for axis in axes)):
            index: list[slice | int] = [slice(None)] * x.ndim
            target: list[slice | int] = [slice(None)] * x.ndim
            for axis, i in zip(axes, place, strict=True):
                length = x.shape[axis] // shape[axis]
                index[axis], target[axis] = slice(i * length, (i + 1) * length), i
            out[tuple(target)] = reduce(x[tuple(index)], axis=tuple(axes))
        return out

    return pooled


def _of_two(function: Callable[[NDArray, NDArray], NDArray]) -> Rule:
    """Another function of two operands, the second of which may be a number that is written."""

    def computed(each: Operation, operands: Sequence[NDArray], result: NDArray) -> NDArray | None:
        written = [value for value in each.settings.values() if isinstance(value, int | float)]
        both = [*operands, *map(np.asarray, written)]
        return function(both[0], both[1]) if len(both) == 2 else None

    return computed


def _median(each: Operation, operands: Sequence[NDArray], result: NDArray) -> NDArray | None:
    dim = each.settings.get("dim")
    middle = np.median(operands[0], axis=dim if isinstance(dim, int) else None)
    return middle.reshape(result.shape) if middle.size == result.size else None


@dataclass(frozen=True)
class Variant:
    """Another rule for an operation of PyTorch's.

    Args:
        rule: the rule.
        here, there: what the operation does, and what the other side does, as an object of "has".
        mend: what to write; "{}" stands for the other side.
        call: the function that has the other rule; "" where there is none of the kind.
    """

    rule: Rule
    here: str
    there: str
    mend: str
    call: str = ""


def _over(function: Callable[[NDArray, int], NDArray]) -> Rule:
    """Another function over the axis that the operation names."""

    def computed(each: Operation, operands: Sequence[NDArray], result: NDArray) -> NDArray | None:
        dim = each.settings.get("dim")
        return function(operands[0], dim) if isinstance(dim, int) else None

    return computed


def _log_softmax(x: NDArray, axis: int) -> NDArray:
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


_LOGARITHMS = ("logarithms of probabilities (log_softmax)", "probabilities (softmax)")
_CUT = ("PyTorch's overlapping windows", "windows of equal length")
_CUT_MEND = "cut the same windows in {}: from ⌊i·n/m⌋ to ⌈(i+1)·n/m⌉"
_FMOD = Variant(
    _of_two(np.mod), "the sign of what is divided", "that of the divisor", "write torch.remainder in PyTorch"
)
_MOD = Variant(_of_two(np.fmod), "the sign of the divisor", "that of what is divided", "write torch.fmod in PyTorch")
_MEAN_OF_TWO = "torch.quantile(x, 0.5, dim) in PyTorch"
VARIANTS: Mapping[str, Variant] = {
    **{f"adaptive_avg_pool{n}d": Variant(_windows(np.mean), *_CUT, _CUT_MEND) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": Variant(_windows(np.max), *_CUT, _CUT_MEND) for n in (1, 2, 3)},
    "fmod": _FMOD,
    "remainder": _MOD,
    "mod": _MOD,
    "log_softmax": Variant(
        _over(lambda x, axis: np.exp(_log_softmax(x, axis))), *_LOGARITHMS, "take softmax in PyTorch", "softmax"
    ),
    "softmax": Variant(_over(_log_softmax), *_LOGARITHMS[::-1], "take log_softmax in PyTorch", "log_softmax"),
    "median": Variant(_median, "the lower of two middle numbers", "their mean", f"write {_MEAN_OF_TWO}"),
}
"""Name of an operation of PyTorch's → the rule by which the other framework's goes."""


def other_variant(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """An operation goes by another rule on the other side."""
    half = piece.half(side)
    for number, each in half.operations if side == "torch" else ():
        variant = VARIANTS.get(each.name)
        if variant is not None:
            there = NAMES[other(side)]
            text = f"{NAMES[side]}'s {each.name} has {variant.here}, {there} has {variant.there}"
            edits = _by(side, each, variant.rule, ("call", variant.call) if variant.call else ())
            yield Hypothesis(side, text, variant.mend.format(there), edits, number, each.results[0])


EXTREMES: Mapping[str, tuple[str, Callable[..., NDArray]]] = {
    "argmax": ("argmin", np.argmin),
    "argmin": ("argmax", np.argmax),
}
"""Name of an operation → the name of its opposite, and that."""


def other_extreme(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side takes the place of the largest number, the other that of the smallest."""
    half = piece.half(side)
    for number, each in half.operations:
        if each.name not in EXTREMES or len(each.operands) != 1 or len(each.results) != 1:
            continue
        name, function = EXTREMES[each.name]
        shape, wanted = half.values[each.operands[0]].shape, half.values[each.results[0]].shape
        for axis in (axis for axis in range(len(shape)) if (*shape[:axis], *shape[axis + 1 :]) == wanted):
            text = f"{NAMES[side]} takes {each.name}, {NAMES[other(side)]} {name}"
            edits = _by(side, each, _along(function, axis), ("call", name))
            yield Hypothesis(side, text, f"take {name} in {NAMES[side]}", edits, number, each.results[0])


def _along(function: Callable[..., NDArray], axis: int) -> Rule:
    return lambda each, operands, result: function(operands[0], axis=axis)


def _by(side: str, each: Operation, rule: Rule, means: tuple[str, ...]) -> Callable[[Piece], Sequence[Edit]]:
    def edits(piece: Piece) -> Sequence[Edit]:
        values = piece.half(side).values
        result = values[each.results[0]]
        instead = rule(each, [values[operand] for operand in each.operands], result)
        return [] if instead is None else [Change(each.results[0], lambda _: instead, means)]

    return edits


COMPARISONS: Mapping[str, Callable[..., NDArray]] = {
    "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
INSTEAD = {"gt": ("ge", "lt", "le"), "ge": ("gt", "le", "lt"), "lt": ("le", "gt", "ge"), "le": ("lt", "ge", "gt"),
           "eq": ("ne",), "ne": ("eq",)}  # fmt: skip
"""Comparison → those that people write for it, the likeliest first."""
SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "eq": "==", "ne": "!="}


def other_comparison(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side compares by another sign than the other."""
    half = piece.half(side)
    for number, each in half.operations:
        if len(each.operands) != len(set(each.operands)):
            continue  # of a value with itself, which asks whether it is a number
        for name in INSTEAD.get(each.name, ()):
            mask = " for a mask" if _is_mask(half, each) else ""
            here, there = f"{NAMES[side]} compares by {SIGNS[each.name]}{mask}", NAMES[other(side)]
            text = f"{here} where {there} does by {SIGNS[name]}"
            edits = _by(side, each, _of_two(COMPARISONS[name]), ("compare", SIGNS[name]))
            yield Hypothesis(side, text, f"write {SIGNS[name]} in {NAMES[side]}", edits, number, each.results[0])


def _is_mask(half: Half, each: Operation) -> bool:
    """Whether what an operation gives is used to mask, itself or turned round or given more axes."""
    values, masks = set(each.results), False
    for _, user in half.operations:
        if values & set(user.operands):
            masks = masks or user.name in MASKING
            values |= {v for v in user.results if half.values[v].dtype.kind == "b"}
    return masks
