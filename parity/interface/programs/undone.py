"""What was undone to prove a cause, as plain values: enough to find the user's source of it, and to write the mend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Spot:
    """An operation in the user's source.

    Args:
        operation: its name, as the framework calls it.
        place: the user's line that asks for it, "file.py:12"; "" where none is known.
        nth: its place among the operations of that name that the line asks for, from 0.
    """

    operation: str
    place: str
    nth: int = 0


@dataclass(frozen=True)
class Use:
    """An operation that takes a value, and the place of the value among the arrays that it takes."""

    spot: Spot
    operand: int


@dataclass(frozen=True)
class SourceValue:
    """A value of a pass in the user's source.

    Args:
        made: the operation that gives it; None where no operation does.
        part, parts: its place among the results of that operation, and how many there are.
        call: path of the module that gives it; "" where none does.
        name: name of the array of the network, or of the input, that it is; "" where it is none.
        used: the operations that take it.
    """

    made: Spot | None
    part: int = 0
    parts: int = 1
    call: str = ""
    name: str = ""
    used: Sequence[Use] = ()


@dataclass(frozen=True)
class Undone:
    """One change of one side's program that was made to close the gap, the same in all operations of one line.

    Args:
        side: "flax" or "torch".
        kind: "setting", an operation with another setting; "left out", an operation whose operand is taken for its
            result; "run again", the same of a line that is run once more than on the other side; "another value", one
            value in the place of another; "returned", the same where the network returns it; "change", a value with a
            function applied to it.
        spot: the operation that is changed, or that gives the value that is.
        setting, was, wanted: the name of a setting and both its values as Python's source; "" where none is changed.
        operand: the place of the array that is kept among those that an operation takes, where it is left out.
        value, other: the value that is changed, and the one in its place.
        taken: whether it is what the first of `value.used` takes that is changed, in all calls of that line, rather
            than what `spot` gives.
        means: what the function of a change does: its name, and its numbers as Python's source.
    """

    side: str
    kind: str
    spot: Spot
    setting: str = ""
    was: str = ""
    wanted: str = ""
    operand: int = 0
    value: SourceValue | None = None
    other: SourceValue | None = None
    taken: bool = False
    means: Sequence[str] = ()


SHORT = 9
"""Signs of a number that people write: one that is as near to it as rounding is stands for the exact one."""


def _decimal(value: float) -> str:
    short = repr(float(f"{value:.15g}"))
    return short if len(short) <= SHORT else repr(value)


def source(value: Any) -> str:
    """A plain value as Python's source; "" if it cannot be written so."""
    if isinstance(value, bool | str) or value is None:
        return repr(value)
    if isinstance(value, int):
        return repr(int(value))
    if isinstance(value, float):
        return _decimal(float(value)) if math.isfinite(value) else f'float("{float(value)}")'
    if isinstance(value, tuple | list):
        items = [source(item) for item in value]
        inside = ", ".join(items) + ("," if isinstance(value, tuple) and len(items) == 1 else "")
        return "" if "" in items else f"({inside})" if isinstance(value, tuple) else f"[{inside}]"
    return ""
