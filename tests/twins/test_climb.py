"""Which rungs are climbed, and when not; with made-up observers, for the frameworks have tests of their own."""

from types import SimpleNamespace
from typing import Any

import pytest

from parity.checks import ladder
from parity.checks.ladder import parse_rungs
from parity.checks.verdict import Verdict
from parity.errors import UsageError
from parity.twins.check import climb


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", [3]),
        ("forward", [2]),
        ("2-4,update", [2, 3, 4, 5]),
        ("forward-state", [2, 3, 4]),
        ("2-2", [2]),
        (" 8 , structure", [8, 1]),
        ("1-8", list(ladder.RUNGS)),
        ("8-10", [8, 10]),
    ],
)
def test_rungs_by_number_and_name(text: str, expected: list[int]) -> None:
    assert parse_rungs(text) == expected


@pytest.mark.parametrize(
    "text", ["", "0", "9", "2-9", "4-2", "forwards", "2,,3", "-2", "2-3-4", "1.5", "update-2", "-"]
)
def test_bad_rungs_are_told_with_the_known_ones(text: str) -> None:
    with pytest.raises(UsageError, match=r"known: 1 structure, 2 forward, .*, 8 data") as error:
        parse_rungs(text)
    assert "\n" not in str(error.value)


def test_the_bad_part_is_quoted() -> None:
    with pytest.raises(UsageError, match="got 'forwards'"):
        parse_rungs("2-4,forwards")


def test_a_superscript_is_no_number() -> None:
    with pytest.raises(UsageError):
        parse_rungs("²")


class _Observer:
    """Shows a shape and digests; keeps what it was asked for."""

    def __init__(self, framework: str, **shown: Any) -> None:
        self.framework = framework
        self.asked: list[int] = []
        self._shown = {1: {"bias": (3,)}, 8: ["same"]}
        self._shown |= {int(number.removeprefix("rung")): what for number, what in shown.items()}

    def shapes(self) -> Any:
        return self._show(1)

    def digests(self) -> Any:
        return self._show(8)

    def _show(self, number: int) -> Any:
        self.asked.append(number)
        if isinstance(what := self._shown[number], Exception):
            raise what
        return what


CASE: Any = SimpleNamespace(recipe=SimpleNamespace(name="made", parameters=3), positions=[(0, 0)])


def _climb(*observers: Any, rungs: tuple[int, ...]):
    return climb(CASE, observers, rungs=rungs)


def test_the_structure_is_always_looked_at_first() -> None:
    climbed = _climb(_Observer("flax"), _Observer("torch"), rungs=(8,))
    assert [(rung.number, rung.verdict) for rung in climbed] == [(1, Verdict.SAME), (8, Verdict.SAME)]


def test_rungs_are_climbed_once_and_in_order() -> None:
    assert [rung.number for rung in _climb(_Observer("flax"), _Observer("torch"), rungs=(8, 1, 8))] == [1, 8]


def test_a_wrong_structure_stops_the_climb() -> None:
    flax, torch = _Observer("flax", rung1={"kernel": (3,)}), _Observer("torch")
    climbed = _climb(flax, torch, rungs=ladder.RUNGS)
    assert flax.asked == torch.asked == [1]
    assert [rung.number for rung in climbed] == [*ladder.RUNGS]
    assert [rung.verdict for rung in climbed] == [Verdict.DIFFERENT] + [Verdict.INCONCLUSIVE] * 7
    assert all(rung.reason.startswith("not run") for rung in climbed[1:])


def test_a_wrong_batch_is_found() -> None:
    climbed = _climb(_Observer("flax"), _Observer("torch", rung8=["other"]), rungs=(8,))
    assert climbed[-1].verdict is Verdict.DIFFERENT


def test_what_a_framework_cannot_show_is_not_hidden() -> None:
    with pytest.raises(UsageError, match="no device"):
        _climb(_Observer("flax"), _Observer("torch", rung8=UsageError("no device")), rungs=(8,))
