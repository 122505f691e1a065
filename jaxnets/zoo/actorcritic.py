"""Policy and value of an agent."""

from collections.abc import Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

from jaxnets.layers import orthogonal_dense
from jaxnets.losses import clipped_policy


class Trunk(nnx.Module):
    """Dense layers, each with tanh after it.

    Args:
        sizes: features of the input and of each layer.
        init: name of the initial distribution; the gain is √2.
        rngs: source of the initial weights.
    """

    def __init__(self, sizes: Sequence[int], *, init: str, rngs: nnx.Rngs) -> None:
        self.layers = nnx.List(orthogonal_dense(i, o, gain=2**0.5, init=init, rngs=rngs) for i, o in pairwise(sizes))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply all layers to x (B, F)."""
        for layer in self.layers:
            x = jnp.tanh(layer(x))
        return x


class ActorCritic(nnx.Module):
    """A categorical policy and the value of a state, for PPO: two trunks, or one for both, and a dense layer for each.

    The defaults are the network for classic control of the second source, 9,155 parameters; `loss` is PPO's objective.

    Args:
        observations: numbers F that are observed of a state.
        actions: number of actions, one of which is taken.
        hidden: features of a trunk's layers.
        shared: whether policy and value have one trunk.
        init: "ppo" (orthogonal, of gain √2 in the trunks, 0.01 before the policy and 1 before the value, and zero
            biases), "default" (PyTorch's `Linear`) or "randn".
        rngs: source of the initial weights.

    Source: https://arxiv.org/abs/1707.06347 and
    https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/.
    """

    loss = staticmethod(clipped_policy)

    def __init__(
        self,
        *,
        observations: int = 4,
        actions: int = 2,
        hidden: Sequence[int] = (64, 64),
        shared: bool = False,
        init: str = "ppo",
        rngs: nnx.Rngs,
    ) -> None:
        sizes = (observations, *hidden)
        self.policy_trunk = Trunk(sizes, init=init, rngs=rngs)
        self.value_trunk = None if shared else Trunk(sizes, init=init, rngs=rngs)
        self.policy = orthogonal_dense(hidden[-1], actions, gain=0.01, init=init, rngs=rngs)
        self.value = orthogonal_dense(hidden[-1], 1, gain=1.0, init=init, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Logits of the actions and, last, the value, (B, actions + 1), of observations (B, F)."""
        for_policy = self.policy_trunk(x)
        for_value = for_policy if self.value_trunk is None else self.value_trunk(x)
        return jnp.concatenate([self.policy(for_policy), self.value(for_value)], axis=-1)
