"""Proves the map of a pair, runs both modes with it, and undoes the conventions that a difference comes from."""

from collections.abc import Sequence
from dataclasses import replace

from parity.checks.verdict import Verdict
from parity.interface.side import FRAMEWORKS
from parity.pair.arrays.layout import AS_IT_IS, RESHAPED
from parity.pair.causes.conventions import quantified
from parity.pair.causes.settings import lint, lint_dropout, lint_gelu, lint_precision
from parity.pair.passes.both_sides import BothSides, run_both
from parity.pair.passes.calls import pair_calls
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import compare_layers
from parity.pair.passes.computed_dtype import with_computed_dtype
from parity.pair.passes.sides import MODES, SidePair
from parity.pair.passes.tables import unify_tables
from parity.pair.rungs import rules as rungs
from parity.pair.rungs.decisions import settled_ties
from parity.pair.weightmap.alternatives import NativeArrays
from parity.pair.weightmap.pairing.pairings import WeightMap
from parity.pair.weightmap.proof import Proof, Runs
from parity.pair.weightmap.prove import BUDGET, Prover
from parity.pair.weightmap.ties import declared, with_ties
from parity.report.records import Convention, Lint

UNDONE = ("norm_eps", "gelu_form", "power_iteration")
"""Conventions that are undone in the passes, to see whether they are the cause."""


def proven(
    pair: SidePair, weight_map: WeightMap, seed: int, *, fixed: bool = False, shared_dropout: bool = False
) -> CheckState:
    """What is known once the map, or the reading of it with which the networks agree, is proven.

    Args:
        pair: The two sides.
        weight_map: The map to be proven.
        seed: The seed of the random weights.
        fixed: Whether no other reading of the map is tried.
        shared_dropout: Whether the same masks are injected into both sides' dropout in training.
    """
    notes = unify_tables(pair, weight_map)
    budget = 1 if fixed or pair.results.of("evaluation").noisy else BUDGET
    both = {"flax": pair.flax, "torch": pair.torch}
    tied = with_ties(weight_map, both)
    proof = _proof(pair, tied or weight_map, seed, budget)
    if tied is not None:
        plain = _proof(pair, weight_map, seed, 1 if proof.agrees else budget)
        if plain.agrees or not (proof.agrees or declared(tied, both)):  # what is not mapped has no effect, or no tie
            proof = plain
    return CheckState(pair, proof, lint(proof.weight_map), notes=notes, fixed=fixed, shared=shared_dropout)


def _proof(pair: SidePair, weight_map: WeightMap, seed: int, budget: int) -> Proof:
    runs = Runs(
        lambda native: pair.run_pass("flax", native, "evaluation", "float64"),
        lambda native: pair.run_pass("torch", native, "evaluation", "float64"),
        lambda native: pair.run_pass("torch", native, "evaluation", "float32"),
        pair.results.of("evaluation").pairs,
        (
            lambda native: pair.program("flax", native, "evaluation", None, None),
            lambda native: pair.program("torch", native, "evaluation", None, None),
        ),
    )
    prover = Prover(runs, NativeArrays(pair.flax.native, pair.torch.native), seed, budget)
    proof = prover.prove(weight_map)
    if pair.results.settle(proof.evaluation.flax, proof.evaluation.torch):
        proof = prover.prove(proof.weight_map)
    return proof


def run_both_modes(state: CheckState) -> None:
    """Run both modes in both precisions, and add to the state what was seen and the settings that differ.

    Args:
        state: A state whose map is proven. Passes, calls and comparisons are put into it by mode; lints and notes too.

    Raises:
        UserCodeError: A network does not run; the modes that did are in the state.
    """
    _run_modes(state)
    flax, torch = state.passes["training"].flax["float64"], state.passes["training"].torch["float64"]
    state.lints += lint_precision(state.sides.flax.default_precision, state.sides.torch.default_precision)
    state.lints += lint_gelu(flax.gelus, torch.gelus)
    state.lints += lint_dropout(flax.dropouts, torch.dropouts)
    others = dict.fromkeys(note for mode in MODES for note in state.sides.results.of(mode).others)
    state.notes += [*_layouts(state), *others]


def _layouts(state: CheckState) -> list[str]:
    """Notes on the results that the sides return in unlike layouts of one shape's axes."""
    turns = {name: turn for name, turn in state.sides.results.settled.items() if turn not in (None, AS_IT_IS)}
    return [
        f"the result {name or 'of the networks'} is compared in PyTorch's layout: Flax's axes, {turn}"
        for name, turn in turns.items()
        if turn is not None and not turn.endswith(RESHAPED)
    ]


