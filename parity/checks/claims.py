"""What a study claims, held against what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

ABOUT = 0.05
"""What "about", "almost" and "nearly" are taken to mean of an accuracy: within five percentage points. It is ours, one
for all claims, since the study does not say."""

NEAR = 0.1
"""The same of a loss: within a tenth of it."""

COPY = 0.01
"""What may change an accuracy when images were compressed again with loss: one percentage point. It is ours. Nearer to
the claimed figure than this, the two cannot be told apart; and a ruling that would turn on less is not made."""


class Ruling(StrEnum):
    """What is said of a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNDECIDED = "cannot be told"
    NOT_MEASURABLE = "not measurable here"


@dataclass(frozen=True)
class Judged:
    """A claim and what came of it.

    Args:
        experiment: the study's experiment, by its name in `parity reproduce`.
        claim: the study's words, shortened.
        measured: what was measured, in words, with figures; "–" if nothing was.
        ruling: what is said of it.
        why: the reason, where the figures do not say it.
    """

    experiment: str
    claim: str
    measured: str
    ruling: Ruling
    why: str = ""

    @property
    def true(self) -> bool:
        """Whether it was confirmed."""
        return self.ruling is Ruling.CONFIRMED


def about(experiment: str, claim: str, target: float, values: Sequence[float], why: str = "") -> Judged:
    """Judge "about `target`" by the mean over seeds."""
    ruling = _ruling(abs(float(np.mean(values)) - target) <= ABOUT)
    return Judged(experiment, claim, spread(values), ruling, why)


def near(experiment: str, claim: str, target: float, values: Sequence[float], why: str = "") -> Judged:
    """Judge a loss of about `target` by the mean over seeds."""
    ruling = _ruling(abs(float(np.mean(values)) - target) <= NEAR * target)
    return Judged(experiment, claim, loss_spread(values), ruling, why)


def holds(experiment: str, claim: str, measured: str, true: bool, why: str = "") -> Judged:
    """Judge a claim whose truth was decided elsewhere."""
    return Judged(experiment, claim, measured, _ruling(true), why)


def about_copied(experiment: str, claim: str, target: float, values: Sequence[float], why: str) -> Judged:
    """Judge "about `target`" of an accuracy on images that were compressed again with loss, so far as that can be."""
    gap = abs(float(np.mean(values)) - target)
    if abs(gap - ABOUT) < COPY:
        note = f"{gap:.1%} from the claimed figure where {ABOUT:.0%} is the limit, and the copy may change {COPY:.0%}"
        return Judged(experiment, claim, spread(values), Ruling.UNDECIDED, f"{note}; {why}")
    if gap < COPY:
        why = f"it cannot be told apart from the claimed figure: less than {COPY:.0%}, what the copy may change; {why}"
    return about(experiment, claim, target, values, why)


def unmeasured(experiment: str, claim: str, why: str, measured: str = "–") -> Judged:
    """A claim that cannot be judged here; what was measured instead may stand beside it."""
    return Judged(experiment, claim, measured, Ruling.NOT_MEASURABLE, why)


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation of accuracies, with the number of runs."""
    array = np.asarray(values, np.float64)
    if array.size == 1:
        return f"{array[0]:.1%} (1 run)"
    return f"{array.mean():.1%} ± {array.std(ddof=1):.1%} ({array.size} runs)"


def loss_spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation of losses, with the number of runs."""
    array = np.asarray(values, np.float64)
    if array.size == 1:
        return f"{array[0]:.3f} (1 run)"
    return f"{array.mean():.3f} ± {array.std(ddof=1):.3f} ({array.size} runs)"


def _ruling(true: bool) -> Ruling:
    return Ruling.CONFIRMED if true else Ruling.REFUTED
