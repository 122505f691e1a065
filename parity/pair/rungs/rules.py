"""The rungs of the ladder, of what both sides of a user's pair showed."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.checks.ladder import NAMES
from parity.checks.referee import rule_drift
from parity.checks.verdict import Finding, Rung, observed, rung
from parity.interface.packing import Packing
from parity.interface.trace import Arrays, Precision, Trajectory
from parity.pair.arrays.layout import compare
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.compared import Compared
from parity.pair.passes.sides import PRECISIONS
from parity.pair.rungs.input_gradients import SharedInputs, input_gradients
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing, WeightMap
from parity.pair.weightmap.random_weights import name_of


def forward(compared: Sequence[Compared]) -> Rung:
    """Rung 2: every layer's output, which says where, and the results, which convict.

    Args:
        compared: What was compared in each mode.
    """
    findings = []
    for comparison in compared:
        findings += [*(layer.finding for layer in comparison.layers), *comparison.results]
    return observed(2, NAMES[2], findings)


def gradients(
    weight_map: WeightMap,
    compared: Sequence[Compared],
    passes: Mapping[str, BothSides],
    parameters: set[str],
    shared: SharedInputs,
    losses: Sequence[Finding],
) -> Rung:
    """Rung 3, in both modes: the losses, if there are any, and the gradients of parameters and inputs, which convict;
    those of every layer's output say where, and are left out of a mode in which all that convicts agrees."""
    findings = list(losses)
    for mode, comparison in zip(passes, compared, strict=True):
        seen = [
            *parameter_gradients(weight_map, passes[mode], parameters, mode),
            *input_gradients(passes[mode], shared, mode),
        ]
        fine = bool(seen) and all(finding.verdict.passes for finding in seen)
        inside = [layer.gradient for layer in reversed(comparison.layers) if layer.gradient is not None]
        findings += [finding for finding in inside if finding.verdict.passes or not fine]
        findings += seen
    return observed(3, NAMES[3], findings)


def parameter_gradients(weight_map: WeightMap, both: BothSides, parameters: set[str], mode: str) -> Iterator[Finding]:
    """The gradient of every mapped array that both sides learn, as PyTorch gives it and in the canonical layout.

    An array that only one side ties has no gradient of its own: it is added to that of the array which it is tied to.

    Args:
        weight_map: The map.
        both: The passes of one mode, with gradients, in both precisions.
        parameters: Names of what is learnt, "flax:…" and "torch:…".
        mode: "evaluation" or "training", for the findings.
    """
    for layer, array in learnable(weight_map, parameters):
        if array.tie is not None:
            continue
        ties = weight_map.tied_to(array)
        (a, low_a), (b, low_b) = (
            [pulled(side, array, ties, seen[p].parameter_gradients) for p in PRECISIONS]
            for side, seen in (("flax", both.flax), ("torch", both.torch))
        )
        a, low_a = in_torch(a), in_torch(low_a)
        name = " + ".join([name_of(layer, array), *(name_of(*tied) for tied in ties)])
        yield compare("gradient", name, a, b, low_b, low_a, mode=mode, smooth=False)


def in_torch(gradient: NDArray) -> NDArray:
    """Flax's gradient as PyTorch gives it: JAX's gradient of a complex parameter is the conjugate of PyTorch's."""
    return np.conj(gradient) if np.iscomplexobj(gradient) else gradient


def pulled(
    side: str, array: ArrayPairing, ties: Sequence[tuple[LayerPairing, ArrayPairing]], gradients: Arrays
) -> NDArray:
    """The gradient of a canonical array, with those of the arrays that the other side ties to it.

    Args:
        side: "flax" or "torch".
        array: The array, which is not tied itself.
        ties: The arrays that are tied to it, each with the pairing of its layers.
        gradients: The side's gradients by native name.
    """
    packing: Packing = getattr(array, side)
    total = packing.pull(_widened(gradients, packing.names))
    for _, other in ties:
        if other.tie is not None and other.tie.side != side:
            packed: Packing = getattr(other, side)
            total = total + other.tie.turn(packed.pull(_widened(gradients, packed.names)))
    return total


