"""What both sides showed in one mode, compared layer by layer and result by result."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.checks.verdict import Finding, Verdict
from parity.interface.observation import PassResult
from parity.interface.trace import Arrays, Precision, call_names
from parity.pair.arrays.layout import ONE_FOR_ALL, compare, floating, turn_by, turned
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.sides import PRECISIONS
from parity.report.records import Layer

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


def compare_layers(joints: Sequence[CallPairing], views: BothSides, names: Names, mode: str) -> Compared:
    """Every joint's output and its gradient, and the results."""
    called = [call_names([c.path for c in seen["float64"].calls]) for seen in (views.flax, views.torch)]
    shown = [_layer(joint, views, (called[0][joint.pair.flax], called[1][joint.pair.torch]), mode) for joint in joints]
    returned = tuple(_results(views, names, mode))
    agreed = all(finding.verdict.passes for finding in returned)
    apart = [layer for layer in shown if agreed and layer.finding.verdict is Verdict.DIFFERENT]
    return Compared(tuple(layer for layer in shown if layer not in apart), returned, tuple(apart))


def _layer(joint: CallPairing, views: BothSides, names: tuple[str, str], mode: str) -> Layer:
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


def _outputs(views: BothSides, joint: CallPairing, precision: Precision) -> tuple[NDArray, NDArray]:
    ours = floating(views.flax[precision].calls[joint.pair.flax].outputs)[joint.leaf_flax]
    theirs = floating(views.torch[precision].calls[joint.pair.torch].outputs)[joint.leaf_torch]
    return turn_by(joint.turn, ours, theirs.shape), theirs


def _gradient(joint: CallPairing, views: BothSides, name: str, mode: str) -> Finding | None:
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


def _gradients(seen: PassResult, place: int) -> list[NDArray | None]:
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


def _results(views: BothSides, names: Names, mode: str) -> Iterator[Finding]:
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
