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
"""The `__pydantic_config__` of a dataclass that is read back: it has its fields and no others."""


def read(path: Path, kind: Any, remedy: str) -> Any:
    """Read a JSON file and check it.

    Args:
        path: the file to read.
        kind: the type that its content must have, which pydantic checks strictly.
        remedy: what the error tells the user to do if it has not.

    Raises:
        UsageError: the file cannot be read, or its content is not as declared.
    """
    return require(parsed(_content(path, remedy), str(path), remedy), kind, str(path), remedy)


def read_lines(path: Path, kind: Any, remedy: str) -> list[Any]:
    """Read a file of JSON lines and check each; arguments as of `read`, whose `kind` is that of a line here.

    A last line without an end that is no JSON is what a killed process left of it, and is left out.

    Raises:
        UsageError: the file cannot be read, or a line is not as declared.
    """
    lines = whole(_content(path, remedy)).splitlines()
    named = ((f"{path}, line {number}", text) for number, text in enumerate(lines, 1))
    return [require(parsed(text, name, remedy), kind, name, remedy) for name, text in named]


def whole(lines: bytes) -> bytes:
    """JSON lines, each with its line end, without a last line that was not written to its end."""
    rest = lines.rpartition(b"\n")[2]
    try:
        json.loads(rest)
    except (ValueError, RecursionError):
        return lines.removesuffix(rest)
    return lines + b"\n"


def parsed(text: str | bytes, name: str, remedy: str) -> Any:
    """Parse a text as JSON; an integer of more digits than the largest float has becomes a float.

    Raises:
        UsageError: it is no JSON; the message has `name` and `remedy`.
    """
    try:
        return json.loads(text, parse_int=lambda digits: (int if len(digits) < LONG else float)(digits))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not JSON ({error}); {remedy}") from error


def require(document: Any, kind: Any, name: str, remedy: str) -> Any:
    """The document, if it is as declared.

    Raises:
        UsageError: it is not; the message names the place.
    """
    if (wrong := fault(document, kind)) is not None:
        raise UsageError(f"{name}: {wrong}; {remedy}")
    return document


def fault(document: Any, kind: Any) -> str | None:
    """A place where a document is not as declared, in words; None where it is.

    If the document may be of several kinds, the place is one in the kind that it comes nearest to.
    """
    from pydantic import ValidationError

    try:
        _document(kind).model_validate_json(json.dumps(document), strict=True)
    except RecursionError:
        return "it is nested too deeply"
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        siblings = Counter(problem["loc"][:-1] for problem in errors)
        first = min(errors, key=lambda problem: siblings[problem["loc"][:-1]])
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
