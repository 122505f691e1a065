"""The parity check of one recipe: it takes what the frameworks compute to the ladder, rung by rung."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from numpy.typing import NDArray

from parity.backends import Devices, twin_class
from parity.backends.processes.configuration import leave_memory
from parity.checks import devices as several_devices
from parity.checks import ladder
from parity.checks.verdict import Rung, Verdict
from parity.recipes import Recipe
from parity.report.listener import silent
from parity.report.pair import Report
from parity.twins.case import Case, make_case
from parity.twins.observe import RecipeSide
from parity.twins.report import recipe_report
from parity.twins.rungs import TABLE, by_mode

RUNGS = ladder.RUNGS
Ruled = Callable[[str, Sequence[Rung]], None]
REST_ON_FORWARD = (3, 4, 6, several_devices.NUMBER)
"""Rungs that cannot be called different where the forward pass could not be ruled on."""


def check(
    recipe: Recipe,
    *,
    rungs: Sequence[int] = RUNGS,
    seed: int = 0,
    device: str = "cpu",
    folder: str | None = None,
    download: bool = False,
    weights: Mapping[str, NDArray] | None = None,
    devices: Sequence[Devices] = (),
    accept: Sequence[str] = (),
    progress: Callable[[str], None] = silent,
    ruled: Ruled = silent,
) -> Report:
    """Check that a recipe's network is the same function in Flax, PyTorch and NumPy.

    Args:
        recipe: what to check.
        rungs: numbers of the rungs to climb; the structure is always looked at, for nothing stands without it.
        seed: seed of the weights, the data and the cotangents.
        device: "cpu" or "gpu", for JAX and PyTorch.
        folder: folder of the images' files.
        download: whether the images may be fetched.
        weights: canonical weights to check with, instead of random ones.
        devices: device counts on which training is compared with training on one, for rung 10.
        accept: names of conventions (`parity conventions`) that are no difference to the caller.
        progress: called with a few words on what is being done.
        ruled: called with the recipe's name and the rungs that were ruled so far.

    Raises:
        UsageError: the data or the device is not there, a convention is not known, or the weights are not those of the
            network.
    """
    started = time.perf_counter()
    if devices and device == "gpu":
        leave_memory()
    reference = twin_class("numpy")
    shapes = reference.build(recipe.network, recipe.config).shapes()
    case = make_case(recipe, shapes, seed=seed, folder=folder, download=download, weights=weights, devices=devices)
    sides = [
        RecipeSide(twin_class(framework), case, device="cpu" if framework == "numpy" else device)
        for framework in ("flax", "torch", "numpy")
    ]
    judged = climb(case, sides, rungs=rungs, progress=progress, ruled=ruled)
    seconds = time.perf_counter() - started
    return recipe_report(case, sides, judged, accept=accept, seconds=seconds, seed=seed, device=device)


def climb(
    case: Case,
    sides: Sequence[RecipeSide],
    *,
    rungs: Sequence[int] = RUNGS,
    progress: Callable[[str], None] = silent,
    ruled: Ruled = silent,
) -> list[Rung]:
    """Judge the rungs in order. The last side is the one whose activations all are probed with.

    If the structure is wrong no weights can be loaded, and the other rungs say so.
    """
    first, *others = sorted({1, *rungs})
    judged = [_judge(first, case, sides, progress)]
    if judged[0].verdict is Verdict.DIFFERENT:
        reason = "not run: the weights of one cannot be loaded into the other"
        return judged + [Rung(n, ladder.NAMES[n], Verdict.INCONCLUSIVE, reason=reason) for n in others]
    with ThreadPoolExecutor(len(sides)) as pool:  # XLA compiles while the others compute
        for side in sides:
            pool.submit(_look_ahead, side, [n for n in others if n != several_devices.NUMBER], sides[-1])
        for number in others:
            ruled(case.recipe.name, judged)
            rung = _resting_on_forward(_judge(number, case, sides, progress), judged)
            judged.append(_with_second_opinion(rung, judged, sides))
    return judged


def _look_ahead(side: RecipeSide, numbers: Sequence[int], reference: RecipeSide) -> None:
    """Compute ahead what the rungs will ask of a framework. A failure here is not lost: it comes again on the rung."""
    for number in numbers:
        TABLE[number].show(side, reference)


def _judge(number: int, case: Case, sides: Sequence[RecipeSide], progress: Callable[[str], None]) -> Rung:
    progress(f"{case.recipe.name}: {TABLE[number].name}")
    return TABLE[number].judge(case, sides)


def _with_second_opinion(rung: Rung, below: Sequence[Rung], sides: Sequence[RecipeSide]) -> Rung:
    """Gradients that differ though no output does are judged again, beside each framework's own drift."""
    if rung.number != 3 or rung.verdict is not Verdict.DIFFERENT or below[-1].verdict is Verdict.DIFFERENT:
        return rung
    drift = {side.framework: side.first_batch.drift(sides[-1].first_batch) for side in sides}
    return ladder.gradients(*by_mode(TABLE[3].shown(sides)), by_mode(drift))


def _resting_on_forward(rung: Rung, below: Sequence[Rung]) -> Rung:
    """A rung that rests on a forward pass which could not be ruled on cannot be called different."""
    forward = next((other for other in below if other.number == 2), None)
    rests = rung.number in REST_ON_FORWARD and rung.verdict is Verdict.DIFFERENT
    if not rests or forward is None or forward.verdict is not Verdict.INCONCLUSIVE:
        return rung
    return replace(rung, verdict=Verdict.INCONCLUSIVE, layer=forward.layer, reason=f"rests on {forward.layer}, rung 2")
