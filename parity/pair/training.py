"""Rungs 5 and 6 of a pair: the user's optimizers alone, and training runs with them."""

from typing import Any

import numpy as np

from parity.case import MAGNITUDES, STEPS, UPDATE_SHAPES
from parity.checks.verdict import Rung
from parity.pair import draws, rungs
from parity.pair.inputs import changed
from parity.pair.observe import Couple
from parity.pair.work import Work
from parity.trace import Trajectory


def update_rung(couple: Couple, optimizers: tuple[Any, Any]) -> Rung:
    """Rung 5: the optimizers alone on one stream of gradients."""
    rng = np.random.default_rng([couple.seed, 5])
    start = {name: draws.single(rng.standard_normal(shape)) for name, shape in UPDATE_SHAPES.items()}
    stream = [
        {name: draws.single(size * rng.standard_normal(shape)) for name, shape in UPDATE_SHAPES.items()}
        for size in MAGNITUDES
    ]
    for gradients in stream:
        gradients["unused"] = np.zeros(UPDATE_SHAPES["unused"])
    couple.watch.running("the optimizers' steps")
    sides = {"flax": (couple.flax, optimizers[0]), "torch": (couple.torch, optimizers[1])}
    return rungs.update(
        {
            name: {p: side.update(own, start, stream, p) for p in ("float64", "float32")}
            for name, (side, own) in sides.items()
        }
    )


def trajectory_rung(work: Work, optimizers: tuple[Any, Any]) -> Rung:
    """Rung 6: training runs on equal batches, on the users' losses if there are any."""
    couple, proof = work.couple, work.proof
    rng = np.random.default_rng([couple.seed, 6])
    batches = [changed(couple.inputs, lambda a, s=s: (a * (1.0 + 0.25 * s)).astype(a.dtype)) for s in range(STEPS)]  # type: ignore[misc]
    shapes = {name: array.shape for name, array in couple.cotangents[1].items()}
    theirs = [{name: draws.single(rng.standard_normal(shape)) for name, shape in shapes.items()} for _ in batches]
    ours = [couple.in_flax(target) for target in theirs]
    moved = draws.moved(work.match, proof.torch, rng)
    losses = couple.objectives or (None, None)
    runs: dict[str, Trajectory] = {}
    own: dict[str, Trajectory] = {}
    for found, torch in ((runs, proof.torch), (own, moved)):
        flax = draws.carry(work.match, torch, couple.flax.native)
        given = {side: [couple.given(side, batch) for batch in batches] for side in ("flax", "torch")}
        couple.watch.running("Flax's training run", backward=True)
        found["flax"] = couple.flax.train(flax, given["flax"], ours, optimizers[0], losses[0])
        couple.watch.running("PyTorch's training run", backward=True)
        found["torch"] = couple.torch.train(torch, given["torch"], theirs, optimizers[1], losses[1])
    work.losses = {side: [float(x) for x in run.losses] for side, run in runs.items()}
    return rungs.trajectory(work.match, work.parameters, runs, own)
