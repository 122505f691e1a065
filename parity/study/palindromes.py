"""Part III and the palindromes question: how far the study's RNN gets, and why no further."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from parity import recipes
from parity.checks.claims import ABOUT, Judged, about, holds, unmeasured
from parity.checks.outcome import outcome
from parity.checks.verdict import Rung
from parity.data.palindromes import TEST_SAMPLES
from parity.study.part import Part, Setting
from parity.study.runs import curve, training_curve
from parity.training import Plan, make_plan

BACKENDS = ("jax", "torch")
CLAIMED = {5: 1.0, 10: 1.0, 15: 1.0, 20: 1.0, 25: 0.1, 30: 0.1}
LEARNT = 1 - 2 * ABOUT
WINDOW = 20  # steps that a point of figure 6 sums up


def study_plans(setting: Setting, length: int) -> list[Plan]:
    """The study's run for one length T: one plan for each seed."""
    scale = setting.scale
    return [plan_of("rnn", length, seed, scale.palindrome_steps) for seed in range(scale.palindrome_seeds)]


def long_plans(setting: Setting, length: int) -> list[Plan]:
    """The same runs with more steps."""
    scale = setting.scale
    return [plan_of("rnn", length, seed, scale.long_steps) for seed in range(scale.long_seeds)]


def plans(setting: Setting) -> list[tuple[Plan, str]]:
    """All training runs of the experiment, each with its backend."""
    lengths = setting.scale.lengths
    studied = [(plan, backend) for t in lengths for backend in BACKENDS for plan in study_plans(setting, t)]
    return studied + [(plan, "jax") for t in lengths for plan in long_plans(setting, t)]


def run(setting: Setting) -> Part:
    """Train the RNN for every T in both frameworks, over seeds, then in one of them for longer."""
    lengths = setting.scale.lengths
    studied = {
        backend: {str(t): trained(setting, study_plans(setting, t), backend) for t in lengths} for backend in BACKENDS
    }
    longer = {str(t): trained(setting, long_plans(setting, t), "jax") for t in lengths}
    results = {"study": studied, "longer": {"steps": setting.scale.long_steps, "jax": longer}}
    return Part(results, list(_claims(results, setting)), outcomes("rnn", studied))


def trained(setting: Setting, seeds: list[Plan], backend: str) -> dict[str, Any]:
    """Curves over seeds: accuracy on unseen palindromes, loss and accuracy of the training batches."""
    done = [setting.runs.train(plan, backend) for plan in seeds]
    curves = {"test": curve(done, "test")}
    return curves | {key: training_curve(done, key, _window(seeds[0])) for key in ("loss", "accuracy")}


def outcomes(name: str, by_backend: dict[str, dict[str, Any]]) -> list[Rung]:
    """Judge rung 9 for every length T: whether the final accuracies of the frameworks are from one distribution."""
    first = next(iter(by_backend.values()))
    return [
        outcome(f"{name}, T = {t}", {b: np.array(by[t]["test"]["final"]) for b, by in by_backend.items()}, TEST_SAMPLES)
        for t in first
    ]


def pooled(by_backend: dict[str, dict[str, Any]], length: int) -> list[float]:
    """Final accuracies of every seed in every framework."""
    return [value for by in by_backend.values() for value in by[str(length)]["test"]["final"]]


def plan_of(name: str, length: int, seed: int, steps: int | None) -> Plan:
    """The plan of a recipe on palindromes of one length; `steps` of None are the recipe's."""
    recipe = replace(recipes.load(name), length=length)
    total = steps or recipe.steps or 0
    return make_plan(recipe, seed=seed, steps=total, checkpoint_every=total)


def _window(plan: Plan) -> int:
    return max(WINDOW, plan.steps // 100)


def _claims(results: dict[str, Any], setting: Setting) -> Iterator[Judged]:
    lengths, studied = setting.scale.lengths, results["study"]
    whole = setting.scale.palindrome_steps is None
    for length, target in CLAIMED.items():
        claim = f"T = {length}: {'almost 100 %' if target == 1 else 'about 10 % (chance)'} on unseen palindromes"
        if length not in lengths or not whole:
            yield unmeasured("palindromes", claim, f"not trained to the end at scale {setting.scale.name}")
            continue
        longer = results["longer"]["jax"][str(length)]["test"]["final"]
        why = f"after {results['longer']['steps']:,} steps {np.mean(longer):.1%} ({len(longer)} seeds, JAX)"
        yield about("palindromes", claim, target, pooled(studied, length), why)
    yield _slower(studied, lengths) if whole else unmeasured("palindromes", SLOWER, "runs too short at this scale")


SLOWER = "more slowly and noisily as T grows"


def _slower(studied: dict[str, dict[str, Any]], lengths: tuple[int, ...]) -> Judged:
    steps = {t: [_first(by[str(t)]["test"]) for by in studied.values()] for t in lengths}
    means = {t: float(np.mean(first_steps)) for t, first_steps in steps.items()}
    words = [f"T = {t}: {'never' if mean == np.inf else f'step {mean:.0f}'}" for t, mean in means.items()]
    ordered = list(means.values())
    true = all(a <= b for a, b in pairwise(ordered))
    return holds("palindromes", SLOWER, f"mean accuracy first at {LEARNT:.0%}: {', '.join(words)}", true)


def _first(statistics: dict[str, Any]) -> float:
    """The first step at which the mean accuracy over seeds is at least LEARNT; infinity if there is none."""
    return next(
        (step for step, mean in zip(statistics["step"], statistics["mean"], strict=True) if mean >= LEARNT), np.inf
    )
