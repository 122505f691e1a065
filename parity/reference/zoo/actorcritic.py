"""Policy and value of an agent by hand, and PPO's objective."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.reference.layers import Array, tanh_backward, tanh_forward
from parity.reference.modules import Dense
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.composite import Composite, back, call

CLIP, VALUE_WEIGHT, ENTROPY_WEIGHT = 0.2, 0.5, 0.01


class Trunk(Composite):
    """Dense layers `layers.0`, `layers.1`, …, each with tanh after it.

    Args:
        path: the module's place in the network.
        sizes: features of the input and of each layer.
    """

    def __init__(self, path: str, sizes: Sequence[int]) -> None:
        super().__init__(path, *(Dense(f"{path}.layers.{i}", *pair) for i, pair in enumerate(pairwise(sizes))))

    def forward(self, run: Run, call_: str, inputs: Array) -> Array:
        """Run all layers."""
        hidden, caches = inputs, []
        for layer in self.parts:
            hidden, cache = tanh_forward(call(layer, run, hidden))
            caches.append(cache)
        return run.record(call_, inputs, hidden, caches)

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward."""
        gradients.outputs[call_] = cotangent
        for layer, cache in zip(self.parts[::-1], run.cache[call_][::-1], strict=True):
            cotangent = back(layer, run, gradients, tanh_backward(cotangent, cache))
        return cotangent


class ActorCritic(Network):
    """Two trunks, or one for both, and a dense layer each for the policy and for the value.

    Its arguments are those of `jaxnets.ActorCritic`, without `init` and `rngs`.

    Inputs are (B, observations); outputs are (B, actions + 1), the value last.
    """

    def __init__(
        self, *, observations: int = 4, actions: int = 2, hidden: Sequence[int] = (64, 64), shared: bool = False
    ) -> None:
        sizes = (observations, *hidden)
        self.trunks = [Trunk(path, sizes) for path in ("policy_trunk", "value_trunk")[: 1 if shared else 2]]
        self.policy, self.value = Dense("policy", hidden[-1], actions), Dense("value", hidden[-1], 1)
        super().__init__([*self.trunks, self.policy, self.value])

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; there is nothing to cache besides the calls."""
        hidden = [call(trunk, run, inputs) for trunk in self.trunks]
        return np.concatenate([call(self.policy, run, hidden[0]), call(self.value, run, hidden[-1])], axis=-1), None

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward; a trunk that both share gets what comes from both."""
        parts = [
            back(self.policy, run, gradients, cotangent[:, :-1]),
            back(self.value, run, gradients, cotangent[:, -1:]),
        ]
        to_trunks = parts if len(self.trunks) == 2 else [parts[0] + parts[1]]
        pulled = [back(trunk, run, gradients, to) for trunk, to in zip(self.trunks, to_trunks, strict=True)]
        return np.sum(pulled, axis=0)

    def loss(self, logits: Array, labels: NDArray[Any]) -> tuple[float, Array]:
        """See `clipped_policy`."""
        return clipped_policy(logits, labels)


def clipped_policy(outputs: Array, rollout: NDArray[Any]) -> tuple[float, Array]:
    """Compute PPO's objective, and its gradient with respect to the outputs.

    Args:
        outputs: (B, actions + 1), the logits of the actions and, last, the value.
        rollout: (B, 5), of each step the action, its log-probability then, its advantage, its return, and the value
            then.

    Returns:
        The mean over the steps of the clipped policy's loss, half the clipped value's squared error, weighed, less the
        entropy, weighed; and the gradient, (B, actions + 1).
    """
    action, old, advantage, earned, old_value = np.asarray(rollout, np.float64).T
    rows = np.arange(len(outputs)), action.astype(np.int64)
    shifted = outputs[:, :-1] - outputs[:, :-1].max(axis=-1, keepdims=True)
    log = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    probabilities = np.exp(log)
    ratio = np.exp(log[rows] - old)
    free, clipped = -advantage * ratio, -advantage * np.clip(ratio, 1 - CLIP, 1 + CLIP)
    error, value = outputs[:, -1] - earned, outputs[:, -1]
    near = old_value + np.clip(value - old_value, -CLIP, CLIP) - earned
    entropy = -(probabilities * log).sum(axis=-1)
    loss = np.maximum(free, clipped) + VALUE_WEIGHT * 0.5 * np.maximum(error**2, near**2) - ENTROPY_WEIGHT * entropy
    chosen = np.zeros_like(probabilities)
    chosen[rows] = 1.0
    moves = np.abs(ratio - 1) < CLIP
    to_log = np.where((free >= clipped) | moves, free, 0.0)  # the ratio's derivative in the logarithm is the ratio
    to_logits = to_log[:, None] * (chosen - probabilities)
    to_logits += ENTROPY_WEIGHT * probabilities * (log + entropy[:, None])
    to_value = np.where(error**2 >= near**2, error, near * (np.abs(value - old_value) < CLIP))
    gradient = np.concatenate([to_logits, VALUE_WEIGHT * to_value[:, None]], axis=-1)
    return float(loss.mean()), gradient / len(outputs)
