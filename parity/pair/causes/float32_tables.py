"""Tables that only PyTorch holds, as buffers in float32, where Flax computes them: nothing to rule on in float64."""

import numpy as np

from parity.checks.tables import EXPLAINED, HALF
from parity.pair.arrays.layout import turned
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.tables import held_tables


def explaining(state: CheckState) -> list[str]:
    """Names of buffers without a counterpart that explain by their storage alone that the networks differ.

    Moved by half a unit of float32's last place, they change what PyTorch's network returns by as much as the two
    differ, but for a few roundings more. None, if anything differs by more.
    """
    sides, proof = state.sides, state.proof
    tables = held_tables(sides.torch, state.weight_map)
    if proof.agrees or not tables:
        return []
    rng = np.random.default_rng([sides.seed, 7])
    moved = {n: proof.torch[n] * (1 + HALF * rng.choice([-1.0, 1.0], proof.torch[n].shape)) for n in tables}
    seen = sides.run_pass("torch", {**proof.torch, **moved}, "evaluation", "float64", gradients=False).outputs
    for a, b in zip(*sides.results.of("evaluation").floating, strict=False):
        ours, theirs = proof.evaluation.flax.outputs[a], proof.evaluation.torch.outputs[b]
        turn = turned(ours, theirs)
        if turn is None or _norm(turn[1](ours) - theirs) > EXPLAINED * _norm(seen[b] - theirs):
            return []
    return tables


def _norm(array: np.ndarray) -> float:
    return float(np.linalg.norm(array.ravel()))
