"""The weight map for people, and what it covers."""

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from parity.checks.referee import MARGIN, RATIO
from parity.interface.observation import PassResult
from parity.interface.packing import Packing
from parity.interface.random import single
from parity.interface.trace import Precision, call_names, call_path
from parity.interface.unit import Unit, split_stack
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.sides import PRECISIONS, SidePair
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing, WeightMap
from parity.pair.weightmap.proof import Proof
from parity.pair.weightmap.ties import whose
from parity.report.records import Coverage, Mapped

NO_EFFECT = "no effect on what the networks return: any numbers would do"
NO_EFFECT_ON_LOSS = "no effect on the loss: its gradient is rounding"
UNKNOWN = "whether it has an effect is not known without backward passes"
MOST_ASKED = 32
"""Parameters without gradients that are asked for one by one; of more, all count as used if any is."""
LETTERS = {("conv", 3): ("OIW", "WIO"), ("conv", 4): ("OIHW", "HWIO"), ("conv", 5): ("OIDHW", "DHWIO")}


def table(state: CheckState) -> list[Mapped]:
    """One line for each canonical array, with the shapes of the native ones, and those without counterpart last.

    Args:
        state: What is known of the pair. An array is proven if the networks agree and it has an effect in one of the
            passes, which is known from its gradient.
    """
    proof = state.proof
    used = used_without_gradient(state)
    lines = [_line(state, layer, array, used) for layer in proof.weight_map.layers for array in layer.arrays]
    for side, units in (("flax", proof.weight_map.lone_flax), ("torch", proof.weight_map.lone_torch)):
        lines += [_lone(proof, side, unit, role) for unit in units for role in unit.arrays]
    for layer in proof.weight_map.layers:
        lines += [_lone(proof, "flax", layer.flax, role) for role in layer.lone_flax]
        lines += [_lone(proof, "torch", layer.torch, role) for role in layer.lone_torch]
    return lines


def used_without_gradient(state: CheckState) -> frozenset[str]:
    """The names of PyTorch's parameters through which no gradient goes, as it is stopped, and whose numbers change what
    the network returns all the same."""
    gradients = [view.torch["float64"].parameter_gradients for view in state.passes.values()]
    still = [name for name in gradients[0] if not any(np.any(each.get(name, 0.0)) for each in gradients)]
    if not still or not changes_results(state, "torch", still):
        return frozenset()
    return frozenset(name for name in still if len(still) > MOST_ASKED or changes_results(state, "torch", [name]))


def changes_results(state: CheckState, side: str, names: Sequence[str]) -> bool:
    """Whether other numbers in arrays of a side change what it returns in evaluation."""
    arrays, rng = state.proof.arrays(side), np.random.default_rng([state.sides.seed, 10])
    other = {name: single(arrays[name] + rng.standard_normal(arrays[name].shape)) for name in names}
    before, after = (
        state.sides.run_pass(side, native, "evaluation", "float64", gradients=False).outputs  # type: ignore[arg-type]
        for native in (arrays, {**arrays, **other})
    )
    return not all(np.array_equal(before[name], after[name], equal_nan=True) for name in before)


def _line(state: CheckState, layer: LayerPairing, array: ArrayPairing, used: frozenset[str]) -> Mapped:
    proof, known = state.proof, state.sides.backward
    without = NO_EFFECT if state.sides.objectives is None else NO_EFFECT_ON_LOSS
    effect = any(has_effect(view.torch, array.torch) for view in state.passes.values()) or _agrees_alone(state, layer)
    effect = effect or not used.isdisjoint(array.torch.names)
    return Mapped(
        " + ".join(array.flax.names),
        " + ".join(array.torch.names),
        layer.flax.path,
        layer.torch.path,
        array.role,
        proof.flax[array.flax.names[0]].shape,
        proof.torch[array.torch.names[0]].shape,
        how(layer, array),
        prod(array.shape),
        proof.agrees and effect and known,
        UNKNOWN if not known else without if not effect else whose(array) if array.tie else "",
    )


def _agrees_alone(state: CheckState, layer: LayerPairing) -> bool:
    """Whether the networks return no floating numbers, which have no gradients, and the output of the very layer shows
    that its arrays are right."""
    results = state.sides.results.of("evaluation")
    if results.floating[0] or not results.pairs or state.sides.objectives is not None:
        return False
    layers = state.compared["evaluation"].layers
    return any(call_path(a.torch) == layer.torch.path and a.finding.verdict.passes for a in layers)


