"""What is read back is as it was declared, or one line says where it is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest

from parity import documents
from parity.documents import Between, Count, Share, faults
from parity.errors import UsageError


class Colour(StrEnum):
    RED = "red"


class Entry(TypedDict):
    name: str
    size: NotRequired[Count]


@dataclass(frozen=True)
class Pair:
    first: tuple[int, float]
    rest: Mapping[str, Any] | None = None


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (1, int), (1, float), (0.5, float), ("a", str), (True, bool), (None, None), ([], list), ([1, 2], list[int]),
        ((1, 2), list[int]), ([1, 0.5], tuple[int, float]), ([1, 2, 3], tuple[int, ...]), ({"a": 1}, dict[str, int]),
        ("red", Colour), ("b", Literal["a", "b"]), (None, int | None), ("a", int | str), (1, Share), (0, Share),
        ({"name": "a", "other": 1}, Entry), ({"name": "a", "size": 2}, Entry), ({"first": [1, 2]}, Pair), (3, Any),
        ({"a": [{"name": ""}]}, dict[str, list[Entry]]), ([1], Annotated[list[int], Between(1)]),
    ],
)  # fmt: skip
def test_what_is_as_declared(found: Any, kind: Any) -> None:
    assert list(faults(found, kind)) == []


@pytest.mark.parametrize(
    ("found", "kind", "said"),
    [
        (True, int, "it is True; expected a whole number"),
        (True, float, "it is True; expected a number"),
        (1.0, int, "it is 1.0; expected a whole number"),
        (float("nan"), float, "it is nan; expected a number"),
        (float("-inf"), float, "it is -inf; expected a number"),
        (10**400, float, "expected a number"),
        (0, bool, "it is 0; expected true or false"),
        ("1", int | None, "it is '1'; expected a whole number"),
        (None, int | str, "it is None; expected a whole number or text"),
        ("ab", list[str], "it is 'ab'; expected a list"),
        ([1, "a"], list[int], "[1] is 'a'; expected a whole number"),
        ([1], tuple[int, int], "it holds 1; expected 2"),
        ({"a": {"b": 1}}, dict[str, dict[str, str]], "a.b is 1; expected text"),
        ("blue", Colour, "it is 'blue'; expected one of red"),
        (["red"], Colour, "it is ['red']; expected one of red"),
        (True, Literal[1, 2], "it is True; expected one of 1, 2"),
        (1.5, Share, "it is 1.5; expected a number, 0 to 1"),
        (0, Count, "it is 0; expected a whole number, 1 or more"),
        ([], Annotated[list[int], Between(1)], "it is []; expected a list, 1 or more"),
        ({}, Entry, "name is not there"),
        ([], Entry, "it is []; expected an object"),
        ({"name": "a", "size": 0}, Entry, "size is 0; expected a whole number, 1 or more"),
        ({"first": [1, "x"]}, Pair, "first[1] is 'x'; expected a number"),
        ({"first": [1, 2], "more": 1}, Pair, "it has 'more', which is not known"),
        ({"size": 1}, Entry | Pair, "name is not there"),
        ({"a": -1.0}, Annotated[dict[str, float], Entry], "name is not there"),
    ],
)
def test_what_is_not_is_said_with_its_place(found: Any, kind: Any, said: str) -> None:
    assert said in next(faults(found, kind))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b"1" * 5000, b'"\n"'])
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
    with pytest.raises(UsageError, match=r"a: it is \[\]; expected an object; do this"):
        documents.read(tmp_path / "a", dict, "do this")


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