def learnable(weight_map: WeightMap, parameters: set[str]) -> Iterator[tuple[LayerPairing, ArrayPairing]]:
    """Mapped arrays that both sides learn, each with its layer.

    Args:
        weight_map: The map.
        parameters: Names of what is learnt, "flax:…" and "torch:…".
    """
    for layer, array in weight_map.arrays:
        names = [f"flax:{n}" for n in array.flax.names] + [f"torch:{n}" for n in array.torch.names]
        if parameters.issuperset(names):
            yield layer, array


def _widened(gradients: Arrays, names: Sequence[str]) -> Arrays:
    return {name: np.asarray(gradients[name], np.result_type(gradients[name], np.float64)) for name in names}


def buffers(weight_map: WeightMap, parameters: set[str]) -> Iterator[tuple[LayerPairing, ArrayPairing]]:
    """Mapped arrays that no side learns, each with its layer.

    Args:
        weight_map: The map.
        parameters: Names of what is learnt, "flax:…" and "torch:…".
    """
    for layer, array in weight_map.arrays:
        names = {f"flax:{n}" for n in array.flax.names} | {f"torch:{n}" for n in array.torch.names}
        if not names & parameters:
            yield layer, array


def state(
    weight_map: WeightMap,
    parameters: set[str],
    after: Mapping[Precision, tuple[Arrays, Arrays]],
    results: Sequence[Finding],
) -> Rung:
    """Rung 4: buffers after training passes, then what the networks return in evaluation.

    Args:
        weight_map: the map.
        parameters: names of what is learnt.
        after: precision → all native arrays of both sides.
        results: findings on what else state decides, such as the evaluation afterwards.
    """
    return rung(4, NAMES[4], [*buffers_after(weight_map, parameters, after, "training"), *results])


def buffers_after(
    weight_map: WeightMap, parameters: set[str], after: Mapping[Precision, tuple[Arrays, Arrays]], mode: str
) -> list[Finding]:
    """The findings on the buffers that both sides have after passes in a mode.

    Args:
        weight_map: the map.
        parameters: names of what is learnt.
        after: precision → all native arrays of both sides.
        mode: "training" or "evaluation".
    """
    findings = []
    for layer, array in buffers(weight_map, parameters):
        high, low = ((array.flax.read(after[p][0]), array.torch.read(after[p][1])) for p in PRECISIONS)
        findings.append(compare("buffer", name_of(layer, array), *high, low[1], low[0], mode=mode))
    return findings


def update(seen: Mapping[str, Mapping[str, Sequence[Arrays]]]) -> list[Finding]:
    """The findings of rung 5 on the optimizers alone.

    Args:
        seen: side → precision → arrays after every step, by name.
    """
    findings = []
    for step, arrays in enumerate(seen["torch"]["float64"]):
        for name in arrays:
            flax, torch = ([seen[side][p][step][name] for p in ("float64", "float32")] for side in ("flax", "torch"))
            named = f"{name} after step {step + 1}"
            findings.append(compare("optimizer", named, flax[0], torch[0], torch[1], flax[1]))
    return findings


def trajectory(
    weight_map: WeightMap, parameters: set[str], runs: Mapping[str, Trajectory], from_moved: Mapping[str, Trajectory]
) -> Rung:
    """Rung 6: the loss before each step, and what both sides learn after the last; buffers are rung 4's.

    Runs part by themselves, so that a gap is measured against each side's own drift when its start is moved by one ulp.

    Args:
        weight_map: The map.
        parameters: Names of what is learnt, "flax:…" and "torch:…".
        runs: Side → its float64 run, with weights by native name.
        from_moved: Side → the same run from the moved start.
    """
    findings = []
    for step in range(len(runs["torch"].losses)):
        values, moved = ({side: run.losses[step] for side, run in by.items()} for by in (runs, from_moved))
        findings.append(rule_drift("loss", f"step {step + 1}", values, moved))
    for layer, array in learnable(weight_map, parameters):
        values, moved = (
            {"flax": array.flax.read(by["flax"].weights), "torch": array.torch.read(by["torch"].weights)}
            for by in (runs, from_moved)
        )
        findings.append(rule_drift("weight afterwards", name_of(layer, array), values, moved))
    return rung(6, NAMES[6], findings)
