"""Ways to hold what a network reached against what the study says of it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from parity.checks.claims import NEAR, Judged, about, about_copied, holds, loss_spread, near, spread
from parity.study.images.ends import Ends
from parity.study.images.runs import COPY as COPIED

Judge = Callable[[Ends, str], Judged]


def at_end(split: str, key: str, target: float, first: float | None = None) -> Judge:
    """About the figure at the end, and near another after the first epoch."""

    def judge(ends: Ends, text: str) -> Judged:
        values = ends.values(split, key)
        if key == "loss":
            judged = near("images", text, target, values, ends.why)
        elif ends.data == COPIED:
            judged = about_copied("images", text, target, values, ends.why)
        else:
            judged = about("images", text, target, values, ends.why)
        if first is None:
            return judged
        begun = float(ends.course(split, key)[0])
        measured = f"{begun:.3f} after the first epoch, {judged.measured} at the end"
        return holds("images", text, measured, judged.true and abs(begun - first) <= NEAR * first, judged.why)

    return judge


def from_above_to_below(split: str, key: str, above: float, below: float) -> Judge:
    """Above a figure after the first epoch, below another at the end."""

    def judge(ends: Ends, text: str) -> Judged:
        begun, values = float(ends.course(split, key)[0]), ends.values(split, key)
        measured = f"{begun:.3f} after the first epoch, {loss_spread(values)} at the end"
        return holds("images", text, measured, begun > above and float(np.mean(values)) < below, ends.why)

    return judge


def between(split: str, key: str, low: float, high: float) -> Judge:
    """A loss between two figures at the end, `NEAR` of each allowed."""

    def judge(ends: Ends, text: str) -> Judged:
        values = ends.values(split, key)
        true = low * (1 - NEAR) <= float(np.mean(values)) <= high * (1 + NEAR)
        return holds("images", text, loss_spread(values), true, ends.why)

    return judge


def throughout(split: str, target: float) -> Judge:
    """About the figure after every epoch, by the mean over runs."""

    def judge(ends: Ends, text: str) -> Judged:
        course = ends.course(split, "accuracy")
        furthest = float(course[np.argmax(np.abs(course - target))])
        decide = about_copied if ends.data == COPIED else about
        judged = decide("images", text, target, [furthest], ends.why)
        measured = f"{course.min():.1%} to {course.max():.1%} over the epochs, {spread(ends.values(split, 'accuracy'))}"
        return replace(judged, measured=f"{measured} at the end")

    return judge


def by_epoch(split: str, first: float, target: float, epoch: int) -> Judge:
    """About one figure after the first epoch and another after a later one."""

    def judge(ends: Ends, text: str) -> Judged:
        course = ends.course(split, "accuracy")
        decide = about_copied if ends.data == COPIED else about
        steps = [decide("images", text, t, [float(course[i])], ends.why) for t, i in ((first, 0), (target, epoch - 1))]
        worst = next((step for step in steps if not step.true), steps[-1])
        return replace(worst, measured=f"{course[0]:.1%} after epoch 1, {course[epoch - 1]:.1%} after epoch {epoch}")

    return judge


def marginal(split: str, epoch: int) -> Judge:
    """The gain after an epoch is less than `NEAR` of all that was gained since the first."""

    def judge(ends: Ends, text: str) -> Judged:
        course = ends.course(split, "accuracy")
        late, all_ = course[-1] - course[epoch - 1], course[-1] - course[0]
        at = {1, 20, epoch, len(course)}
        words = ", ".join(f"{course[i - 1]:.1%} ({i})" for i in sorted(at) if i <= len(course))
        measured = f"{split} accuracy after epochs: {words}"
        return holds("images", text, measured, bool(late <= NEAR * all_), ends.why)

    return judge
