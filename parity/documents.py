"""JSON documents that are read back: what one must hold is declared as types, which pydantic checks where it is read.

Nothing is converted, numbers are finite, and other keys of a `TypedDict` are let be.
"""

import json
import reprlib
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Interval

from parity.errors import UsageError

Count = Annotated[int, Ge(1)]
Whole = Annotated[int, Ge(0)]
Share = Annotated[float, Interval(ge=0, le=1)]
NotNegative = Annotated[float, Ge(0)]
Positive = Annotated[float, Ge(sys.float_info.min)]

LONG = sys.float_info.max_10_exp
SHORT = reprlib.Repr()
SHORT.maxlevel = 1
EXACT = {"extra": "forbid", "allow_inf_nan": False}
"""The `__pydantic_config__` of a dataclass that is read: its fields and no others."""


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
    """A text as JSON, a whole number beyond what a float can be as one; raises UsageError if it is none."""
    try:
        return json.loads(text, parse_int=lambda digits: (int if len(digits) < LONG else float)(digits))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not JSON ({error}); {remedy}") from error


def require(found: Any, kind: Any, name: str, remedy: str) -> Any:
    """What was found, if it is as declared.

    Raises:
        UsageError: it is not; with the place where it is not.
    """
    if (wrong := fault(found, kind)) is not None:
        raise UsageError(f"{name}: {wrong}; {remedy}")
    return found


def fault(found: Any, kind: Any) -> str | None:
    """A place where something is not as declared, in words; of several kinds that it may be, in the nearest."""
    from pydantic import ValidationError

    try:
        _document(kind).model_validate_json(json.dumps(found), strict=True)
    except RecursionError:
        return "it is nested too deeply"
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        beside = Counter(one["loc"][:-1] for one in errors)
        first = min(errors, key=lambda one: beside[one["loc"][:-1]])
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        return f"{place.removeprefix('.') or 'it'}: {first['msg']}, got {SHORT.repr(first['input'])}"
    return None


@cache
def _document(kind: Any) -> Any:
    from pydantic import RootModel  # which only those who read wait for

    return type("Document", (RootModel[kind],), {"model_config": {"allow_inf_nan": False}})


def _content(path: Path, remedy: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); {remedy}") from error
