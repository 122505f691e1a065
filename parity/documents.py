"""JSON documents that are read back: what one must hold is declared as types, and checked once, where it is read.

A declaration is made of the types of Python: `int`, `float` (finite), `str`, `bool`, `None`, `Literal`, unions, `list`,
`tuple`, `dict`, a `TypedDict` (other keys are let be), a dataclass (its fields and no others), an `Enum`, and
`Annotated` with a `Between` or with what it must be besides. A number is never a truth value, nor beyond what a float
can be.
"""

import json
import reprlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, reduce
from operator import or_
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from parity.errors import UsageError

WORDS: Mapping[Any, str] = {
    int: "a whole number", float: "a number", str: "text", bool: "true or false", NoneType: "null", dict: "an object",
    Mapping: "an object", list: "a list", tuple: "a list", Sequence: "a list",
}  # fmt: skip


@dataclass(frozen=True)
class Between:
    """Both ends of what a number may be, or of how many a list may hold; they are included."""

    least: float
    most: float = sys.float_info.max

    def __contains__(self, number: float) -> bool:
        return self.least <= number <= self.most

    def __str__(self) -> str:
        return f"{self.least:g} or more" if self.most == sys.float_info.max else f"{self.least:g} to {self.most:g}"


Count = Annotated[int, Between(1)]
Whole = Annotated[int, Between(0)]
Share = Annotated[float, Between(0, 1)]
NotNegative = Annotated[float, Between(0)]
Positive = Annotated[float, Between(sys.float_info.min)]


def read(path: Path, kind: Any, remedy: str) -> Any:
    """What a JSON file holds.

    Args:
        path: of the file.
        kind: what it must be.
        remedy: what to do if it is not, for the error.

    Raises:
        UsageError: it cannot be read, or is not as declared.
    """
    return require(parsed(_content(path, remedy), str(path), remedy), kind, str(path), remedy)


def read_lines(path: Path, kind: Any, remedy: str) -> list[Any]:
    """What a file of JSON lines holds. A last line without an end that is no JSON is what a killed process left of it.

    Raises:
        UsageError: as `read`.
    """
    lines = whole(_content(path, remedy)).splitlines()
    named = ((f"{path}, line {number}", text) for number, text in enumerate(lines, 1))
    return [require(parsed(text, name, remedy), kind, name, remedy) for name, text in named]


def whole(lines: bytes) -> bytes:
    """JSON lines, each with its end, without what is left of a last one."""
    begun = lines.rpartition(b"\n")[2]
    try:
        json.loads(begun)
    except (ValueError, RecursionError):
        return lines.removesuffix(begun)
    return lines + b"\n"


def parsed(text: str | bytes, name: str, remedy: str) -> Any:
    """A text as JSON; raises UsageError if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not JSON ({error}); {remedy}") from error


def require(found: Any, kind: Any, name: str, remedy: str) -> Any:
    """What was found, if it is as declared.

    Raises:
        UsageError: it is not; with the first place where it is not.
    """
    if (fault := next(faults(found, kind), None)) is not None:
        raise UsageError(f"{name}: {fault}; {remedy}")
    return found


def _content(path: Path, remedy: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); {remedy}") from error


def faults(found: Any, kind: Any, place: str = "") -> Iterator[str]:
    """Every place where something is not as declared, in words."""
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin is NotRequired:
        yield from faults(found, inner[0], place)
    elif origin is Annotated:
        yield from _limited(found, inner[0], kind.__metadata__, place)
    elif origin in (Union, UnionType):
        yield from _one_of(found, inner, place)
    elif is_typeddict(kind) or is_dataclass(kind):
        yield from _keyed(found, kind, place)
    elif not _is(found, origin, inner):
        yield _fault(found, kind, place)
    elif origin in (dict, Mapping) and inner:
        for key, value in found.items():
            yield from faults(value, inner[1], f"{place}.{key}")
    elif origin in (list, tuple, Sequence) and inner:
        yield from _listed(found, origin, inner, place)


def _is(found: Any, origin: Any, inner: tuple[Any, ...]) -> bool:
    """Whether it is of a kind, whatever it holds."""
    if origin is Any:
        return True
    if origin is Literal:
        return any(type(found) is type(one) and found == one for one in inner)
    if _is_enum(origin):
        return any(found == one.value for one in origin)
    if origin in (int, float):
        kinds = int if origin is int else int | float
        return isinstance(found, kinds) and not isinstance(found, bool) and abs(found) <= sys.float_info.max
    if origin in (list, tuple, Sequence):
        return isinstance(found, list | tuple)
    return isinstance(found, {Mapping: dict, None: NoneType}.get(origin, origin))


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _limited(found: Any, kind: Any, limits: Sequence[Any], place: str) -> Iterator[str]:
    wrong = list(faults(found, kind, place))
    yield from wrong
    for limit in limits if not wrong else ():
        if not isinstance(limit, Between):
            yield from faults(found, limit, place)
        elif (found if isinstance(found, int | float) else len(found)) not in limit:
            yield _fault(found, Annotated[kind, limit], place)


def _one_of(found: Any, kinds: tuple[Any, ...], place: str) -> Iterator[str]:
    """Of several objects, what is not as in the nearest."""
    wrong = [list(faults(found, kind, place)) for kind in kinds if kind is not NoneType]
    if all(wrong) and not (found is None and NoneType in kinds):
        near = (len(wrong) == 1 and found is not None) or isinstance(found, dict)
        yield from min(wrong, key=len) if near else [_fault(found, reduce(or_, kinds), place)]


def _listed(found: Sequence[Any], origin: Any, inner: tuple[Any, ...], place: str) -> Iterator[str]:
    fixed = origin is tuple and inner[-1] is not ...
    if fixed and len(found) != len(inner):
        yield f"{_place(place)} holds {len(found)}; expected {len(inner)}"
        return
    for number, value in enumerate(found):
        yield from faults(value, inner[number] if fixed else inner[0], f"{place}[{number}]")


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _keyed(found: Any, kind: Any, place: str) -> Iterator[str]:
    if not isinstance(found, dict):
        yield _fault(found, dict, place)
        return
    hints = _hints(kind)
    if is_typeddict(kind):
        needed = kind.__required_keys__
    else:
        needed = {one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING}
        yield from (f"{_place(place)} has {key!r}, which is not known" for key in found if key not in hints)
    for key, hint in hints.items():
        if key in found:
            yield from faults(found[key], hint, f"{place}.{key}")
        elif key in needed:
            yield f"{_place(f'{place}.{key}')} is not there"


def _fault(found: Any, kind: Any, place: str) -> str:
    return f"{_place(place)} is {reprlib.repr(found)}; expected {_words(kind)}"


def _place(place: str) -> str:
    return place.removeprefix(".") or "it"


def _words(kind: Any) -> str:
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin is Annotated:
        return f"{_words(inner[0])}, {inner[1]}"
    if origin in (Union, UnionType):
        return " or ".join(map(_words, inner))
    if origin is Literal or _is_enum(origin):
        known = inner or [one.value for one in origin]
        return f"one of {', '.join(map(str, known))}"
    return WORDS.get(origin, "an object")
