"""The parity check of one recipe: what the frameworks show, rung by rung, to the ladder."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from parity.backends import Devices, twin_class
from parity.backends.processes.configuration import leave_memory
from parity.checks import devices as parallel
from parity.checks import ladder
from parity.checks.initialisation import initialisation
from parity.checks.verdict import Rung, Verdict
from parity.errors import UsageError
from parity.recipes import Recipe
from parity.report.result import Result
from parity.twins.case import Case, make_case
from parity.twins.observe import MODES, RecipeSide

RUNGS = ladder.RUNGS


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
    progress: Callable[[str], None] = lambda note: None,
) -> Result:
    """Check that a recipe's network is the same function in Flax, PyTorch and NumPy.

    Args:
        recipe: what to check.
        rungs: numbers of the rungs to climb; the structure is always looked at, for nothing stands without it.
        seed: of weights, data and cotangents.
        device: "cpu" or "gpu", of JAX and PyTorch.
        folder, download: where the images' files are, and whether they may be fetched.
        weights: canonical weights to check with, instead of random ones.
        devices: on which training is compared with training on one, for rung 10.
        progress: told in a word what is being done.

    Raises:
        UsageError: the data or the device is not there, or the weights are not those of the network.
    """
    started = time.perf_counter()
    if devices and device == "gpu":
        leave_memory()
    reference = twin_class("numpy")
    shapes = reference.build(recipe.network, recipe.config).shapes()
    case = make_case(recipe, shapes, seed=seed, folder=folder, download=download, weights=weights, devices=devices)
    observers = [
        RecipeSide(twin_class(framework), case, device="cpu" if framework == "numpy" else device)
        for framework in ("flax", "torch", "numpy")
    ]
    climbed = climb(case, observers, rungs=rungs, progress=progress)
    return Result(recipe.name, tuple(climbed), time.perf_counter() - started, seed, device, recipe.check_data)


def climb(
    case: Case,
    observers: Sequence[RecipeSide],
    *,
    rungs: Sequence[int] = RUNGS,
    progress: Callable[[str], None] = lambda note: None,
) -> list[Rung]:
    """The rungs' verdicts. The last observer is the one whose activations all are probed with.

    If the structure is wrong no weights can be loaded, and the other rungs say so.
    """
    first, *others = sorted({1, *rungs})
    climbed = [_climb_one(first, case, observers, progress)]
    if climbed[0].verdict is Verdict.DIFFERENT:
        reason = "not run: the weights of one cannot be loaded into the other"
        return climbed + [Rung(n, ladder.NAMES[n], Verdict.INCONCLUSIVE, reason=reason) for n in others]
    with ThreadPoolExecutor(len(observers)) as pool:  # XLA compiles while the others compute
        for observer in observers:
            pool.submit(_look_ahead, observer, [n for n in others if n != parallel.NUMBER], observers[-1])
        for number in others:
            found = _rested(_climb_one(number, case, observers, progress), climbed)
            climbed.append(_settled(found, climbed, observers))
    return climbed


def _look_ahead(observer: RecipeSide, numbers: Sequence[int], probing: RecipeSide) -> None:
    """Compute what the rungs will ask of a framework. What fails here fails again when asked for."""
    for number in numbers:
        observer.show(number, probing)


def _climb_one(number: int, case: Case, observers: Sequence[RecipeSide], progress: Callable[[str], None]) -> Rung:
    progress(f"{case.recipe.name}: {ladder.NAMES[number]}")
    shown = {o.framework: o.show(number, observers[-1]) for o in observers}
    if number == 1:
        return ladder.structure(shown, case.recipe.parameters)
    if number in (2, 3):
        return (ladder.forward if number == 2 else ladder.gradients)(*_by_mode(shown))
    if number == 6:
        return ladder.trajectory({f: runs[0] for f, runs in shown.items()}, {f: runs[1] for f, runs in shown.items()})
    if number == 8:
        return ladder.data(shown, case.positions)
    if number == parallel.NUMBER:
        return _devices(shown, case, observers[-1])
    if number == 4:
        return ladder.state(shown)
    return ladder.update(shown) if number == 5 else initialisation(shown)


def _devices(shown: Mapping[str, Any], case: Case, reference: RecipeSide) -> Rung:
    drift = parallel.Drift({f: runs[0] for f, runs in shown.items()}, {f: runs[1] for f, runs in shown.items()})
    several = {d.count: {f: runs[2][d.count] for f, runs in shown.items() if runs[2]} for d in case.devices}
    return parallel.devices(drift, several, reference.ways, apart=any(d.norms_apart for d in case.devices))


def _by_mode(shown: Mapping[str, Any]) -> tuple[ladder.Traces, ladder.Readings]:
    """Traces and readings by mode and framework, of both of every framework."""
    traces, readings = ({m: {f: both[i][m] for f, both in shown.items()} for m in MODES} for i in (0, 1))
    return traces, readings


def _settled(rung: Rung, below: Sequence[Rung], observers: Sequence[RecipeSide]) -> Rung:
    """Gradients that differ though no output does, with a second opinion."""
    if rung.number != 3 or rung.verdict is not Verdict.DIFFERENT or below[-1].verdict is Verdict.DIFFERENT:
        return rung
    probing = observers[-1]
    shown = {observer.framework: observer.show(3, probing) for observer in observers}
    drift = {observer.framework: observer.drift(probing) for observer in observers}
    return ladder.gradients(*_by_mode(shown), _by_mode(drift))


def _rested(rung: Rung, below: Sequence[Rung]) -> Rung:
    """A rung that rests on a forward pass which could not be ruled on cannot be called different."""
    forward = next((r for r in below if r.number == 2), None)
    rests = rung.number in (3, 4, 6, parallel.NUMBER) and rung.verdict is Verdict.DIFFERENT
    if not rests or forward is None or forward.verdict is not Verdict.INCONCLUSIVE:
        return rung
    return replace(rung, verdict=Verdict.INCONCLUSIVE, layer=forward.layer, reason=f"rests on {forward.layer}, rung 2")


def parse_rungs(text: str) -> list[int]:
    """Rung numbers of "1,3" or "2-5" or names ("forward,state").

    Raises:
        UsageError: a part is neither.
    """
    by_name = {name: number for number, name in ladder.NAMES.items()}
    chosen: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = [by_name.get(end, int(end) if end.isdecimal() else 0) for end in (first, last if dash else first)]
        if not all(end in ladder.NAMES for end in ends) or ends[0] > ends[1]:
            known = ", ".join(f"{number} {name}" for number, name in ladder.NAMES.items())
            raise UsageError(
                f"--rungs got {part.strip()!r}; expected numbers or names such as 2-4,update; known: {known}"
            )
        chosen += [number for number in ladder.NAMES if ends[0] <= number <= ends[1]]
    return chosen
