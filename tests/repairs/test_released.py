"""A repair lets no gradient through on both sides that each of them stopped."""

from typing import Any

import pytest

from parity.repairs import repair
from parity.repairs.repair import Repairer
from parity.repairs.rules.candidate import Candidate

FLAX, TORCH = (Candidate(side, [], "leave it out", releases=True) for side in ("flax", "torch"))
OTHER = Candidate("flax", [], "write 2 for 1")


def test_a_stop_is_taken_away_on_one_side_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "candidates", lambda context, side: iter([FLAX, TORCH, OTHER]))
    context: Any = None
    repairer = Repairer(check=lambda texts, bar: pytest.fail("nothing is checked here"))
    assert list(repairer._candidates(context)) == [FLAX, TORCH, OTHER]
    repairer._keep(OTHER)
    assert list(repairer._candidates(context)) == [FLAX, TORCH, OTHER]
    repairer._keep(TORCH)
    assert list(repairer._candidates(context)) == [TORCH, OTHER]
