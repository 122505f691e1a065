"""The whole check of a user's pair: map, prove, climb, and say what was found."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from parity.backends.twin import Precision
from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Rung, Verdict, rung, worst
from parity.pair import draws, mapfile, rungs
from parity.pair.blame import first_difference
from parity.pair.conventions import STATE, quantified, require_known, undone_statistics
from parity.pair.inputs import Adapter, adapt, as_inputs, changed
from parity.pair.layout import compare as ruled
from parity.pair.layout import turned
from parity.pair.lint import lint, lint_dropout, lint_gelu
from parity.pair.match import Match, match
from parity.pair.observe import MODES, PRECISIONS, Couple, Joint, Views, joints, look
from parity.pair.probes import probes, try_probe
from parity.pair.prove import BUDGET, Proof, Prover
from parity.pair.repro import script
from parity.pair.seen import Inputs
from parity.pair.side import Side
from parity.pair.weightmap import coverage, table
from parity.report.pair import Convention, Difference, Lint, Report
from parity.trace import Arrays, Trajectory

STEPS = 3
"""Training steps of the trajectory: what step 1 hides shows by the third."""


@dataclass
class Work:
    """What is known so far."""

    couple: Couple
    proof: Proof
    lints: list[Lint]
    views: dict[str, Views] = field(default_factory=dict)
    joints: dict[str, list[Joint]] = field(default_factory=dict)
    compared: dict[str, rungs.Compared] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shared: bool = False
    fixed: bool = False
    losses: dict[str, list[float]] = field(default_factory=dict)
    original: "Work | None" = None

    @property
    def match(self) -> Match:
        """The map."""
        return self.proof.match

    @property
    def parameters(self) -> set[str]:
        """Names of all that is learnt, by side."""
        couple = self.couple
        return {f"flax:{n}" for n in couple.flax.parameters} | {f"torch:{n}" for n in couple.torch.parameters}


Progress = Callable[[str], None]


def compare_sides(
    open_sides: Callable[[Inputs, Inputs], tuple[Side, Side]],
    inputs: Any,
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    optimizers: tuple[Any, Any] | None = None,
    accept: Sequence[str] = (),
    dropout: str = "off",
    probe: bool = True,
    map_file: str | None = None,
    map_out: str | None = None,
    seed: int = 0,
    name: str = "pair",
    progress: Progress = lambda note: None,
) -> Report:
    """Check a pair of sides; the arguments are those of `parity.compare`.

    Args:
        open_sides: makes the sides of their inputs.
    """
    require_known(accept)
    clock = {"started": time.perf_counter()}
    progress("mapping weights")
    couple = _couple(open_sides, inputs, to_flax, to_torch, seed)
    work = _proven(couple, _matched(couple, map_file), seed, fixed=map_file is not None)
    work.shared, work.fixed = dropout == "shared", map_file is not None
    if map_out:
        mapfile.write(work.match, map_out)
    _mark(clock, "map")
    progress("forward and gradients")
    conventions, shown = _forward(work, accept)
    climbed = [_structure(work), shown or rungs.forward(list(work.compared.values()))]
    climbed.append(rungs.gradients(work.match, list(work.compared.values()), work.views, work.parameters))
    _mark(clock, "passes")
    if probe and work.proof.agrees:
        progress("probes")
        climbed[1] = _probed(work, climbed[1])
        _mark(clock, "probes")
    progress("state")
    if state := _state(work, accept):
        climbed.append(state[0])
        conventions += state[1]
    if optimizers is not None:
        progress("optimizers")
        climbed += [_update(couple, optimizers), _trajectory(work, optimizers)]
    _mark(clock, "rest")
    climbed = [_rested(one, work) for one in climbed]
    return _report(name, work, climbed, conventions, clock)


def prove_map(
    open_sides: Callable[[Inputs, Inputs], tuple[Side, Side]],
    inputs: Any,
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    map_file: str | None = None,
    seed: int = 0,
) -> tuple[Couple, Proof]:
    """The sides and the proof of their map; arguments as of `compare_sides`."""
    couple = _couple(open_sides, inputs, to_flax, to_torch, seed)
    return couple, _proven(couple, _matched(couple, map_file), seed, fixed=map_file is not None).proof


def _couple(
    open_sides: Callable[[Inputs, Inputs], tuple[Side, Side]],
    inputs: Any,
    to_flax: Adapter,
    to_torch: Adapter,
    seed: int,
) -> Couple:
    given = as_inputs(inputs)
    flax, torch = open_sides(adapt(given, to_flax), adapt(given, to_torch))
    return Couple(flax, torch, given, to_flax, to_torch, seed)


def _unpaired(found: Match) -> bool:
    """Whether what is left over on both sides may be the same arrays, held in a way that was not recognised."""
    ours, theirs = found.lone_flax, found.lone_torch
    recurrent = any(unit.kind in ("lstm", "gru", "rnn") for unit in (*ours, *theirs))
    kinds = {unit.kind for unit in ours} != {unit.kind for unit in theirs}
    return bool(ours and theirs) and (recurrent or kinds)


def _rested(rung_: Rung, work: Work) -> Rung:
    """A rung that rests on a map which could not be decided cannot be called different."""
    proof, undecided = work.proof, work.proof.undecided or _unpaired(work.match)
    if proof.agrees or not undecided or rung_.verdict is not Verdict.DIFFERENT:
        return rung_
    return replace(rung_, verdict=Verdict.INCONCLUSIVE, reason="rests on the weight map, rung 1")


def _mark(clock: dict[str, float], part: str) -> None:
    now = time.perf_counter()
    clock[part] = now - clock["started"] - sum(v for k, v in clock.items() if k not in ("started", "total"))


def _matched(couple: Couple, map_file: str | None) -> Match:
    flax, torch = ({n: a.shape for n, a in side.native.items()} for side in (couple.flax, couple.torch))
    if map_file is not None:
        return mapfile.read(map_file, couple.flax.units, couple.torch.units, (flax, torch))
    return match(couple.flax.units, couple.torch.units, flax, torch)


def _probed(work: Work, forward: Rung) -> Rung:
    """The forward rung with what the probes found; those that could not be tried are noted."""
    findings = list(forward.findings)
    for one in probes(work.match, work.couple, work.proof.torch):
        found = try_probe(one, work.match, work.couple)
        if isinstance(found, str):
            work.notes.append(found)
        else:
            findings += found
    return rung(2, NAMES[2], findings)


def _proven(couple: Couple, found: Match, seed: int, fixed: bool = False) -> Work:
    prover = Prover(
        lambda native: couple.look_flax(native, "evaluation", "float64"),
        lambda native: couple.look_torch(native, "evaluation", "float64"),
        lambda native: couple.look_torch(native, "evaluation", "float32"),
        couple.flax.native,
        couple.torch.native,
        seed,
        budget=1 if fixed else BUDGET,
    )
    proof = prover.prove(found)
    if couple.settle_layouts(proof.sight.flax, proof.sight.torch):
        proof = prover.prove(proof.match)
    return Work(couple, proof, lint(proof.match))


def _forward(work: Work, accept: Sequence[str]) -> tuple[list[Convention], Rung | None]:
    """See both modes. If declared conventions are the cause of a difference, the rest is judged without them, and the
    forward rung as it was is given back."""
    _look(work)
    work.lints += lint_gelu(work.views["training"].flax["float64"].gelus, work.views["training"].torch["float64"].gelus)
    work.lints += lint_dropout(
        work.views["training"].flax["float64"].dropouts, work.views["training"].torch["float64"].dropouts
    )
    shown = rungs.forward(list(work.compared.values()))
    causes = [one for one in work.lints if one.convention in ("norm_eps", "gelu_form")]
    if shown.verdict is not Verdict.DIFFERENT or not causes:
        return [], None
    other = _undone(work, causes)
    if other is None:
        return [], None
    before = replace(work, compared=dict(work.compared))
    work.couple, work.proof, work.views, work.joints, work.compared = (
        other.couple,
        other.proof,
        other.views,
        other.joints,
        other.compared,
    )
    names = dict.fromkeys(one.convention for one in causes)
    calls = before.views["evaluation"].torch["float64"].calls
    found = []
    for name in names:
        first = next(one for one in causes if one.convention == name)
        total = replace(first, count=sum(one.count for one in causes if one.convention == name))
        found.append(Convention(name, quantified(name, total, work.match, calls), (2, 3), True, name in accept))
    work.original = before
    return found, shown


def _undone(work: Work, causes: Sequence[Lint]) -> Work | None:
    """The same with the causes undone, if that makes the networks agree."""
    eps = {
        bond.torch.path: bond.flax.settings["eps"]
        for bond in work.match.bonds
        if "eps" in bond.flax.settings and bond.flax.settings["eps"] != bond.torch.settings.get("eps")
    }
    gelu = next((one.flax for one in causes if one.convention == "gelu_form"), None)
    old = work.couple
    torch = old.torch.undo(eps, gelu)
    couple = Couple(old.flax, torch, old.inputs, old.to_flax, old.to_torch, old.seed, list(old.result_turns))
    other = _proven(couple, work.match, couple.seed, work.fixed)
    other.shared = work.shared
    if not other.proof.agrees:
        return None
    _look(other)
    return other if rungs.forward(list(other.compared.values())).verdict.passes else None


def _look(work: Work) -> None:
    """Both modes in both precisions."""
    couple, proof = work.couple, work.proof
    for mode in MODES:
        if mode == "evaluation":
            low = couple.look_flax(proof.flax, mode, "float32")
            sight = proof.sight
            views = Views({"float64": sight.flax, "float32": low}, {"float64": sight.torch, "float32": sight.low})
        else:
            views = look(couple, proof.match, proof.torch, mode, work.shared)
        work.views[mode] = views
        work.joints[mode] = joints(proof.match, views)
        work.compared[mode] = rungs.compare_layers(work.joints[mode], views, couple.result_names, mode)


def _structure(work: Work) -> Rung:
    """Rung 1: every array that has an effect has a counterpart, and the map is decided."""
    findings = [Finding("weight map", "", Verdict.SAME, reason=f"{len(work.match.bonds)} pairs of layers")]
    for side, lone in (("flax", work.match.lone_flax), ("torch", work.match.lone_torch)):
        findings += [_lone(work, side, u.path, [n for p in u.arrays.values() for n in p.names]) for u in lone]
    for bond in work.match.bonds:
        for side, unit, roles in (("flax", bond.flax, bond.lone_flax), ("torch", bond.torch, bond.lone_torch)):
            findings += [_lone(work, side, unit.path, list(unit.arrays[role].names)) for role in roles]
    if _unpaired(work.match):
        reason = "both sides have arrays without a counterpart that may be one; give map= with the right pairs"
        findings = [replace(f, verdict=Verdict.INCONCLUSIVE) if f.verdict is Verdict.DIFFERENT else f for f in findings]
        findings.append(Finding("weight map", "", Verdict.INCONCLUSIVE, reason=reason))
    if work.proof.undecided:
        left = ", ".join(work.proof.undecided[:4])
        reason = f"{work.proof.tried} readings tried, none agrees; not tried: {left}; give map= with the right pairs"
        findings.append(Finding("weight map", "", Verdict.INCONCLUSIVE, reason=reason))
    return rung(1, NAMES[1], findings)


def _lone(work: Work, side: str, path: str, names: Sequence[str]) -> Finding:
    """An array without a counterpart: a difference if it is learnt and has an effect."""
    views = [getattr(v, side)["float64"].parameter_gradients for v in work.views.values()]
    own = work.couple.flax if side == "flax" else work.couple.torch
    learnt = [name for name in names if name in own.parameters]
    effect = any(np.any(gradients.get(name, 0)) for gradients in views for name in learnt)
    other = "torch" if side == "flax" else "flax"
    reason = f"{', '.join(names)} of {side} has no counterpart in {other}"
    if effect:
        return Finding("weight map", path, Verdict.DIFFERENT, reason=reason)
    return Finding("weight map", path, Verdict.SAME, reason=f"{reason}, and no effect" if learnt else reason)


def _state(work: Work, accept: Sequence[str]) -> tuple[Rung, list[Convention]] | None:
    """Rung 4: two training steps' buffers, then evaluation; and the conventions that explain a difference."""
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
        "float32": (after["float32"][0], _low(undone_low, after, undone)),
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


