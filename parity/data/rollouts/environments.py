"""Copies of one of gymnasium's environments that are stepped together."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import generator, require_package

SEEDS = 2**31
"""Gymnasium takes no larger seed."""


@dataclass(frozen=True)
class Outcome:
    """What one step of all N copies led to.

    Args:
        rewards: what was earned, float64 (N,).
        observations: what was seen after it, float32 (N, F), before a copy begins again.
        terminal: whether the episode came to its end, bool (N,), so that nothing more can be earned.
        ended: whether it ended, bool (N,), also by the limit of its length.
    """

    rewards: NDArray[np.float64]
    observations: NDArray[np.float32]
    terminal: NDArray[np.bool_]
    ended: NDArray[np.bool_]


class Environments:
    """Copies of an environment. One whose episode ends begins again at once.

    Args:
        name: gymnasium's name of it.
        count: number N of copies.
        seed: seed of all that they draw.

    `observations` is what is seen now, float32 (N, F), and `finished` what each episode earned that has ended.

    Raises:
        UsageError: gymnasium is not installed.
    """

    def __init__(self, name: str, count: int, seed: int) -> None:
        require_package("gymnasium", f"the environment {name}")
        import gymnasium

        self._copies: list[Any] = [gymnasium.make(name) for _ in range(count)]
        self.finished: list[float] = []
        self._earned = np.zeros(count)
        seeds = generator("environments", seed).integers(SEEDS, size=count)
        self.observations = _stacked([c.reset(seed=int(s))[0] for c, s in zip(self._copies, seeds, strict=True)])

    def step(self, actions: NDArray[np.int64]) -> Outcome:
        """Do one action (N,) in each copy."""
        seen, rewards, terminal, truncated, _ = zip(
            *(copy.step(int(action)) for copy, action in zip(self._copies, actions, strict=True)), strict=True
        )
        ended = np.array(terminal) | np.array(truncated)
        after = _stacked(seen)
        self.observations = after.copy()
        self._earned += rewards
        for i in np.flatnonzero(ended):
            self.observations[i] = self._copies[i].reset()[0]
            self.finished.append(float(self._earned[i]))
            self._earned[i] = 0.0
        return Outcome(np.array(rewards, np.float64), after, np.array(terminal), ended)


def _stacked(observations: Any) -> NDArray[np.float32]:
    return np.stack(observations).astype(np.float32)
