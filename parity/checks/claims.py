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


class Ruling(StrEnum):
    """What is said of a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    NOT_MEASURABLE = "not measurable here"


@dataclass(frozen=True)
class Judged:
    """A claim and what came of it.

    Args:
        experiment: of the study, by its name in `parity reproduce`.
        claim: the study's words, shortened.
        measured: in words, with figures; "–" if nothing was.
        ruling: what is said of it.
        why: the reason, where the figures do not say it.
    """

    experiment: str
    claim: str
    measured: str
    ruling: Ruling
    why: str = ""


def about(experiment: str, claim: str, target: float, values: Sequence[float], why: str = "") -> Judged:
    """Judge "about `target`" by the mean over seeds."""
    ruling = _ruling(abs(float(np.mean(values)) - target) <= ABOUT)
    return Judged(experiment, claim, spread(values), ruling, why)


def near(experiment: str, claim: str, target: float, values: Sequence[float], why: str = "") -> Judged:
    """Judge a loss of about `target` by the mean over seeds."""
    mean = float(np.mean(values))
    return Judged(
        experiment, claim, f"{mean:.3f} ({len(values)} seeds)", _ruling(abs(mean - target) <= NEAR * target), why
    )


def holds(experiment: str, claim: str, measured: str, true: bool, why: str = "") -> Judged:
    """Judge a claim whose truth was decided elsewhere."""
    return Judged(experiment, claim, measured, _ruling(true), why)


def unmeasured(experiment: str, claim: str, why: str, measured: str = "–") -> Judged:
    """A claim that cannot be judged here; what was measured instead may stand beside it."""
    return Judged(experiment, claim, measured, Ruling.NOT_MEASURABLE, why)


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation of accuracies, with the number of seeds."""
    array = np.asarray(values, np.float64)
    if array.size == 1:
        return f"{array[0]:.1%} (1 seed)"
    return f"{array.mean():.1%} ± {array.std(ddof=1):.1%} ({array.size} seeds)"


def _ruling(true: bool) -> Ruling:
    return Ruling.CONFIRMED if true else Ruling.REFUTED
