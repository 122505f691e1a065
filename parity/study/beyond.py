"""Beyond the study: recipes that learn what its RNN cannot, and the gradient that shows why."""

from collections.abc import Iterator
from typing import Any

from parity import recipes
from parity.checks.claims import Judged, about, holds
from parity.interface import random as initial
from parity.study.gradients import compare, hidden_gradients
from parity.study.palindromes import BACKENDS, outcomes, plan_of, pooled, trained
from parity.study.part import Part, Setting
from parity.training import Plan
from parity.training.plan import open_evaluation

SOLVING = ("rnn_orthogonal", "gru")
FAILING = "rnn"
FRAMEWORKS = ("jax", "torch", "numpy")
VANISHED = 1e-3
"""Share of the last hidden state's gradient: if less reaches the first state, the gradient has vanished."""


def plans(setting: Setting) -> list[tuple[Plan, str]]:
    """All training runs of the experiment, each with its backend."""
    lengths = setting.scale.beyond_lengths
    return [(p, b) for name in SOLVING for t in lengths for b in BACKENDS for p in _seeds(setting, name, t)]


def run(setting: Setting) -> Part:
    """Train the recipes for T of 30 and more in both frameworks, and look at the gradients of their hidden states."""
    lengths = setting.scale.beyond_lengths
    curves = {
        name: {b: {str(t): trained(setting, _seeds(setting, name, t), b) for t in lengths} for b in BACKENDS}
        for name in SOLVING
    }
    length = lengths[0]
    gradients = {name: _gradients(setting, name, length) for name in (FAILING, *SOLVING)}
    results = {"accuracy": curves, "gradients": {"length": length, "norms": gradients}}
    return Part(
        results,
        list(_claims(results, setting.scale.beyond_steps is None)),
        [rung for name, by in curves.items() for rung in outcomes(name, by)],
    )


def _seeds(setting: Setting, name: str, length: int) -> list[Plan]:
    scale = setting.scale
    return [plan_of(name, length, seed, scale.beyond_steps) for seed in range(scale.beyond_seeds)]


def _gradients(setting: Setting, name: str, length: int) -> dict[str, Any]:
    """Norms of the hidden states' gradients, in float64: at the start, in every framework, and after training."""
    plan = plan_of(name, length, 0, setting.scale.beyond_steps)
    setting.runs.train(plan, "jax")
    in_float64 = setting.runs.in_float64(plan)
    batch = next(open_evaluation(plan, "test").passes())
    twins = {framework: setting.runs.twin(in_float64, framework) for framework in FRAMEWORKS}
    start = initial.draw(twins["numpy"].shapes(), plan.recipe.init, plan.seed)
    at_start = {framework: hidden_gradients(twin, start, batch) for framework, twin in twins.items()}
    trained_weights = setting.runs.weights(plan, "jax")
    return {
        "start": at_start["numpy"],
        "trained": hidden_gradients(twins["numpy"], trained_weights, batch),
        "agreement": compare(at_start),
    }


def _claims(results: dict[str, Any], whole: bool) -> Iterator[Judged]:
    norms, length = results["gradients"]["norms"], results["gradients"]["length"]
    reach = {name: by_time["start"][0] / by_time["start"][-1] for name, by_time in norms.items()}
    measured = f"T = {length}, before training: of ‖∂loss/∂h‖ at the last step, the first gets " + ", ".join(
        f"{share:.1e} ({name})" for name, share in reach.items()
    )
    yield holds("palindromes", "T = 25 and 30 fail because gradients vanish", measured, reach[FAILING] < VANISHED)
    for name, by_backend in results["accuracy"].items() if whole else ():
        for t in next(iter(by_backend.values())):
            steps = recipes.load(name).steps
            claim = f"ours, not the study's: {name} learns T = {t} in {steps:,} steps"
            yield about("beyond", claim, 1.0, pooled(by_backend, int(t)))
