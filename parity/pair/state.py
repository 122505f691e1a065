"""Rung 4 of a pair: buffers after training steps, and the conventions that explain a difference."""

from collections.abc import Mapping, Sequence

import numpy as np

from parity.backends.twin import Precision
from parity.checks.verdict import Finding, Rung, Verdict
from parity.pair import rungs
from parity.pair.conventions import STATE, quantified, undone_statistics
from parity.pair.inputs import changed
from parity.pair.layout import compare, turned
from parity.pair.observe import PRECISIONS
from parity.pair.work import Work
from parity.report.pair import Convention
from parity.trace import Arrays


def state_rung(work: Work, accept: Sequence[str]) -> tuple[Rung, list[Convention]] | None:
    """The rung: two training steps' buffers, then evaluation; and the conventions that explain a difference."""
    if not any(rungs.buffers(work.match, work.parameters)):
        return None
    couple, proof = work.couple, work.proof
    second = changed(couple.inputs, lambda a: (1.5 * a[::-1] + 0.25).astype(a.dtype))
    after: dict[Precision, tuple[Arrays, Arrays]] = {}
    steps, calls = [proof.torch], [work.views["training"].torch["float64"].calls]
    for precision in PRECISIONS:
        views = work.views["training"]
        flax = {**proof.flax, **views.flax[precision].buffers}
        torch = {**proof.torch, **views.torch[precision].buffers}
        seen = couple.look_torch(torch, "training", precision, second)
        if precision == "float64":
            calls.append(seen.calls)
            steps += [torch, {**torch, **seen.buffers}]
        after[precision] = (
            {**flax, **couple.look_flax(flax, "training", precision, second).buffers},
            {**torch, **seen.buffers},
        )
    found = rungs.state(work.match, work.parameters, after, _afterwards(work, after))
    if found.verdict is not Verdict.DIFFERENT:
        return found, []
    names = [one.convention for one in work.lints if one.convention in STATE]
    undone = undone_statistics(work.match, steps, calls) if names else {}
    undone_low = {**after["float32"][1], **{k: v.astype(np.float64) for k, v in undone.items()}}
    mended: dict[Precision, tuple[Arrays, Arrays]] = {
        "float64": (after["float64"][0], {**after["float64"][1], **undone}),
        "float32": (after["float32"][0], _mended_low(undone_low, after, undone)),
    }
    explained = rungs.state(work.match, work.parameters, mended, _afterwards(work, mended)) if undone else found
    conventions = [
        Convention(
            one.convention,
            quantified(one.convention, one, work.match, calls[0]),
            (4,),
            explained.verdict.passes,
            one.convention in accept,
        )
        for one in {o.convention: o for o in work.lints if o.convention in STATE}.values()
    ]
    return found, conventions if undone else []


def _mended_low(low: Arrays, after: Mapping[Precision, tuple[Arrays, Arrays]], undone: Arrays) -> Arrays:
    """Float32's arrays, undone by as much as float64's are: their own rounding stays what it was."""
    high = after["float64"][1]
    return {
        name: after["float32"][1][name] + (undone[name] - high[name]) if name in undone else low[name] for name in low
    }


def _afterwards(work: Work, after: Mapping[Precision, tuple[Arrays, Arrays]]) -> list[Finding]:
    """What the networks return in evaluation with these arrays."""
    couple, found = work.couple, []
    seen = {
        p: (couple.look_flax(flax, "evaluation", p).outputs, couple.look_torch(torch, "evaluation", p).outputs)
        for p, (flax, torch) in after.items()
    }
    for a, b in zip(*couple.result_names, strict=False):
        (ours, theirs), (ours_low, theirs_low) = ((seen[p][0][a], seen[p][1][b]) for p in PRECISIONS)
        turn = turned(ours, theirs)
        if turn is not None:
            ours, ours_low = turn[1](ours), turn[1](ours_low)
        found.append(
            compare("result afterwards", b or "network", ours, theirs, theirs_low, ours_low, mode="evaluation")
        )
    return found
