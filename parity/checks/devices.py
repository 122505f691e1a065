"""Rung 10: a training run on one device against the same on several, within each framework and across them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import rule_drift
from parity.checks.verdict import Finding, Rung, Verdict, rung
from parity.interface.trace import Arrays, WatchedRun

NUMBER, NAME = 10, "devices"
REPEATED = "short batches are filled up with examples that are repeated"
LEFT_OUT = "examples that the devices do not divide are left out"
ONE_FOR_ALL = "every device trains on the same part of the batch"
OTHERS = "the devices' parts together are not the batch"
BY_DESIGN = "by design: per-device BatchNorm"
APART = "per-device BatchNorm"

Runs = Mapping[str, WatchedRun]
See = Callable[[WatchedRun], Arrays]
Step = tuple[NDArray, Arrays, Arrays]
"""Of a training step: loss, gradients, buffers."""
Ways = Callable[[int], Iterator[tuple[str, Step]]]
"""Number of devices → what wrong ways to part the first step among them would give, by name."""


@dataclass(frozen=True)
class Drift:
    """One-device runs, and the same from a start that was moved by one ulp, by framework."""

    still: Runs
    moved: Runs


def devices(drift: Drift, several: Mapping[int, Runs], ways: Ways, *, apart: bool) -> Rung:
    """Rule on runs on several devices; the first that is wrong names the layer, and the cause where it is a known one.

    Args:
        drift: the runs on one device.
        several: number of devices → framework → run of the same batches from the same start.
        ways: number of devices → what known wrong ways to part the first step would give, to recognise a cause.
        apart: whether each device was told to normalise by its own part of the batch.
    """
    findings: list[Finding] = []
    for count, runs in several.items():
        for framework, run in runs.items():
            pair = {framework: drift.still[framework], _on(framework, count): run}
            findings += _compared(pair, drift, f"{framework}, {count} devices against 1")
        if len(runs) > 1:
            across = {_on(framework, count): run for framework, run in runs.items()}
            findings += _compared(across, drift, f"{count} devices, {' against '.join(runs)}")
    ruled = rung(NUMBER, NAME, findings)
    first = ruled.headline
    if first is None or ruled.verdict is not Verdict.DIFFERENT:
        return ruled
    layer = first.name.rpartition(".")[0] if first.quantity == "buffer" else ""
    return replace(ruled, layer=layer, cause=_cause(drift, several, ways, apart))


def _on(framework: str, count: int) -> str:
    return f"{framework} on {count}"


def _compared(runs: Runs, drift: Drift, mode: str) -> Iterator[Finding]:
    """Everything of some runs, in the order in which a step computes it."""
    for step in range(len(next(iter(runs.values())).losses)):
        yield _fed(runs, step, mode)
        yield from _computed(runs, drift, step, mode)
    yield from _ruled("parameter afterwards", runs, drift, lambda run: run.parameters, mode)


def _buffers(step: int, run: WatchedRun) -> Arrays:
    return run.buffers[step]


def _loss(step: int, run: WatchedRun) -> Arrays:
    return {"loss": run.losses[step]}


def _gradients(step: int, run: WatchedRun) -> Arrays:
    return run.gradients[step]


STEP: Mapping[str, Callable[[int, WatchedRun], Arrays]] = {
    "buffer": _buffers,
    "loss": _loss,
    "reduced gradient": _gradients,
}
"""What a step computes, in its order."""


def _computed(runs: Runs, drift: Drift, step: int, mode: str) -> Iterator[Finding]:
    for quantity, see in STEP.items():
        for finding in _ruled(quantity, runs, drift, partial(see, step), mode):
            yield replace(finding, name=f"{finding.name}, step {step + 1}")


def _ruled(quantity: str, runs: Runs, drift: Drift, see: See, mode: str) -> Iterator[Finding]:
    """Array by array, in the order of the last framework, the reference's."""
    for name in see(list(drift.still.values())[-1]):
        values, still, moved = (
            {label: see(run)[name] for label, run in some.items()} for some in (runs, drift.still, drift.moved)
        )
        yield rule_drift(quantity, name, values, moved, still=still, mode=mode)


def _fed(runs: Runs, step: int, mode: str) -> Finding:
    """Whether the devices' parts together are the batch, each example once."""
    fed = {label: run.fed[step] for label, run in runs.items()}
    first, *others = (Counter(chain(*parts)) for parts in fed.values())
    verdict = Verdict.SAME if all(other == first for other in others) else Verdict.DIFFERENT
    had = "; ".join(
        f"{sum(map(len, p))} examples as {' + '.join(str(len(q)) for q in p)} ({n})" for n, p in fed.items()
    )
    return Finding("parts of the batch", f"step {step + 1}", verdict, reason=had, mode=mode)


def _cause(drift: Drift, several: Mapping[int, Runs], ways: Ways, apart: bool) -> str:
    """What makes the first run different that is; "" where it is none of the known ways."""
    causes = [
        _of_parts(drift.still[framework], run) or _of_step(drift.still[framework], run, drift, ways(count))
        for count, runs in several.items()
        for framework, run in runs.items()
    ]
    if apart and set(causes) == {APART}:
        return BY_DESIGN
    return next((cause for cause in causes if cause and not (apart and cause == APART)), "")


def _of_parts(still: WatchedRun, run: WatchedRun) -> str:
    """A cause that the parts of the batches show."""
    for step, parts in enumerate(run.fed):
        batch, had = Counter(chain(*still.fed[step])), Counter(chain(*parts))
        repeated, missing = had - batch, batch - had
        if repeated and missing:
            return ONE_FOR_ALL if len({tuple(part) for part in parts}) == 1 else OTHERS
        if repeated or missing:
            return REPEATED if repeated else LEFT_OUT
    return ""


def _of_step(still: WatchedRun, run: WatchedRun, drift: Drift, ways: Iterator[tuple[str, Step]]) -> str:
    """The way that gives just what the first step gave, where that is not what one device gives."""
    if _fits((still.losses[0], still.gradients[0], still.buffers[0]), run, drift):
        return ""
    return next((name for name, step in ways if _fits(step, run, drift)), "")


def _fits(step: Step, run: WatchedRun, drift: Drift) -> bool:
    """Whether a run's first step is this one, as the referee has it."""
    loss, gradients, buffers = step
    expected = replace(run, losses=np.asarray([loss]), gradients=[gradients], buffers=[buffers])
    return all(finding.verdict.passes for finding in _computed({"run": run, "expected": expected}, drift, 0, ""))