def _low(low: Arrays, after: Mapping[Precision, tuple[Arrays, Arrays]], undone: Arrays) -> Arrays:
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
        found.append(ruled("result afterwards", b or "network", ours, theirs, theirs_low, ours_low, mode="evaluation"))
    return found


def _update(couple: Couple, optimizers: tuple[Any, Any]) -> Rung:
    """Rung 5."""
    from parity.case import MAGNITUDES, UPDATE_SHAPES

    rng = np.random.default_rng([couple.seed, 5])
    start = {name: draws.single(rng.standard_normal(shape)) for name, shape in UPDATE_SHAPES.items()}
    stream = [
        {name: draws.single(size * rng.standard_normal(shape)) for name, shape in UPDATE_SHAPES.items()}
        for size in MAGNITUDES
    ]
    for gradients in stream:
        gradients["unused"] = np.zeros(UPDATE_SHAPES["unused"])
    sides = {"flax": (couple.flax, optimizers[0]), "torch": (couple.torch, optimizers[1])}
    return rungs.update(
        {
            name: {p: side.update(own, start, stream, p) for p in ("float64", "float32")}
            for name, (side, own) in sides.items()
        }
    )


def _trajectory(work: Work, optimizers: tuple[Any, Any]) -> Rung:
    """Rung 6."""
    couple, proof = work.couple, work.proof
    rng = np.random.default_rng([couple.seed, 6])
    batches = [changed(couple.inputs, lambda a, s=s: (a * (1.0 + 0.25 * s)).astype(a.dtype)) for s in range(STEPS)]  # type: ignore[misc]
    shapes = {name: array.shape for name, array in couple.cotangents[1].items()}
    theirs = [{name: draws.single(rng.standard_normal(shape)) for name, shape in shapes.items()} for _ in batches]
    ours = [couple.in_flax(target) for target in theirs]
    moved = draws.moved(work.match, proof.torch, rng)
    runs: dict[str, Trajectory] = {}
    own: dict[str, Trajectory] = {}
    for found, torch in ((runs, proof.torch), (own, moved)):
        flax = draws.carry(work.match, torch, couple.flax.native)
        found["flax"] = couple.flax.train(flax, [couple.given("flax", b) for b in batches], ours, optimizers[0])
        found["torch"] = couple.torch.train(torch, [couple.given("torch", b) for b in batches], theirs, optimizers[1])
    work.losses = {side: [float(x) for x in run.losses] for side, run in runs.items()}
    return rungs.trajectory(work.match, work.parameters, runs, own)


