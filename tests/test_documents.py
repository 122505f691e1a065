"""What is read back is as it was declared, or one line says where it is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

import pytest
from annotated_types import MinLen
from typing_extensions import TypedDict

from parity import documents
from parity.documents import EXACT, Count, Share, fault
from parity.errors import UsageError


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


class Colour(StrEnum):
    RED = "red"


class Entry(TypedDict):
    name: str
    size: NotRequired[Count]


class Sized(Entry, extra_items=int):  # type: ignore[call-arg] # mypy knows no extra_items
    pass


@dataclass(frozen=True)
class Pair:
    first: tuple[int, float]
    rest: Mapping[str, Any] | None = None
    __pydantic_config__ = EXACT


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (1, int), (1, float), (0.5, float), ("a", str), (True, bool), (None, None), ([], list), ([1, 2], list[int]),
        ((1, 2), list[int]), ([1, 0.5], tuple[int, float]), ([1, 2, 3], tuple[int, ...]), ({"a": 1}, dict[str, int]),
        ("red", Colour), ("b", Literal["a", "b"]), (None, int | None), ("a", int | str), (1, Share), (0, Share),
        ({"name": "a", "other": 1}, Entry), ({"name": "a", "size": 2}, Entry), ({"first": [1, 2]}, Pair), (3, Any),
        ({"a": [{"name": ""}]}, dict[str, list[Entry]]), ([1], Annotated[list[int], MinLen(1)]),
    ],
)  # fmt: skip
def test_what_is_as_declared(found: Any, kind: Any) -> None:
    assert fault(found, kind) is None


@pytest.mark.parametrize(
    ("found", "kind", "said"),
    [
        (True, int, "it: Input should be a valid integer, got True"),
        (True, float, "it: Input should be a valid number, got True"),
        (1.0, int, "it: Input should be a valid integer, got 1.0"),
        (float("nan"), float, "it: Input should be a finite number, got nan"),
        (float("-inf"), float, "it: Input should be a finite number, got -inf"),
        ({"first": [1, float("inf")]}, Pair, "first[1]: Input should be a finite number, got inf"),
        (10**400, float, "it: Input should be a finite number, got 1000"),
        (0, bool, "it: Input should be a valid boolean, got 0"),
        ("1", int | None, "it: Input should be a valid integer, got '1'"),
        (None, int | str, "int: Input should be a valid integer, got None"),
        ("ab", list[str], "it: Input should be a valid array, got 'ab'"),
        ([1, "a"], list[int], "[1]: Input should be a valid integer, got 'a'"),
        ([1], tuple[int, int], "[1]: Field required, got [1]"),
        ([1, 2, 3], tuple[int, int], "it: Tuple should have at most 2 items after validation, not 3, got [1, 2, 3]"),
        ({"a": {"b": {"c": 1}}}, Entry, "name: Field required, got {'a': {...}}"),
        ({"a": {"b": 1}}, dict[str, dict[str, str]], "a.b: Input should be a valid string, got 1"),
        ({"b": 1}, dict[Literal["a"], int], "b.[key]: Input should be 'a', got 'b'"),
        ("blue", Colour, "it: Input should be 'red', got 'blue'"),
        (["red"], Colour, "it: Input should be 'red', got ['red']"),
        (True, Literal["1", "2"], "it: Input should be '1' or '2', got True"),
        (1.5, Share, "it: Input should be less than or equal to 1, got 1.5"),
        (0, Count, "it: Input should be greater than or equal to 1, got 0"),
        ([], Annotated[list[int], MinLen(1)], "it: List should have at least 1 item after validation, not 0, got []"),
        ({}, Entry, "name: Field required, got {}"),
        ([], Entry, "it: Input should be an object, got []"),
        ({"name": "a", "size": 0}, Entry, "size: Input should be greater than or equal to 1, got 0"),
        ({"first": [1, "x"]}, Pair, "first[1]: Input should be a valid number, got 'x'"),
        ({"first": [1, 2], "more": 1}, Pair, "more: Unexpected keyword argument, got 1"),
        ({"size": 1}, Entry | Pair, "Entry.name: Field required, got {'size': 1}"),
        ({"name": "a", "size": 0}, Pair | Entry, "Entry.size: Input should be greater than or equal to 1, got 0"),
        ({"name": "a", "x": "y"}, Sized, "x: Input should be a valid integer, got 'y'"),
        ("\ud800", str, "it: Invalid JSON: "),
        (nested(100_000), Any, "it is nested too deeply"),
        (nested(300), Any, "it: Invalid JSON: recursion limit exceeded"),
    ],
)
def test_what_is_not_is_said_with_its_place(found: Any, kind: Any, said: str) -> None:
    assert said in str(fault(found, kind))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'"\n"'])
def test_what_is_no_json_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"a.json is not JSON .*; do this") as caught:
        documents.read(path, dict, "do this")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_holds_another_thing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none cannot be read \(No such file or directory\); do this"):
        documents.read(tmp_path / "none", dict, "do this")
    (tmp_path / "a").write_text("[]")
    with pytest.raises(UsageError, match=r"a: it: Input should be an object, got \[\]; do this"):
        documents.read(tmp_path / "a", dict, "do this")


@pytest.mark.parametrize("size", ["9" * 308, "-1" + "0" * 400, "1" * 5000, "1e999"])
def test_a_number_beyond_what_a_float_can_be_is_none(tmp_path: Path, size: str) -> None:
    path = tmp_path / "a"
    path.write_text(f'{{"name": "a", "size": {size}}}')
    with pytest.raises(
        UsageError, match=r"a: size: Input should be a valid integer, got (9e\+307|1e\+308|-?inf); do this"
    ):
        documents.read(path, Entry, "do this")
    path.write_text(f'{{"any": {size}}}')
    assert isinstance(documents.read(path, dict, "do this")["any"], float)


def test_lines_end_where_the_last_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b'{"name": "a"}\n{"name": "b"}\n{"name": "\xf0')
    assert documents.read_lines(path, Entry, "do this") == [{"name": "a"}, {"name": "b"}]
    path.write_bytes(b'{"name": "a"}\n{"name": "b"}')
    assert documents.read_lines(path, Entry, "do this") == [{"name": "a"}, {"name": "b"}]
    path.write_text('{"name": "a"}\n\n{"name": "b"}\n')
    with pytest.raises(UsageError, match="lines, line 2 is not JSON"):
        documents.read_lines(path, Entry, "do this")


def test_an_error_is_one_line_whatever_it_quotes() -> None:
    assert str(UsageError("a\nb\x1b[2J\u2028‖ é\udcff")) == r"a\nb\x1b[2J\u2028‖ é\udcff"
