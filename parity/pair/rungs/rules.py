"""The rungs of the ladder, of what both sides of a user's pair showed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.checks.ladder import NAMES
from parity.checks.referee import rule_drift
from parity.checks.verdict import Finding, Rung, Verdict, rung
from parity.interface.observation import Seen
from parity.interface.packing import Packing
from parity.interface.trace import Arrays, Trajectory, call_names
from parity.interface.twin import Precision
from parity.pair.arrays.layout import ONE_FOR_ALL, compare, floating, turned
from parity.pair.passes.sides import PRECISIONS, Joint, Views, turn_by
from parity.pair.rungs.input_gradients import Given, input_gradients
from parity.pair.weightmap.match import Bond, Link, Match
from parity.pair.weightmap.random_weights import name_of
from parity.report.pair import Layer

Names = tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True)
class Compared:
    """One mode.

    Args:
        layers: those that are compared.
        results: findings on what the networks return.
        otherwise: layers that differ though the results agree: one side computes there what the other computes
            elsewhere (a norm of all tokens, or of the first one only), which is no difference of function.
    """

    layers: tuple[Layer, ...]
    results: tuple[Finding, ...]
    otherwise: tuple[Layer, ...] = ()


def compare_layers(joints: Sequence[Joint], views: Views, names: Names, mode: str) -> Compared:
    """Every joint's output and its gradient, and the results."""
    called = [call_names([c.path for c in seen["float64"].calls]) for seen in (views.flax, views.torch)]
    shown = [_layer(joint, views, (called[0][joint.pair.flax], called[1][joint.pair.torch]), mode) for joint in joints]
    returned = tuple(_results(views, names, mode))
    agreed = all(finding.verdict.passes for finding in returned)
    apart = [layer for layer in shown if agreed and layer.finding.verdict is Verdict.DIFFERENT]
    return Compared(tuple(layer for layer in shown if layer not in apart), returned, tuple(apart))


def _layer(joint: Joint, views: Views, names: tuple[str, str], mode: str) -> Layer:
    a, b = views.flax["float64"].calls[joint.pair.flax], views.torch["float64"].calls[joint.pair.torch]
    arrays = {p: _outputs(views, joint, p) for p in PRECISIONS}
    finding = compare(
        "output",
        names[1] or "network",
        *arrays["float64"],
        arrays["float32"][1],
        arrays["float32"][0],
        mode=mode,
    )
    return Layer(
        *names,
        f"{a.type} / {b.type}",
        mode,
        arrays["float64"][1].shape,
        finding,
        _inherited(a.inputs, b.inputs),
        _gradient(joint, views, names[1] or "network", mode),
    )


def _outputs(views: Views, joint: Joint, precision: Precision) -> tuple[NDArray, NDArray]:
    ours = floating(views.flax[precision].calls[joint.pair.flax].outputs)[joint.leaf_flax]
    theirs = floating(views.torch[precision].calls[joint.pair.torch].outputs)[joint.leaf_torch]
    return turn_by(joint.turn, ours, theirs.shape), theirs


def _gradient(joint: Joint, views: Views, name: str, mode: str) -> Finding | None:
    found = []
    for precision in PRECISIONS if joint.turn != ONE_FOR_ALL else ():
        ours = _gradients(views.flax[precision], joint.pair.flax)[joint.leaf_flax]
        theirs = _gradients(views.torch[precision], joint.pair.torch)[joint.leaf_torch]
        if ours is None or theirs is None:
            return None
        found.append((turn_by(joint.turn, ours, theirs.shape), theirs))
    if not found:
        return None
    (a, b), (low_a, low_b) = found
    return compare("gradient of output", name, a, b, low_b, low_a, mode=mode, smooth=False)


def _gradients(seen: Seen, place: int) -> list[NDArray | None]:
    call = seen.calls[place]
    if not call.gradients:
        return [None] * len(call.outputs)
    pairs = zip(call.outputs, call.gradients, strict=True)
    return [g for o, g in pairs if np.issubdtype(o.dtype, np.floating)]


def _inherited(ours: Sequence[NDArray], theirs: Sequence[NDArray]) -> float:
    """Gap between the first inputs, relative to their size; that between others if it is smaller."""
    gaps = [_gap(a, b) for b in floating(theirs)[:2] for a in floating(ours)[:2]]
    return min(gaps, default=0.0)


def _gap(a: NDArray, b: NDArray) -> float:
    turn = turned(a, b, inside=True)
    if turn is None:
        return np.inf
    with np.errstate(all="ignore"):
        gap, size = float(np.linalg.norm((turn[1](a) - b).ravel())), float(np.linalg.norm(b.ravel()))
    return gap / size if size else gap


def _results(views: Views, names: Names, mode: str) -> Iterator[Finding]:
    ours, theirs = names
    if len(ours) != len(theirs):
        reason = f"Flax returns {len(ours)} floating arrays, PyTorch {len(theirs)}"
        yield Finding("result", "network", Verdict.DIFFERENT, np.inf, reason=reason, mode=mode)
        return
    flax, torch = ({p: seen[p].outputs for p in PRECISIONS} for seen in (views.flax, views.torch))
    yield from results("result", names, flax, torch, mode)


