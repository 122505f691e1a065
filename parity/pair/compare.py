"""The whole check of a user's pair: map, prove, climb, and say what was found."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Rung, Verdict, rung, worst
from parity.pair import mapfile, rungs
from parity.pair.alone import layers_of
from parity.pair.blame import first_difference
from parity.pair.conventions import quantified, require_known
from parity.pair.inputs import Adapter, adapt, as_inputs
from parity.pair.lint import lint, lint_dropout, lint_gelu, lint_precision
from parity.pair.loss import gradients_rung, objectives
from parity.pair.match import Match, match
from parity.pair.observe import MODES, Couple, Views, joints, look
from parity.pair.probes import probes, try_probe
from parity.pair.prove import BUDGET, Proof, Prover
from parity.pair.repro import reproduced
from parity.pair.seen import Inputs
from parity.pair.side import Side
from parity.pair.state import state_rung
from parity.pair.structure import structure, unpaired
from parity.pair.tables import explaining
from parity.pair.training import trajectory_rung, update_rung
from parity.pair.weightmap import coverage, table
from parity.pair.work import Work
from parity.report.pair import Convention, Layer, Lint, Report, excusing

Progress = Callable[[str], None]


def compare_sides(
    open_sides: Callable[[Inputs, Inputs], tuple[Side, Side]],
    inputs: Any,
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    optimizers: tuple[Any, Any] | None = None,
    loss: Any = None,
    targets: Any = None,
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
    couple.objectives = objectives(loss, targets)
    work = _proven(couple, _matched(couple, map_file), seed, fixed=map_file is not None)
    work.shared, work.fixed = dropout == "shared", map_file is not None
    if map_out:
        mapfile.write(work.match, map_out)
    _mark(clock, "map")
    progress("forward and gradients")
    conventions, shown = _forward(work, accept)
    forward = rungs.forward(list(work.compared.values()))
    _mark(clock, "passes")
    probed = _probed(work, progress) if probe and work.proof.agrees else []
    _mark(clock, "probes")
    forward = rung(2, NAMES[2], [*forward.findings, *probed])
    if shown is not None:  # the rung as it was; the conventions are its cause if nothing differs without them
        conventions = [replace(c, confirmed=c.confirmed and forward.verdict.passes) for c in conventions]
        forward = replace(shown, findings=(*shown.findings, *probed))
    climbed = [structure(work), forward]
    gradients, reduced = gradients_rung(work, accept)
    climbed.append(gradients)
    conventions += reduced
    progress("state")
    if state := state_rung(work, accept):
        climbed.append(state[0])
        conventions += state[1]
    if optimizers is not None:
        progress("optimizers")
        climbed += [update_rung(couple, optimizers), trajectory_rung(work, optimizers)]
    _mark(clock, "rest")
    progress("layers alone")
    layers = layers_of(work.original or work)
    _mark(clock, "alone")
    tables = explaining(work)
    climbed = [_rested(one, work, tables) for one in climbed]
    return _report(name, work, climbed, layers, conventions, clock)


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


def _rested(rung_: Rung, work: Work, tables: Sequence[str]) -> Rung:
    """A rung that rests on an undecided map, or on tables kept in float32, cannot be called different."""
    undecided = work.proof.undecided or unpaired(work.match)
    if work.proof.agrees or not (undecided or tables) or rung_.verdict is not Verdict.DIFFERENT:
        return rung_
    if tables:
        reason = (
            f"rests on {', '.join(tables)}, kept in float32 by PyTorch only: compute it in the inputs' dtype in both"
        )
        return replace(rung_, verdict=Verdict.INCONCLUSIVE, reason=reason)
    return replace(rung_, verdict=Verdict.INCONCLUSIVE, reason="rests on the weight map, rung 1")


def _mark(clock: dict[str, float], part: str) -> None:
    now = time.perf_counter()
    clock[part] = now - clock["started"] - sum(v for k, v in clock.items() if k not in ("started", "total"))


def _matched(couple: Couple, map_file: str | None) -> Match:
    flax, torch = ({n: a.shape for n, a in side.native.items()} for side in (couple.flax, couple.torch))
    if map_file is not None:
        return mapfile.read(map_file, couple.flax.units, couple.torch.units, (flax, torch))
    return match(couple.flax.units, couple.torch.units, flax, torch)


def _probed(work: Work, progress: Progress) -> list[Finding]:
    """What the probes found; those that could not be tried are noted."""
    findings: list[Finding] = []
    for one in probes(work.match, work.couple, work.proof.torch):
        progress(f"probe: {one.name}")
        found = try_probe(one, work.match, work.couple)
        if isinstance(found, str):
            work.notes.append(found)
        else:
            findings += found
    return findings


def _proven(couple: Couple, found: Match, seed: int, fixed: bool = False) -> Work:
    prover = Prover(
        lambda native: couple.look("flax", native, "evaluation", "float64"),
        lambda native: couple.look("torch", native, "evaluation", "float64"),
        lambda native: couple.look("torch", native, "evaluation", "float32"),
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
    work.lints += lint_precision(work.couple.flax.default_precision, work.couple.torch.default_precision)
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
        found.append(Convention(name, quantified(name, total, work.match, calls), (2,), True, name in accept))
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
    couple = replace(old, torch=torch, result_turns=list(old.result_turns))
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
            low = couple.look("flax", proof.flax, mode, "float32")
            sight = proof.sight
            views = Views({"float64": sight.flax, "float32": low}, {"float64": sight.torch, "float32": sight.low})
        else:
            views = look(couple, proof.match, proof.torch, mode, work.masks(mode))
        work.views[mode] = views
        work.joints[mode] = joints(proof.match, views)
        work.compared[mode] = rungs.compare_layers(work.joints[mode], views, couple.result_names, mode)


def _report(
    name: str,
    work: Work,
    climbed: list[Rung],
    layers: list[Layer],
    conventions: list[Convention],
    clock: dict[str, float],
) -> Report:
    original = work.original or work
    counted = [one for one in climbed if not excusing(conventions, one.number)]
    first = first_difference(counted, layers, work.match, work.lints)
    text, arrays = reproduced(first, original, name)
    return Report(
        name=name,
        verdict=worst(one.verdict for one in counted),
        rungs=climbed,
        first_difference=first,
        layers=layers,
        weights=table(work.proof, work.views),
        lints=work.lints,
        conventions=conventions,
        coverage=coverage(work.match, work.couple, work.joints["evaluation"], work.views["evaluation"]),
        losses=work.losses,
        repro_script=text,
        repro_arrays=arrays,
        notes=[*work.notes, *_casts(work), *_otherwise(work)],
        seconds={**{k: v for k, v in clock.items() if k != "started"}, "total": time.perf_counter() - clock["started"]},
    )


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


def _otherwise(work: Work) -> list[str]:
    """Layers in which the sides differ though what they return does not."""
    found = dict.fromkeys((one.flax, one.torch) for c in work.compared.values() for one in c.otherwise)
    return [f"{a} and {b} compute something else, and the networks' results agree: not compared" for a, b in found]
