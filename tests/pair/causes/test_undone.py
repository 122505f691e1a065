"""What was undone to prove a cause, told as plain values with the user's lines."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.interface.programs.operations import Alias, Change, Edit, Operation, Setting, Values
from parity.interface.programs.undone import Undone, source
from parity.pair.causes.search.fixed import FixedProgram
from parity.pair.causes.undone import undone_of


class Steps(FixedProgram):
    """Two steps of a loop on one line, of which each adds 1.0 and takes the two parts of a split."""

    def __init__(self) -> None:
        super().__init__(np.zeros(2))
        operations = [
            Operation("split", "net.py:3", (0,), (1, 2)),
            Operation("add", "net.py:4", (1,), (3,), {"other": 1.0}),
            Operation("add", "net.py:4", (3,), (4,), {"other": 1.0}),
        ]
        super(FixedProgram, self).__init__(operations, {0: ("input", "[0]")}, [], Values({"": 4}, {}))


def told(*edits: Edit) -> list[Undone]:
    return list(undone_of("torch", Steps(), edits, [0, 1, 2]))


def double(array: NDArray) -> NDArray:
    return 2 * array


def test_a_setting_of_all_steps_is_told_once_a_step() -> None:
    found = told(Setting(1, "other", 2.0), Setting(2, "other", 2.0))
    assert {(one.setting, one.was, one.wanted, one.spot.place) for one in found} == {
        ("other", "1.0", "2.0", "net.py:4")
    }


def test_a_value_in_the_place_of_another_is_told_by_what_it_is() -> None:
    assert [(one.kind, one.operand) for one in told(Alias(3, 1))] == [("left out", 0)]
    assert [one.kind for one in told(Alias(4, 3))] == ["left out"]
    (parts,) = told(Alias(1, 2))
    assert parts.kind == "another value" and parts.value is not None and parts.other is not None
    assert (parts.value.part, parts.other.part, parts.value.parts) == (0, 1, 2)
    (entering,) = told(Alias(1, 0))
    assert entering.kind == "left out" and entering.other is not None and entering.other.name == "[0]"


def test_a_change_says_what_it_does_and_whether_it_is_of_what_is_taken() -> None:
    (made,) = told(Change(3, double, ("times", "2.0")), Change(4, double, ("times", "2.0")))
    assert made.means == ("times", "2.0") and not made.taken and made.spot.operation == "add"
    (taken,) = told(Change(0, double, ("times", "2.0")))
    assert taken.taken and taken.value is not None and taken.value.used[0].spot.operation == "split"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (True, "True"), (0.09999999999999998, "0.1"), (6**0.5, "2.449489742783178"), (None, "None"),
     (-np.inf, 'float("-inf")'), ((1, 2.0), "(1, 2.0)"), ((3,), "(3,)"), ([1, "a"], "[1, 'a']"), (slice(1, 2), ""),
     ((slice(1),), ""), (np.float64(0.5), "0.5")],
)  # fmt: skip
def test_plain_values_are_written_as_python(value: Any, text: str) -> None:
    assert source(value) == text