def _report(
    name: str, work: Work, climbed: list[Rung], conventions: list[Convention], clock: dict[str, float]
) -> Report:
    original = work.original or work
    layers = [layer for one in original.compared.values() for layer in one.layers]
    excused = {n for c in conventions if c.accepted and c.confirmed for n in c.rungs}
    blamed = {n for c in conventions if c.confirmed for n in c.rungs if not c.accepted}
    counted = [one.verdict for one in climbed if one.number not in excused or one.number in blamed]
    first = first_difference(climbed, layers, work.match, work.lints)
    return Report(
        name=name,
        verdict=worst(counted),
        rungs=climbed,
        first_difference=first,
        layers=layers,
        weights=table(work.proof, work.views),
        lints=work.lints,
        conventions=conventions,
        coverage=coverage(work.match, work.couple, work.joints["evaluation"], work.views["evaluation"]),
        losses=work.losses,
        repro_script=_script(first, original),
        notes=[*work.notes, *_casts(work)],
        seconds={**{k: v for k, v in clock.items() if k != "started"}, "total": time.perf_counter() - clock["started"]},
    )


def _script(first: Difference | None, work: Work) -> str:
    """The script that reproduces the first difference."""
    same = (bond for bond in work.match.bonds if first and bond.torch.path == first.layer_torch)
    return script(first, next(same, None), work.views["evaluation"].torch["float64"], work.lints)


def _casts(work: Work) -> list[str]:
    """Hard casts that were found."""
    notes = []
    for side in ("flax", "torch"):
        seen = getattr(work.views["evaluation"], side)["float64"]
        notes += [
            f"{side}: {call or 'network'} gives {dtype} where float64 was asked for"
            for call, dtype in seen.narrow.items()
        ]
        notes += [
            f"{side}: {path or 'network'} casts to a narrower type; undone in the float64 passes"
            for path in seen.undone
        ]
    return notes