def has_effect(seen: Mapping[Precision, PassResult], packing: Packing) -> bool:
    """Whether an array changes what a network returns: it is a buffer, or its gradient is more than rounding.

    A gradient that is zero in exact arithmetic (an attention's key bias) shrinks from float32 to float64 as rounding
    does.
    """
    if any(name not in seen["float64"].parameter_gradients for name in packing.names):
        return True
    high, low = (float(np.linalg.norm(packing.pull(seen[p].parameter_gradients))) for p in PRECISIONS)
    return high > MARGIN * RATIO * low


def _lone(proof: Proof, side: str, unit: Unit, role: str) -> Mapped:
    packing = unit.arrays[role]
    shape = proof.arrays(side)[packing.names[0]].shape
    name = " + ".join(packing.names)
    if side == "flax":
        return Mapped(name, "", unit.path, "", role, shape, (), "", prod(shape), False, "no counterpart")
    return Mapped("", name, "", unit.path, role, (), shape, "", prod(shape), False, "no counterpart")


def how(layer: LayerPairing, array: ArrayPairing) -> str:
    """How PyTorch's array becomes Flax's, in words such as "transposed", "OIHW → HWIO" or "as it is".

    Args:
        layer: The pairing that holds the array; the kind of its layers names the axes of kernels.
        array: The array with both sides' packings.
    """
    words = [_packed(array.torch, layer.torch.kind), _fitted(array), _piece("PyTorch's", array.torch)]
    words.append(_piece("Flax's", array.flax))
    if len(array.flax.parts) > 1:
        words.append(f"split into {len(array.flax.parts)}")
    if words[:2] == ["transposed", "transposed"] and not any(words[2:]):
        return "as it is"
    return ", ".join(word for word in words if word) or "as it is"


def _piece(whose_array: str, packing: Packing) -> str:
    """Which piece of a larger array it is, in words; "" where it is none."""
    if not packing.cut or packing.cut[-1] is None:
        return ""
    axis, last = len(packing.cut) - 1, packing.cut[-1]
    span = f"{last[0]} to {last[1]}" if isinstance(last, tuple) else f"number {last}"
    if packing.reshaped is None:
        return f"{span} of {whose_array} axis {axis}"
    return f"{span} of every {packing.reshaped[axis]} of {whose_array} axis {axis - 1}"


def _packed(packing: Packing, kind: str) -> str:
    part = packing.parts[0]
    words = []
    if packing.join == "sum":
        words.append("sum of both")
    if part.cut and isinstance(part.cut[0], tuple):
        words.append(f"rows {part.cut[0][0]} to {part.cut[0][1]}")
    if part.axes is not None:
        letters = LETTERS.get((kind, len(part.axes)))
        words.append(
            f"{letters[0]} → {letters[1]}" if letters else "transposed" if len(part.axes) == 2 else "axes moved"
        )
    if part.flip:
        words.append("flipped")
    if part.offset:
        words.append(f"{part.offset:+g}")
    return ", ".join(words)


def _fitted(array: ArrayPairing) -> str:
    torch = array.torch
    if torch.reshaped is None or _piece("", torch):
        return "transposed" if torch.transposed else ""
    if array.flax.reshaped is not None:
        inner = "×".join(map(str, torch.reshaped[:-1]))
        return f"rows from {inner} channels first to channels last"
    order = torch.transposed or ()
    return "reshaped" if list(order) == sorted(order) else "transposed"


def coverage(weight_map: WeightMap, sides: SidePair, pairings: Sequence[CallPairing], both: BothSides) -> Coverage:
    """Shares of parameters mapped and of layers compared, from 0 to 1, and the calls without a partner.

    Args:
        weight_map: The map.
        sides: The two sides. Shares are of what PyTorch's network holds and calls.
        pairings: The calls that were compared.
        both: The passes of which these are.
    """
    total = sum(sides.torch.native[n].size for n in sides.torch.parameters)
    mapped = {n for b in weight_map.layers for li in b.arrays for n in li.torch.names if n in sides.torch.parameters}
    covered = sum(sides.torch.native[n].size for n in mapped)
    flax, torch = both.flax["float64"].calls, both.torch["float64"].calls
    names = call_names([c.path for c in flax]), call_names([c.path for c in torch])
    paired = {j.pair.flax for j in pairings}, {j.pair.torch for j in pairings}
    layers = {split_stack(b.torch.path)[0] for b in weight_map.layers} | {u.path for u in weight_map.lone_torch}
    holding = [i for i, call in enumerate(torch) if call_path(call.path) in layers]
    return Coverage(
        covered / total if total else 1.0,
        sum(i in paired[1] for i in holding) / len(holding) if holding else 1.0,
        [name or "network" for i, name in enumerate(names[0]) if i not in paired[0] and name],
        [name or "network" for i, name in enumerate(names[1]) if i not in paired[1] and name],
    )
