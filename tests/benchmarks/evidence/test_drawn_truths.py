"""Every kind of bug that is drawn has what its cause must say."""

import re

from benchmarks.evidence.drawn.mutate import MUTATIONS
from benchmarks.evidence.drawn.truths import TRUTHS, is_right
from benchmarks.evidence.summary import _causes_of


def test_every_kind_of_bug_has_a_truth() -> None:
    assert {mutation.name for mutation in MUTATIONS} == set(TRUTHS)
    assert all(re.compile(pattern) for patterns in TRUTHS.values() for pattern in patterns)


def test_a_cause_is_held_against_what_the_bug_does() -> None:
    assert is_right("tanh GELU", "Flax applies GELU (exact), PyTorch applies GELU (tanh form); apply it")
    assert not is_right("tanh GELU", "Flax adds 1") and not is_right("tanh GELU", "")


def test_named_causes_are_counted_over_what_was_called_different() -> None:
    named = {"verdict": "different", "mutation": "fewer groups", "causes": ["Flax's groups are 1; write 2"]}
    lines = [named, named | {"causes": []}, named | {"causes": ["Flax adds 1; add 1"]}, {"verdict": "different"}]
    assert _causes_of(lines) == "; of 3 called different, 2 causes named and proven (67%), 1 of them wrong"
    assert _causes_of([{"verdict": "same", "mutation": "no bias", "causes": []}]) == ""
