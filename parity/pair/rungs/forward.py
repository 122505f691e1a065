"""Proves the map of a pair, sees both modes with it, and undoes the conventions that a difference comes from."""

from collections.abc import Sequence
from dataclasses import replace

from parity.checks.verdict import Rung, Verdict
from parity.pair.arrays.layout import AS_IT_IS, RESHAPED
from parity.pair.causes.conventions import quantified
from parity.pair.causes.settings import lint, lint_dropout, lint_gelu, lint_precision
from parity.pair.passes.compared import compare_layers
from parity.pair.passes.sides import MODES, BothSides, SidePair, joints, look
from parity.pair.passes.work import CheckState
from parity.pair.rungs import rules as rungs
from parity.pair.rungs.decisions import settled_ties
from parity.pair.weightmap.match import WeightMap
from parity.pair.weightmap.prove import BUDGET, Proof, Prover
from parity.pair.weightmap.ties import declared, with_ties
from parity.report.records import Convention, Lint


def proven(couple: SidePair, found: WeightMap, seed: int, fixed: bool = False) -> CheckState:
    """The map, or the reading of it, with which the networks agree; `fixed` tries no other reading."""
    budget = 1 if fixed or couple.results("evaluation").noisy else BUDGET
    sides = {"flax": couple.flax, "torch": couple.torch}
    tied = with_ties(found, sides)
    proof = _proof(couple, tied or found, seed, budget)
    if tied is not None:
        plain = _proof(couple, found, seed, 1 if proof.agrees else budget)
        if plain.agrees or not (proof.agrees or declared(tied, sides)):  # what is not mapped has no effect, or no tie
            proof = plain
    return CheckState(couple, proof, lint(proof.match), fixed=fixed)


def _proof(couple: SidePair, found: WeightMap, seed: int, budget: int) -> Proof:
    prover = Prover(
        lambda native: couple.look("flax", native, "evaluation", "float64"),
        lambda native: couple.look("torch", native, "evaluation", "float64"),
        lambda native: couple.look("torch", native, "evaluation", "float32"),
        couple.flax.native,
        couple.torch.native,
        seed,
        budget=budget,
        names=couple.results("evaluation").pairs,
    )
    proof = prover.prove(found)
    if couple.settle_layouts(proof.sight.flax, proof.sight.torch):
        proof = prover.prove(proof.match)
    return proof


def forward(work: CheckState, accept: Sequence[str]) -> tuple[list[Convention], Rung | None]:
    """See both modes. If declared conventions are the cause of a difference, the rest is judged without them, and the
    forward rung as it was is given back."""
    _look(work)
    work.lints += lint_precision(work.couple.flax.default_precision, work.couple.torch.default_precision)
    work.lints += lint_gelu(work.views["training"].flax["float64"].gelus, work.views["training"].torch["float64"].gelus)
    work.lints += lint_dropout(
        work.views["training"].flax["float64"].dropouts, work.views["training"].torch["float64"].dropouts
    )
    work.notes += [*_layouts(work), *dict.fromkeys(note for m in MODES for note in work.couple.results(m).others)]
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


def _layouts(work: CheckState) -> list[str]:
    """Results that the sides return in unlike layouts of one shape's axes."""
    turns = {name: turn for name, turn in work.couple.result_turns.items() if turn not in (None, AS_IT_IS)}
    return [
        f"the result {name or 'of the networks'} is compared in PyTorch's layout: Flax's axes, {turn}"
        for name, turn in turns.items()
        if turn is not None and not turn.endswith(RESHAPED)
    ]


def _undone(work: CheckState, causes: Sequence[Lint]) -> CheckState | None:
    """The same with the causes undone, if that makes the networks agree."""
    eps = {
        bond.torch.path: bond.flax.settings["eps"]
        for bond in work.match.bonds
        if "eps" in bond.flax.settings and bond.flax.settings["eps"] != bond.torch.settings.get("eps")
    }
    gelu = next((one.flax for one in causes if one.convention == "gelu_form"), None)
    old = work.couple
    couple = replace(
        old, torch=old.torch.undo(eps, gelu), result_turns=dict(old.result_turns), _results=dict(old._results)
    )
    other = proven(couple, work.match, couple.seed, work.fixed)
    other.shared = work.shared
    if not other.proof.agrees:
        return None
    _look(other)
    return other if rungs.forward(list(other.compared.values())).verdict.passes else None


def _look(work: CheckState) -> None:
    """Both modes in both precisions."""
    couple, proof = work.couple, work.proof
    for mode in MODES:
        if mode == "evaluation":
            low = couple.look("flax", proof.flax, mode, "float32")
            sight = proof.sight
            views = BothSides({"float64": sight.flax, "float32": low}, {"float64": sight.torch, "float32": sight.low})
        else:
            views = look(couple, proof.match, proof.torch, mode, work.masks(mode))
        work.views[mode] = views
        work.joints[mode] = joints(proof.match, views)
        work.compared[mode] = settled_ties(
            work, compare_layers(work.joints[mode], views, couple.results(mode), mode), mode
        )
