"""Tables that only PyTorch holds, as buffers in float32, where Flax computes them: nothing to rule on in float64."""

import numpy as np

from parity.checks.tables import EXPLAINED
from parity.pair.arrays.layout import turned
from parity.pair.passes.check_state import CheckState

STORED = float(np.finfo(np.float32).eps) / 2
"""By how much storing a number in float32 may change it, relative."""


def explaining(state: CheckState) -> list[str]:
    """Names of buffers without a counterpart that explain by their storage alone that the networks differ.

    Moved by half a unit of float32's last place, they change what PyTorch's network returns by as much as the two
    differ, but for a few roundings more. None, if anything differs by more.
    """
    sides, proof = state.sides, state.proof
    lone = [n for unit in state.weight_map.lone_torch for p in unit.arrays.values() for n in p.names]
    tables = [name for name in lone if name not in sides.torch.parameters]
    if proof.agrees or not tables:
        return []
    rng = np.random.default_rng([sides.seed, 7])
    moved = {n: proof.torch[n] * (1 + STORED * rng.choice([-1.0, 1.0], proof.torch[n].shape)) for n in tables}
    seen = sides.run_pass("torch", {**proof.torch, **moved}, "evaluation", "float64", gradients=False).outputs
    for a, b in zip(*sides.results.of("evaluation").floating, strict=False):
        ours, theirs = proof.evaluation.flax.outputs[a], proof.evaluation.torch.outputs[b]
        turn = turned(ours, theirs)
        if turn is None or _norm(turn[1](ours) - theirs) > EXPLAINED * _norm(seen[b] - theirs):
            return []
    return tables


def _norm(array: np.ndarray) -> float:
    return float(np.linalg.norm(array.ravel()))
