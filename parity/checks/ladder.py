"""The rungs of the ladder, in order. Each takes arrays and gives its verdict; the first that fails is the headline."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod
from operator import itemgetter
from typing import Any

from numpy.typing import NDArray

from parity.checks.blame import blame_backward, blame_forward, first_of_worst, inherit
from parity.checks.drift import settled
from parity.checks.referee import HighLow, rule, rule_drift
from parity.checks.verdict import Finding, Rung, Verdict, rung
from parity.errors import UsageError, counted
from parity.interface.trace import Arrays, Reading, Trace, Trajectory
from parity.weights import is_buffer, mismatches

NAMES = {
    1: "structure",
    2: "forward",
    3: "gradients",
    4: "state",
    5: "update",
    6: "trajectory",
    7: "initialisation",
    8: "data",
    10: "devices",
}
"""Number → name. Rung 9 is the outcome of whole training runs."""
RUNGS = tuple(number for number in NAMES if number < 10)
"""Those that are climbed on one device; rung 10 where several are asked for."""

Traces = Mapping[str, Mapping[str, Mapping[str, Trace]]]
Readings = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Reading]]]]


def parse_rungs(text: str) -> list[int]:
    """Rung numbers of "1,3" or "2-5" or names ("forward,state").

    Raises:
        UsageError: a part is neither.
    """
    by_name = {name: number for number, name in NAMES.items()}
    chosen: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = [by_name.get(end, int(end) if end.isdecimal() else 0) for end in (first, last if dash else first)]
        if not all(end in NAMES for end in ends) or ends[0] > ends[1]:
            known = ", ".join(f"{number} {name}" for number, name in NAMES.items())
            raise UsageError(
                f"--rungs got {part.strip()!r}; expected numbers or names such as 2-4,update; known: {known}"
            )
        chosen += [number for number in NAMES if ends[0] <= number <= ends[1]]
    return chosen


def structure(shapes: Mapping[str, Mapping[str, tuple[int, ...]]], stated: int | None) -> Rung:
    """Rung 1: the weight maps are one bijection over parameters and buffers; the count is the stated one.

    Args:
        shapes: framework → canonical name → shape.
        stated: number of learnable parameters that the network should have; None if nobody says.
    """
    *others, (last, expected) = shapes.items()
    findings = [] if others else [Finding("weight map", "", Verdict.INCONCLUSIVE, reason="nothing was compared")]
    for framework, got in others:
        faults = mismatches(got, expected)
        verdict = Verdict.DIFFERENT if faults else Verdict.SAME
        reason = (
            f"{framework} against {last}: {'; '.join(faults)}" if faults else f"{counted(len(got), 'array')} in both"
        )
        findings.append(Finding("weight map", _first_odd(got, expected), verdict, reason=reason))
    for framework, got in shapes.items() if stated is not None else ():
        count = sum(prod(shape) for name, shape in got.items() if not is_buffer(name))
        verdict = Verdict.SAME if count == stated else Verdict.DIFFERENT
        reason = f"{count:,} learnable parameters in {framework}, {stated:,} stated"
        findings.append(Finding("parameter count", "", verdict, reason=reason))
    return rung(1, NAMES[1], findings)


def forward(traces: Traces, readings: Readings) -> Rung:
    """Rung 2: every layer's output, in evaluation and in training, in the free run and alone.

    Args:
        traces: mode → framework → precision → trace.
        readings: mode → framework → precision → call → reading.
    """
    findings, blamed = [], []
    for mode, seen in traces.items():
        free = _outputs("output", seen, mode, lambda trace: trace.outputs)
        alone = [
            replace(f, isolated=True) for f in _outputs("output", readings[mode], mode, lambda r: _part(r, "output"))
        ]
        free = inherit(free, alone)
        findings += [*free, *alone]
        blamed.append(blame_forward(free, alone))
    return rung(2, NAMES[2], findings, *(first_of_worst(blamed) or ()))


def gradients(traces: Traces, readings: Readings, drift: tuple[Traces, Readings] | None = None) -> Rung:
    """Rung 3: the loss, its gradients as the optimizer gets them, and the pull-back of a random cotangent to every
    parameter, the input and every layer's output; in the free run and for every layer alone.

    Args:
        traces, readings: the same two mappings that `forward` takes.
        drift: the same with each framework's own drift in the place of float32, for a second opinion.
    """
    findings, blamed = [], []
    for mode, seen in traces.items():
        parts = _backward(seen, readings[mode], mode)
        if drift is not None:
            again = _backward(drift[0][mode], drift[1][mode], mode)
            parts = tuple(map(settled, parts, again))
        loss, training, free, inputs, parameters, alone = parts
        findings += [finding for part in parts for finding in part]
        blamed.append(blame_backward(loss, training, free, [*parameters, *inputs], alone))
    return rung(3, NAMES[3], findings, *(first_of_worst(blamed) or ()))


def _backward(
    seen: Mapping[str, Mapping[str, Trace]], readings: Mapping[str, Mapping[str, Mapping[str, Reading]]], mode: str
) -> tuple[list[Finding], ...]:
    """The loss, training gradients, gradients of outputs, of the input, of parameters, and those of calls alone."""
    return (
        _outputs("loss", seen, mode, lambda trace: {"loss": trace.loss}),
        _outputs("training gradient", seen, mode, lambda trace: trace.training_gradients, smooth=False),
        _outputs("gradient of output", seen, mode, lambda trace: trace.gradients.outputs, smooth=False),
        _outputs("gradient of input", seen, mode, lambda t: _there({"input": t.gradients.input}), smooth=False),
        _outputs("gradient", seen, mode, lambda trace: trace.gradients.parameters, smooth=False),
        [replace(f, isolated=True) for f in _isolated_gradients(readings, mode)],
    )


def state(seen: Mapping[str, Mapping[str, tuple[Arrays, NDArray]]]) -> Rung:
    """Rung 4: running statistics after several training passes, then the logits in evaluation.

    Args:
        seen: framework → precision → (buffers, logits).
    """
    buffers = _outputs("buffer", seen, "training", lambda pair: pair[0])
    logits = _outputs("logits afterwards", seen, "evaluation", lambda pair: {"": pair[1]})
    return rung(4, NAMES[4], [*buffers, *logits])


def update(seen: Mapping[str, Mapping[str, Sequence[Arrays]]]) -> Rung:
    """Rung 5: the optimizer alone on one stream of gradients; parameters and moments after every step.

    Args:
        seen: framework → precision → step → arrays.
    """
    steps = len(next(iter(next(iter(seen.values())).values())))
    findings: list[Finding] = []
    for step in range(steps):
        arrays = _outputs("optimizer", seen, "", itemgetter(step))
        findings += [replace(f, name=f"{f.name} after step {step + 1}") for f in arrays]
    return rung(5, NAMES[5], findings)


def trajectory(seen: Mapping[str, Trajectory], from_moved: Mapping[str, Trajectory]) -> Rung:
    """Rung 6: a training run, against each framework's own drift when its start is moved by one ulp.

    Args:
        seen: framework → its run in float64.
        from_moved: framework → its run from the moved start.
    """
    findings = []
    for step in range(len(next(iter(seen.values())).losses)):
        losses = {framework: run.losses[step] for framework, run in seen.items()}
        moved = {framework: run.losses[step] for framework, run in from_moved.items()}
        findings.append(rule_drift("loss", f"step {step + 1}", losses, moved))
    for name in list(seen.values())[-1].weights:
        weights = {framework: run.weights[name] for framework, run in seen.items()}
        moved = {framework: run.weights[name] for framework, run in from_moved.items()}
        findings.append(rule_drift("weight afterwards", name, weights, moved))
    return rung(6, NAMES[6], findings)


def data(digests: Mapping[str, Sequence[str]], positions: Sequence[tuple[int, int]]) -> Rung:
    """Rung 8: every framework holds byte-identical batches.

    Args:
        digests: framework → digest of its batch at each position.
        positions: (epoch, step) of the batches.
    """
    findings = []
    for i, (epoch, step) in enumerate(positions):
        got = {framework: digest[i] for framework, digest in digests.items()}
        verdict = Verdict.SAME if len(set(got.values())) == 1 else Verdict.DIFFERENT
        if len(got) < 2:
            verdict = Verdict.INCONCLUSIVE
        reason = ", ".join(f"{framework} {digest[:12]}" for framework, digest in got.items())
        findings.append(Finding("batch", f"epoch {epoch} step {step}", verdict, reason=reason))
    return rung(8, NAMES[8], findings)


def _first_odd(got: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]) -> str:
    """Path of the first layer whose arrays are not the expected ones."""
    names = [*expected, *got]
    return next((name.rpartition(".")[0] for name in names if got.get(name) != expected.get(name)), "")


def _outputs(
    quantity: str,
    seen: Mapping[str, Mapping[str, Any]],
    mode: str,
    select: Callable[[Any], Arrays],
    *,
    smooth: bool = True,
) -> list[Finding]:
    """Rule on each of the arrays that `select` takes from what was observed of every framework and precision."""
    chosen = {f: {precision: select(observation) for precision, observation in by.items()} for f, by in seen.items()}
    names = dict.fromkeys(name for by in reversed(chosen.values()) for name in by["float64"])
    findings = []
    for name in names:
        if absent := [f for f, by in chosen.items() if name not in by["float64"]]:
            reason = f"not there in {', '.join(absent)}: nothing to compare"
            findings.append(Finding(quantity, name, Verdict.INCONCLUSIVE, reason=reason, mode=mode))
            continue
        values = {
            f: HighLow(by["float64"][name], by["float32"][name] if "float32" in by else None)
            for f, by in chosen.items()
        }
        findings.append(rule(quantity, name, values, smooth=smooth, mode=mode))
    return findings


def _part(readings: Mapping[str, Reading], part: str) -> Arrays:
    return _there({call: getattr(reading, part) for call, reading in readings.items()})


def _there(arrays: Arrays) -> Arrays:
    """The arrays without those that are empty: whole numbers have no gradient."""
    return {name: array for name, array in arrays.items() if array.size}


def _isolated_gradients(seen: Mapping[str, Mapping[str, Mapping[str, Reading]]], mode: str) -> Iterable[Finding]:
    yield from _outputs("gradient of input", seen, mode, lambda r: _part(r, "input_gradient"), smooth=False)
    yield from _outputs(
        "gradient",
        seen,
        mode,
        lambda r: {
            f"{call}:{name}": array
            for call, reading in r.items()
            for name, array in reading.parameter_gradients.items()
        },
        smooth=False,
    )


STEPS = 3
"""Training steps of the trajectory and of the state rung: what step 1 hides shows by the third."""


UPDATE_SHAPES = {"kernel": (7, 11), "bias": (13,), "unused": (5,)}


MAGNITUDES = (3.0, 1.0, 1e-2, 1e-4, 1e-6, 1e-2)
"""Of the gradients that the optimizer alone is fed, a step each; the first is beyond the study's clipping norm."""
