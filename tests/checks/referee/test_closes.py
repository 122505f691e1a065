"""A gap is closed where little of it is left: a small one is not closed by what leaves it as it was."""

import pytest

from parity.checks.referee import closes, is_apart


@pytest.mark.parametrize(
    ("before", "after", "closed"),
    [
        (1.0, 1e-16, True),
        (1.0, 1e-8, False),  # another formula is left
        (5e-12, 5e-12, False),  # nothing was undone
        (5e-12, 1e-12, False),
        (5e-12, 1e-15, True),
        (1e-16, 1e-16, True),  # there was none, with these numbers
        (1e-6, 1e-10, True),
    ],
)
def test_little_is_left(before: float, after: float, closed: bool) -> None:
    assert closes(before, after) is closed


def test_rounding_has_no_cause() -> None:
    assert is_apart(5e-12)
    assert not is_apart(1e-16) and not is_apart(0.0)
