"""The circles question: is hand-written backprop less stable, or is it the init?

Three implementations from equal weights, in float64, compared step by step by the referee; then the init alone is
exchanged in each of them; then its parts, one by one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity import recipes
from parity.backends import Twin
from parity.checks import ladder
from parity.checks.claims import ABOUT, Judged, holds, spread
from parity.checks.verdict import Rung, Verdict, rung, worst
from parity.interface import random as initial
from parity.interface.trace import Arrays, Trajectory
from parity.recipes import Recipe
from parity.study.part import Part, Setting
from parity.study.points import BACKENDS, INITS, seeds
from parity.study.runs import Runs, curve
from parity.training import Plan, make_plan
from parity.training.plan import open_evaluation, open_training

THIN = 10  # one in so many steps is drawn
PATIENT = 4  # times the study's steps, for the init that falls behind

Start = Callable[[Arrays, Arrays], Arrays]
VARIANTS: dict[str, Start] = {
    "0.1·randn, zero biases (the study's NumPy)": lambda randn, default: randn,
    "the same, default biases": lambda randn, default: {**randn, **_role(default, "bias")},
    "the same, kernels of the default's size": lambda randn, default: {**randn, **_rescaled(randn, default)},
    "default kernels, zero biases": lambda randn, default: {**default, **_role(randn, "bias")},
    "default (the study's PyTorch)": lambda randn, default: default,
}


def plans(setting: Setting) -> list[tuple[Plan, str]]:
    """The runs that are kept, each with its backend; the float64 runs and those from parts of the init are not."""
    return [(plan, b) for b in BACKENDS for init in INITS for plan in seeds(setting, "circles", init)]


def run(setting: Setting) -> Part:
    """Compare trajectories, exchange the init, then its parts."""
    recipe = recipes.load("circles")
    rungs = {init: _compare(setting, replace(recipe, init=init)) for init in INITS}
    exchanged = {
        b: {i: curve([setting.runs.train(plan, b) for plan in seeds(setting, "circles", i)], "test") for i in INITS}
        for b in BACKENDS
    }
    parts = _parts(setting, recipe)
    results = {
        "trajectory": {init: {"gaps": gaps, **_summary(judged)} for init, (judged, gaps) in rungs.items()},
        "exchanged": exchanged,
        "parts": parts,
    }
    return Part(results, list(_claims(results)), [])


def _compare(setting: Setting, recipe: Recipe) -> tuple[Rung, dict[str, Any]]:
    """Judge rung 6 over whole runs from every seed; also give the gaps between the losses of the first seed."""
    runs_by_seed = [_trajectories(setting, recipe, seed) for seed in range(setting.scale.trajectory_seeds)]
    findings = [finding for runs in runs_by_seed for finding in ladder.trajectory(*runs).findings]
    return rung(6, ladder.NAMES[6], findings), _gaps(*runs_by_seed[0])


def _trajectories(setting: Setting, recipe: Recipe, seed: int) -> tuple[dict[str, Trajectory], dict[str, Trajectory]]:
    """Framework → its run in float64; and framework → its run from weights moved by one ulp."""
    plan = make_plan(recipe, seed=seed, precision="float64")
    batches = open_training(recipe, plan.data, seed)
    taken = [batches.batch(*plan.position(step)) for step in range(plan.steps)]
    rng = np.random.default_rng(seed)
    straight, moved = {}, {}
    for backend in BACKENDS:
        setting.runs.note(f"circles in float64, init {recipe.init}, {backend}, seed {seed}")
        twin = setting.runs.twin(plan, backend)
        weights = initial.draw(twin.shapes(), recipe.init, seed)
        straight[backend] = _train(twin, weights, recipe, taken)
        nudged = {k: np.nextafter(a, np.where(rng.random(a.shape) < 0.5, -np.inf, np.inf)) for k, a in weights.items()}
        moved[backend] = _train(twin, nudged, recipe, taken)
    return straight, moved


def _train(twin: Twin, weights: Arrays, recipe: Recipe, batches: Sequence[Any]) -> Trajectory:
    twin.load(weights)
    session = twin.session(recipe.optimizer)
    losses, _ = session.advance(batches, [recipe.optimizer.learning_rate] * len(batches)).fetch()
    return Trajectory(losses, session.state().weights)


def _gaps(straight: dict[str, Trajectory], moved: dict[str, Trajectory]) -> dict[str, Any]:
    """Differences of the losses between frameworks, and of each from its moved run, thinned for the figures."""
    pairs = {f"{a} − {b}": straight[a].losses - straight[b].losses for a, b in combinations(straight, 2)}
    drifts = {b: moved[b].losses - straight[b].losses for b in straight}
    return {
        "step": list(range(1, len(next(iter(pairs.values()))) + 1, THIN)),
        "between": {name: _thinned(gap) for name, gap in pairs.items()},
        "own": {name: _thinned(gap) for name, gap in drifts.items()},
    }


def _thinned(gap: NDArray) -> list[float]:
    """The largest absolute value in every THIN steps."""
    padded = np.pad(np.abs(gap), (0, -len(gap) % THIN))
    return [float(f"{v:.3g}") for v in padded.reshape(-1, THIN).max(axis=1)]


def _summary(judged: Rung) -> dict[str, Any]:
    worst_finding = max(judged.findings, key=lambda finding: finding.share)
    return {"verdict": judged.verdict, "comparisons": len(judged.findings), "largest": worst_finding.share}


def _parts(setting: Setting, recipe: Recipe) -> dict[str, Any]:
    """Name of a start → final test accuracy of each seed.

    The starts lie between the two inits; the first and the last of them are trained for PATIENT times the steps too.
    """
    starts = {name: (start, 1) for name, start in VARIANTS.items()}
    slow, fast = next(iter(VARIANTS.items())), list(VARIANTS.items())[-1]
    for name, start in (slow, fast):
        starts[f"{name}, {PATIENT} times the steps"] = (start, PATIENT)
    return {
        name: [_accuracy(setting.runs, recipe, start, times, seed) for seed in range(setting.scale.part_seeds)]
        for name, (start, times) in starts.items()
    }


def _accuracy(runs: Runs, recipe: Recipe, start: Start, times: int, seed: int) -> float:
    plan = make_plan(recipe, seed=seed, precision="float64")
    twin = runs.twin(plan, "numpy")
    shapes = twin.shapes()
    batches = open_training(recipe, plan.data, seed)
    steps = range(times * plan.steps)
    twin.load(start(initial.draw(shapes, "randn", seed), initial.draw(shapes, "default", seed)))
    session = twin.session(recipe.optimizer)
    taken = [batches.batch(*plan.position(step)) for step in steps]
    session.advance(taken, [recipe.optimizer.learning_rate] * len(taken))
    return session.evaluate(open_evaluation(plan, "test").passes()).accuracy


def _role(weights: Arrays, role: str) -> Arrays:
    return {name: array for name, array in weights.items() if name.endswith(f".{role}")}


def _rescaled(weights: Arrays, like: Arrays) -> Arrays:
    """The kernels of `weights`, each scaled to the standard deviation of its counterpart in `like`."""
    return {k: a * like[k].std() / a.std() for k, a in _role(weights, "kernel").items()}


def _claims(results: dict[str, Any]) -> Iterator[Judged]:
    summaries = results["trajectory"].values()
    verdict = worst(Verdict(summary["verdict"]) for summary in summaries)
    count = sum(summary["comparisons"] for summary in summaries)
    largest = max(summary["largest"] for summary in summaries)
    measured = (
        f"{verdict}: {count:,} comparisons over whole runs in float64, largest gap {largest:.3g} × the framework's own "
        "drift from one ulp (limit 1024)"
    )
    same = verdict is Verdict.SAME
    yield holds("circles", "hand-written backprop is fragile and its gradients less stable", measured, not same)
    gap = _frameworks_apart(results["exchanged"])
    measured = f"with equal init the frameworks' mean accuracies differ by at most {gap:.2%}"
    yield holds("circles", "PyTorch's autograd and SGD are more robust", measured, gap > ABOUT or not same)
    by_init = {init: np.mean([c[init]["final"] for c in results["exchanged"].values()]) for init in INITS}
    measured = ", ".join(f"{init} {accuracy:.1%}" for init, accuracy in by_init.items()) + ", whichever the framework"
    why = f"kernels of the default's size alone: {spread(list(results['parts'].values())[2])}"
    apart = bool(by_init["default"] - by_init["randn"] > ABOUT)
    yield holds("circles", "the init may be suboptimal", measured, apart, why)


def _frameworks_apart(exchanged: dict[str, Any]) -> float:
    means = [[np.mean(exchanged[b][init]["final"]) for b in BACKENDS] for init in INITS]
    return float(max(max(m) - min(m) for m in means))