def results(
    quantity: str, names: Names, flax: Mapping[Precision, Arrays], torch: Mapping[Precision, Arrays], mode: str
) -> Iterator[Finding]:
    """Findings on what the networks return, leaf by leaf."""
    for a, b in zip(*names, strict=False):
        (ours, theirs), (ours_low, theirs_low) = ((flax[p][a], torch[p][b]) for p in PRECISIONS)
        turn = turned(ours, theirs)
        if turn is not None:
            ours, ours_low = turn[1](ours), turn[1](ours_low)
        yield compare(quantity, b or "network", ours, theirs, theirs_low, ours_low, mode=mode)


def forward(compared: Sequence[Compared]) -> Rung:
    """Rung 2: every layer's output and the results, in both modes."""
    findings = [f for one in compared for f in (*(layer.finding for layer in one.layers), *one.results)]
    return rung(2, NAMES[2], findings)


def gradients(
    match: Match,
    compared: Sequence[Compared],
    views: Mapping[str, Views],
    parameters: set[str],
    given: Given,
    losses: Sequence[Finding],
) -> Rung:
    """Rung 3: the losses, if there are any, and gradients of parameters, inputs and every layer's output, in both
    modes."""
    findings = list(losses)
    for mode, one in zip(views, compared, strict=True):
        findings += [layer.gradient for layer in reversed(one.layers) if layer.gradient is not None]
        findings += parameter_gradients(match, views[mode], parameters, mode)
        findings += input_gradients(views[mode], given, mode)
    return rung(3, NAMES[3], findings)


def parameter_gradients(match: Match, views: Views, parameters: set[str], mode: str) -> Iterator[Finding]:
    """The gradient of every mapped array that both sides learn; that of a tied one is the sum of the other side's."""
    for bond, link in learnable(match, parameters):
        if link.tie is not None:
            continue
        ties = match.tied_to(link)
        (a, low_a), (b, low_b) = (
            [_pulled(side, link, ties, seen[p].parameter_gradients) for p in PRECISIONS]
            for side, seen in (("flax", views.flax), ("torch", views.torch))
        )
        name = " + ".join([name_of(bond, link), *(name_of(*tied) for tied in ties)])
        yield compare("gradient", name, a, b, low_b, low_a, mode=mode, smooth=False)


def _pulled(side: str, link: Link, ties: Sequence[tuple[Bond, Link]], gradients: Arrays) -> NDArray:
    """The gradient of a canonical array, with those of the arrays that the other side ties to it."""
    packing: Packing = getattr(link, side)
    total = packing.pull(_given(gradients, packing.names))
    for _, other in ties:
        if other.tie is not None and other.tie.side != side:
            own: Packing = getattr(other, side)
            total = total + other.tie.turn(own.pull(_given(gradients, own.names)))
    return total


def learnable(match: Match, parameters: set[str]) -> Iterator[tuple[Bond, Link]]:
    """Mapped arrays that both sides learn; names are "flax:…" and "torch:…"."""
    for bond, link in match.links:
        names = [f"flax:{n}" for n in link.flax.names] + [f"torch:{n}" for n in link.torch.names]
        if parameters.issuperset(names):
            yield bond, link


def _given(gradients: Arrays, names: Sequence[str]) -> Arrays:
    return {name: np.asarray(gradients[name], np.float64) for name in names}


def buffers(match: Match, parameters: set[str]) -> Iterator[tuple[Bond, Link]]:
    """Mapped arrays that no side learns."""
    for bond, link in match.links:
        names = {f"flax:{n}" for n in link.flax.names} | {f"torch:{n}" for n in link.torch.names}
        if not names & parameters:
            yield bond, link


def state(
    match: Match, parameters: set[str], after: Mapping[Precision, tuple[Arrays, Arrays]], results: Sequence[Finding]
) -> Rung:
    """Rung 4: buffers after training passes, then what the networks return in evaluation.

    Args:
        match: the map.
        parameters: names of what is learnt.
        after: precision → all native arrays of both sides.
        results: findings on the evaluation afterwards.
    """
    findings = []
    for bond, link in buffers(match, parameters):
        high, low = ((link.flax.read(after[p][0]), link.torch.read(after[p][1])) for p in PRECISIONS)
        findings.append(compare("buffer", name_of(bond, link), *high, low[1], low[0], mode="training"))
    return rung(4, NAMES[4], [*findings, *results])


def update(seen: Mapping[str, Mapping[str, Sequence[Arrays]]]) -> list[Finding]:
    """Of rung 5: the optimizers alone. Side → precision → arrays after every step."""
    findings = []
    for step, arrays in enumerate(seen["torch"]["float64"]):
        for name in arrays:
            flax, torch = ([seen[side][p][step][name] for p in ("float64", "float32")] for side in ("flax", "torch"))
            named = f"{name} after step {step + 1}"
            findings.append(compare("optimizer", named, flax[0], torch[0], torch[1], flax[1]))
    return findings


def trajectory(
    match: Match, parameters: set[str], runs: Mapping[str, Trajectory], own: Mapping[str, Trajectory]
) -> Rung:
    """Rung 6: training runs, against each side's own drift when its start is moved by one ulp. Buffers are rung 4's."""
    findings = []
    for step in range(len(runs["torch"].losses)):
        values, moved = ({side: run.losses[step] for side, run in by.items()} for by in (runs, own))
        findings.append(rule_drift("loss", f"step {step + 1}", values, moved))
    for bond, link in learnable(match, parameters):
        values, moved = (
            {"flax": link.flax.read(by["flax"].weights), "torch": link.torch.read(by["torch"].weights)}
            for by in (runs, own)
        )
        findings.append(rule_drift("weight afterwards", name_of(bond, link), values, moved))
    return rung(6, NAMES[6], findings)
