"""Rung 9: the final accuracies over seeds are equivalent, different, or it cannot be told."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from parity.backends import twin_class
from parity.checks.outcome import detectable, interval, outcome, seed_noise
from parity.checks.verdict import Finding, Verdict
from parity.interface import random as initial
from parity.recipes import Recipe, load
from parity.training import make_plan
from parity.training.plan import open_evaluation, open_training

SEEDS = 5
RNG = np.random.default_rng(0)
BASE = 0.9 + 0.02 * RNG.standard_normal(10)


def test_equal_accuracies_are_equivalent() -> None:
    found = outcome("a", {"flax": BASE, "torch": BASE}, 1000)
    assert found.verdict is Verdict.SAME and found.number == 9


def test_a_difference_far_below_the_noise_of_the_seeds_is_equivalent() -> None:
    other = BASE + 0.002 * RNG.standard_normal(10)
    assert outcome("a", {"flax": BASE, "torch": other}, 1000).verdict is Verdict.SAME


def test_a_difference_beyond_the_noise_of_the_seeds_is_different() -> None:
    found = outcome("a", {"flax": BASE, "torch": BASE - 0.1}, 1000)
    assert found.verdict is Verdict.DIFFERENT
    assert found.headline is not None and found.headline.values["flax"] > found.headline.values["torch"]


def test_few_wild_seeds_cannot_rule() -> None:
    wild = np.array([0.2, 0.9, 0.5])
    assert outcome("a", {"flax": wild, "torch": wild[::-1]}, 1000).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("accuracies", [{"flax": BASE[:2], "torch": BASE[:2]}, {"flax": BASE, "torch": BASE[:9]}, {}])
def test_nothing_to_compare_is_never_a_pass(accuracies) -> None:
    assert outcome("a", accuracies, 1000).verdict is Verdict.INCONCLUSIVE


def test_what_was_not_compared_says_so() -> None:
    nothing = Finding("accuracy", "a", Verdict.INCONCLUSIVE, reason="nothing was compared")
    assert outcome("a", {"flax": BASE}, 1000).findings == (nothing,)
    few = outcome("a", {"flax": BASE[:2], "torch": BASE[:2]}, 1000)
    assert (few.number, few.name) == (9, "outcome")
    reason = "2 and 2 seeds; a difference needs at least 3 pairs"
    label = "a: flax − torch"
    assert few.findings == (Finding("accuracy", label, Verdict.INCONCLUSIVE, share=np.inf, reason=reason),)


def test_a_difference_says_its_interval_the_noise_and_what_would_have_been_seen() -> None:
    flax, torch = np.array([0.5, 0.6, 0.7]), np.array([0.4, 0.52, 0.58])
    found = outcome("a", {"flax": flax, "torch": torch}, 1000).findings[0]
    t = stats.t(2)
    error, noise = 0.02 / 3**0.5, ((0.01 + np.var(torch, ddof=1)) / 2) ** 0.5
    low, high = (0.1 + sign * t.ppf(0.975) * error for sign in (-1, 1))
    assert (found.quantity, found.name, found.verdict) == ("accuracy", "a: flax − torch", Verdict.DIFFERENT)
    assert found.share == pytest.approx(high / noise)
    assert found.values == pytest.approx({"flax": 0.6, "torch": 0.5})
    seen = (t.ppf(0.975) + t.ppf(0.8)) * error
    assert found.reason == (
        f"difference +10.00%, 95 % interval {low:+.2%} to {high:+.2%}, seed noise {noise:.2%}; "
        f"3 seeds would have shown {seen:.2%}"
    )


def test_no_difference_below_one_example_would_have_been_shown() -> None:
    reason = outcome("a", {"flax": BASE, "torch": BASE}, 200).findings[0].reason
    assert reason.endswith("10 seeds would have shown 0.50%")


@pytest.mark.parametrize(
    ("factor", "verdict"), [(0.99, Verdict.SAME), (1.01, Verdict.DIFFERENT), (1.9, Verdict.DIFFERENT)]
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_equivalent_is_what_lies_within_one_noise(factor: float, verdict: Verdict, sign: int) -> None:
    noise = seed_noise(BASE, BASE, 1000)
    found = outcome("a", {"flax": BASE, "torch": BASE - sign * factor * noise}, 1000)
    assert found.verdict is verdict


def test_the_noise_is_that_of_both_frameworks_and_of_measuring() -> None:
    a, b = np.array([0.2, 0.4, 0.6]), np.array([0.3, 0.4, 0.5])
    assert seed_noise(a, b, 1000) == pytest.approx(((0.04 + 0.01) / 2) ** 0.5)
    assert seed_noise(np.full(3, 0.2), np.full(3, 0.2), 100) == pytest.approx((0.2 * 0.8 / 100) ** 0.5)


def test_one_more_right_answer_is_within_the_noise_of_seeds_that_are_all_perfect() -> None:
    perfect = np.ones(5)
    other = perfect - np.array([0, 0, 0, 0, 1e-3])
    assert outcome("a", {"flax": perfect, "torch": other}, 1000).verdict is Verdict.SAME


def test_exactly_the_noise_is_within_it() -> None:
    found = outcome("a", {"flax": np.ones(4), "torch": np.full(4, 255 / 256)}, 256).findings[0]
    assert (found.share, found.verdict) == (1.0, Verdict.SAME)


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    draws = [interval(0.3 + RNG.standard_normal(6)) for _ in range(2000)]
    covered = np.mean([low <= 0.3 <= high for low, high in draws])
    assert 0.93 < covered < 0.97


def test_a_detectable_difference_is_detected_as_often_as_it_says() -> None:
    size = np.mean([detectable(RNG.standard_normal(12)) for _ in range(500)])
    apart = [interval(size + RNG.standard_normal(12))[0] > 0 for _ in range(2000)]
    assert 0.7 < np.mean(apart) < 0.9


def test_the_noise_is_never_less_than_one_example() -> None:
    assert seed_noise(np.ones(4), np.ones(4), 200) == 1 / 200


def trained(recipe: Recipe, backend: str) -> np.ndarray:
    """Final test accuracies over seeds."""
    cls, found = twin_class(backend), []
    twin = cls(cls.build(recipe.network, recipe.config))
    for seed in range(SEEDS):
        plan = make_plan(recipe, seed=seed)
        twin.load(initial.draw(twin.shapes(), recipe.init, seed))
        session, stream = twin.session(recipe.optimizer), open_training(recipe, plan.data, seed)
        batches = [stream.batch(*plan.position(step)) for step in range(plan.steps)]
        session.advance(batches, [recipe.optimizer.learning_rate] * plan.steps)
        found.append(session.evaluate(open_evaluation(plan, "test").passes()).accuracy)
    return np.array(found)


@pytest.mark.slow
def test_two_frameworks_come_to_one_outcome_and_planted_bugs_do_not() -> None:
    circles = load("circles")
    sound = trained(circles, "flax")
    assert outcome("circles", {"flax": sound, "numpy": trained(circles, "numpy")}, 200).verdict is Verdict.SAME
    slow = replace(circles, optimizer=replace(circles.optimizer, learning_rate=0.002))
    for planted in (replace(circles, init="randn"), slow):
        found = outcome("circles", {"flax": sound, "numpy": trained(planted, "numpy")}, 200)
        assert not found.verdict.passes, planted