def without_conventions(state: CheckState, accept: Sequence[str]) -> tuple[CheckState, list[Convention]]:
    """The state without the declared conventions that a difference in the forward pass comes from, and these.

    Args:
        state: What both modes showed; it is left as it is.
        accept: Names of conventions that are no difference to the user.

    Returns:
        A new state, whose `original` is the one given, and the conventions; the state given and none if nothing
        differs or undoing what is declared explains nothing.
    """
    causes = [cause for cause in state.lints if cause.convention in UNDONE]
    if not causes or rungs.forward(list(state.compared.values())).verdict is not Verdict.DIFFERENT:
        return state, []
    undone = _undone(state, causes)
    if undone is None:
        return state, []
    if undone.weight_map.layers != state.weight_map.layers:
        state = _with_map(state, undone.weight_map)
    calls = state.passes["evaluation"].torch["float64"].calls
    conventions = []
    for name in dict.fromkeys(cause.convention for cause in causes):
        alike = [cause for cause in causes if cause.convention == name]
        total = replace(alike[0], count=sum(cause.count for cause in alike))
        text = quantified(name, total, undone.weight_map, calls)
        conventions.append(Convention(name, text, (2,), True, name in accept and not _overwrites(state, name)))
    return replace(undone, lints=state.lints, notes=state.notes, still=state.still, original=state), conventions


def _overwrites(state: CheckState, name: str) -> bool:
    """Whether that convention goes with parameters that a forward pass writes over, which no pass of ours shows: what
    is trained then is something else, and cannot be accepted with it."""
    if name != "power_iteration":
        return False
    return any(layer.flax.settings.get("overwritten") for layer in state.weight_map.layers)


def _with_map(state: CheckState, weight_map: WeightMap) -> CheckState:
    """A new state of the same pair, run with a map that was proven without what makes it differ."""
    proof = _proof(state.sides, weight_map, state.sides.seed, 1)
    anew = CheckState(state.sides, proof, state.lints, notes=state.notes, shared=state.shared, fixed=state.fixed)
    anew.still = state.still
    _run_modes(anew)
    return anew


def _undone(state: CheckState, causes: Sequence[Lint]) -> CheckState | None:
    """A new state with the causes undone, if that makes the networks agree."""
    eps = {
        layer.torch.path: layer.flax.settings["eps"]
        for layer in state.weight_map.layers
        if "eps" in layer.flax.settings and layer.flax.settings["eps"] != layer.torch.settings.get("eps")
    }
    gelu = next((cause.flax for cause in causes if cause.convention == "gelu_form"), None)
    power = {
        layer.torch.path: (layer.flax.settings["power_steps"], layer.flax.settings["power_eps"])
        for layer in state.weight_map.layers
        if {"power_iteration"} <= layer.flax.settings.keys() & layer.torch.settings.keys()
    }
    pair = state.sides.with_torch(state.sides.torch.undo(eps, gelu, power))
    undone = proven(pair, state.weight_map, pair.seed, fixed=state.fixed, shared_dropout=state.shared)
    if not undone.proof.agrees:
        return None
    _run_modes(undone)
    return undone if rungs.forward(list(undone.compared.values())).verdict.passes else None


def _run_modes(state: CheckState) -> None:
    """Run both modes in both precisions."""
    pair, proof = state.sides, state.proof
    stored = {side: set(pair.side(side).stored.values()) for side in FRAMEWORKS}
    for mode in MODES:
        if mode == "evaluation":
            low = pair.run_pass("flax", proof.flax, mode, "float32")
            seen = proof.evaluation
            both = BothSides({"float64": seen.flax, "float32": low}, {"float64": seen.torch, "float32": seen.low})
        else:
            both = run_both(pair, proof.weight_map, proof.torch, mode, state.masks(mode))
        state.passes[mode] = both
        state.calls[mode] = pair_calls(proof.weight_map, both)
        compared = compare_layers(state.calls[mode], both, pair.results.of(mode), mode)
        settled = settled_ties(state, compared, mode)
        state.compared[mode] = replace(settled, results=with_computed_dtype(settled, both, stored, mode))
        if mode == "evaluation":  # training's are fed to the layers alone
            state.release(mode)
