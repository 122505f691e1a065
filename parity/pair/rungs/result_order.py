"""Results that the two sides return in another order, so that only a map against the layers' names makes them agree."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from parity.checks.verdict import Finding, Verdict
from parity.interface.trace import Arrays
from parity.pair.arrays.layout import agree
from parity.pair.causes.explained import ORDER
from parity.pair.passes.check_state import CheckState
from parity.pair.weightmap import random_weights as weights
from parity.pair.weightmap.alternatives import NativeArrays, reordered
from parity.pair.weightmap.pairing.pairings import WeightMap, crossed_layers


def exchanged_results(state: CheckState) -> list[Finding]:
    """A finding that the sides return the same results in another order, if layers of equal names are one.

    Where layers are paired against their names, the networks may be one function with names that are exchanged inside,
    which is left as a note. If they agree with the names as they are too, once the results are exchanged, then it is
    these that are: whoever carries weights over by their names gets one result for the other.

    Args:
        state: What is known of the pair, whose map is proven.

    Raises:
        UserCodeError: Flax's network does not run.
    """
    cycles = crossed_layers(state.weight_map)
    names = list(zip(*state.sides.results.of("evaluation").floating, strict=True))
    if not cycles or not state.proof.agrees or len(names) < 2:
        return []
    seen = state.proof.evaluation
    native = weights.to_flax(_by_names(state, cycles), state.proof.torch, state.sides.flax.native)
    flax = state.sides.run_pass("flax", native, "evaluation", "float64", gradients=False).outputs
    order = _order(names, flax, seen.torch.outputs, seen.low.outputs)
    exchanged = {b: a for (paired, b), a in zip(names, order, strict=True) if paired != a}
    if not exchanged:
        return []
    words = ", ".join(f"{b} in PyTorch is {a} in Flax" for b, a in exchanged.items())
    return [Finding(ORDER, "network", Verdict.DIFFERENT, np.inf, reason=words, mode="evaluation")]


def _by_names(state: CheckState, cycles: list[list[int]]) -> WeightMap:
    """The map in which the layers of each circle are paired by their names."""
    sides, weight_map = state.sides, state.weight_map
    for cycle in cycles:
        order = [(place - 1) % len(cycle) for place in range(len(cycle))]
        weight_map = reordered(weight_map, cycle, order, NativeArrays(sides.flax.native, sides.torch.native))
    return weight_map


def _order(
    names: list[tuple[str, str]], flax: Arrays, torch: Mapping[str, NDArray], low: Mapping[str, NDArray]
) -> list[str]:
    """Flax's result that agrees with each of PyTorch's, in their order; Flax's own names where any agrees with none."""
    left, order = [a for a, _ in names], []
    for paired, b in names:
        alike = [a for a in left if agree(flax[a], torch[b], low[b])]
        if not alike:
            return [a for a, _ in names]
        order.append(paired if paired in alike else alike[0])
        left.remove(order[-1])
    return order
