"""Operations of a pass, and edits of them, as plain data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

Function = Callable[[NDArray], NDArray]


@dataclass(frozen=True)
class Operation:
    """One operation.

    Args:
        name: what it does, as the framework calls it.
        place: the user's line that asks for it, "file.py:12"; "" where none is known.
        operands: the numbers of the values that it takes.
        results: the numbers of the values that it gives.
        settings: name → plain value of what it takes besides, such as an axis, an epsilon or a number that is written.
        in_place: whether what it gives is an array that it takes, changed.
    """

    name: str
    place: str
    operands: tuple[int, ...]
    results: tuple[int, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    in_place: bool = False


@dataclass(frozen=True)
class ValuesOfCall:
    """One call of a module: the numbers of the values that `Call` has as arrays, in the same order.

    Args:
        path: path of the module.
        inputs, outputs: the values.
    """

    path: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Values:
    """The numbers of the values of a pass that have a name.

    Args:
        results: leaf of what the network returns → its value.
        buffers: native name → the buffer after the pass.
        loss: the loss of the pass's objective; None without one.
    """

    results: Mapping[str, int]
    buffers: Mapping[str, int]
    loss: int | None = None


@dataclass(frozen=True)
class Setting:
    """An edit: one operation with another setting."""

    operation: int
    name: str
    value: Any


@dataclass(frozen=True)
class Alias:
    """An edit: another value in the place of one, wherever that is used.

    Args:
        value: the value.
        other: the one in its place.
        function: what is applied to the other; None leaves it as it is.
        means: what the function does, for who writes it into a source: a name, and numbers as Python's source.
    """

    value: int
    other: int
    function: Function | None = None
    means: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taken:
    """An edit: one operation takes another value in one place of its operands."""

    operation: int
    place: int
    other: int


@dataclass(frozen=True)
class Change:
    """An edit: a value with a function applied to it.

    Args:
        value: the value.
        function: the function.
        means: what it does, for who writes it into a source: a name, and numbers as Python's source.
    """

    value: int
    function: Function
    means: tuple[str, ...] = ()


@dataclass(frozen=True)
class Returned:
    """An edit: another value in the place of one that the network returns; inside, both stay what they are."""

    value: int
    other: int


Edit = Setting | Alias | Taken | Change | Returned
Kind = Literal["array", "input", "constant"]


def plain(value: Any) -> bool:
    """Whether a setting is a plain value: it can be shown and changed."""
    if isinstance(value, tuple | list):
        return all(map(plain, value))
    return value is None or value is Ellipsis or isinstance(value, bool | int | float | str | slice)


def numbers_in(value: Any) -> Iterator[float]:
    """The numbers of a plain value."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from numbers_in(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
