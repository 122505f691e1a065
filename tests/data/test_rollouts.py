"""What an agent gathers: advantages by definition, actions by their probabilities, and steps of an environment."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from parity.data import arguments
from parity.data.rollouts.collect import (
    ADVANTAGE,
    Experience,
    Rollout,
    advantages,
    collect,
    indifferent,
    labelled,
    random_rollout,
    returns,
    sampled,
)
from parity.data.rollouts.environments import Environments
from parity.errors import UsageError

DISCOUNT, TRACE = 0.9, 0.7


def made(rng: np.random.Generator) -> Rollout:
    """Eleven steps in three environments; one comes to its end, one runs into its limit, one goes on."""
    shape = (11, 3)
    terminal, ended = np.zeros(shape, bool), np.zeros(shape, bool)
    terminal[4, 0] = ended[4, 0] = ended[6, 1] = True
    seen, after = rng.normal(size=(2, *shape, 2)).astype(np.float32)
    outputs, rewards = rng.normal(size=(*shape, 3)), rng.normal(size=shape)
    return Rollout(seen, rng.integers(0, 2, shape), outputs, rewards, after, terminal, ended)


def by_definition(rollout: Rollout, next_values: Any, step: int, copy: int) -> float:
    """Σ (γλ)^k · (reward + γ · value after − value before), up to the end of the episode or of the steps."""
    total, weight = 0.0, 1.0
    for t in range(step, len(rollout.rewards)):
        after = 0.0 if rollout.terminal[t, copy] else next_values[t, copy]
        total += weight * (rollout.rewards[t, copy] + DISCOUNT * after - rollout.outputs[t, copy, -1])
        weight *= DISCOUNT * TRACE
        if rollout.ended[t, copy]:
            break
    return total


def test_advantages_are_those_of_their_definition() -> None:
    rng = np.random.default_rng(0)
    rollout, next_values = made(rng), rng.normal(size=(11, 3))
    found = advantages(rollout, next_values, DISCOUNT, TRACE)
    assert found == pytest.approx(
        np.array([[by_definition(rollout, next_values, t, n) for n in range(3)] for t in range(11)])
    )


def test_with_nothing_discounted_away_a_return_is_what_is_earned_to_the_end() -> None:
    drawn = made(np.random.default_rng(1))
    rollout = replace(drawn, outputs=drawn.outputs * [1, 1, 0])
    batch = labelled(rollout, lambda seen: np.zeros((len(seen), 3)), discount=1.0, trace=1.0)
    assert batch.inputs.shape == (33, 2) and batch.labels.shape == (33, 5)
    earned = batch.labels[:, 3].reshape(11, 3)
    assert earned[0, 0] == pytest.approx(rollout.rewards[:5, 0].sum(), rel=1e-5)
    assert earned[5, 0] == pytest.approx(rollout.rewards[5:, 0].sum(), rel=1e-5)
    batch = labelled(drawn, lambda seen: np.ones((len(seen), 3)), discount=0.9, trace=0.7)
    assert np.allclose(batch.labels[:, 3] - batch.labels[:, ADVANTAGE], batch.labels[:, 4], atol=1e-5)
    assert np.array_equal(batch.labels[:, 4], np.float32(drawn.outputs[..., -1].ravel()))


def test_actions_come_as_often_as_their_probabilities_say() -> None:
    logits = np.log(np.tile([0.5, 0.2, 0.3], (20_000, 1)))
    shares = np.bincount(sampled(logits, np.random.default_rng(0)), minlength=3) / 20_000
    assert shares == pytest.approx([0.5, 0.2, 0.3], abs=0.02)
    assert sampled(np.array([[0.0, -1e4], [-1e4, 0.0]]), np.random.default_rng(1)).tolist() == [0, 1]


def test_a_batch_has_advantages_of_mean_0_and_deviation_1_and_each_step_once_an_epoch() -> None:
    batch = labelled(made(np.random.default_rng(2)), lambda seen: np.zeros((len(seen), 3)), discount=0.9, trace=0.7)
    source = Experience(batch)
    parts = [source.train(("x", 0), start, min(start + 12, 33)) for start in range(0, 33, 12)]
    for part in parts:
        assert part.labels.dtype == np.float32
        assert part.labels[:, ADVANTAGE].mean() == pytest.approx(0, abs=1e-6)
        assert part.labels[:, ADVANTAGE].std() == pytest.approx(1, abs=1e-5)
    seen = np.concatenate([part.inputs for part in parts])
    assert not np.array_equal(seen, batch.inputs)
    assert np.array_equal(np.sort(seen, axis=0), np.sort(batch.inputs, axis=0))


def test_without_gymnasium_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "find_spec", lambda module: None)
    with pytest.raises(UsageError, match=r"CartPole-v1 needs gymnasium, .* pip install 'netparity\[rl\]'"):
        Environments("CartPole-v1", 2, 0)


class TestGymnasium:
    @pytest.fixture(autouse=True)
    def _needs_gymnasium(self) -> None:
        pytest.importorskip("gymnasium")

    def test_steps_are_those_of_the_environment_itself(self) -> None:
        import gymnasium

        from parity.data.arguments import generator

        copies = Environments("CartPole-v1", 2, 5)
        alone = gymnasium.make("CartPole-v1")
        seed = int(generator("environments", 5).integers(2**31, size=2)[1])
        seen, _ = alone.reset(seed=seed)
        for step in range(60):
            assert np.array_equal(copies.observations[1], np.float32(seen))
            seen, reward, terminal, truncated, _ = alone.step(step % 3 % 2)
            outcome = copies.step(np.array([1, step % 3 % 2]))
            assert (outcome.rewards[1], outcome.terminal[1], outcome.ended[1]) == (
                reward,
                terminal,
                terminal or truncated,
            )
            assert np.array_equal(outcome.observations[1], np.float32(seen))
            if terminal or truncated:
                seen, _ = alone.reset()
        assert copies.finished and max(copies.finished) < 60

    def test_the_same_seed_gives_the_same_steps(self) -> None:
        first, second, other = (random_rollout("CartPole-v1", seed, environments=3, length=17) for seed in (0, 0, 1))
        assert first.digest() == second.digest() != other.digest()
        assert first.inputs.shape == (51, 4) and np.allclose(first.labels[:, 1], -np.log(2))

    def test_an_episode_ends_at_its_limit_with_the_value_of_what_was_seen_last(self) -> None:
        def balanced(seen: Any) -> Any:
            right = seen @ [0.1, 0.5, 3.0, 1.0] > 0
            return np.stack([np.where(right, -9.0, 9.0), np.where(right, 9.0, -9.0), np.full(len(seen), 7.0)], axis=-1)

        assert returns(balanced, "CartPole-v1", 3, 0).tolist() == [500.0] * 3
        assert returns(indifferent, "CartPole-v1", 20, 0, greedy=False).mean() < 50
        rollout = collect(balanced, Environments("CartPole-v1", 1, 0), 501, np.random.default_rng(0))
        assert rollout.ended[499, 0] and not rollout.terminal.any()
        last = advantages(rollout, np.full((501, 1), 7.0), 1.0, 0.0)[499, 0]
        assert last == pytest.approx(1.0)  # the reward; a value of 7 came before it and stands after it
