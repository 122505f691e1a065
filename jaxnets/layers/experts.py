"""A feed-forward layer of experts: a router sends each position to a few of them."""

import jax
import jax.numpy as jnp
from flax import nnx

from jaxnets.layers.decoder import GatedFeedForward
from jaxnets.layers.dense import dense
from jaxnets.layers.initial import stack


def grouped(rows: jax.Array, kernels: jax.Array, sizes: jax.Array) -> jax.Array:
    """Multiply the first sizes[0] rows by the first kernel, the next sizes[1] by the second, and so on.

    Args:
        rows: (N, in), ordered by their kernel.
        kernels: (E, in, out).
        sizes: whole numbers (E,), which add up to N.

    Returns:
        (N, out).
    """
    return jax.lax.ragged_dot(rows, kernels, sizes)


def load_balance(shares: jax.Array, chosen: jax.Array) -> jax.Array:
    """Auxiliary loss that is 1 where all experts get equally many positions: E · Σ fₑ·Pₑ.

    fₑ is the part of all choices that fell on expert e, which has no gradient, and Pₑ the mean of its shares.

    Args:
        shares: the router's softmax over all experts, (N, E).
        chosen: the experts of each position, whole numbers (N, K).

    Returns:
        a scalar. Source: https://arxiv.org/abs/2401.06066, equations 12 to 14, without the factor α.
    """
    counts = jnp.bincount(chosen.ravel(), length=shares.shape[-1])
    return shares.shape[-1] * (counts.astype(shares.dtype) / chosen.size * shares.mean(0)).sum()


class RoutedFeedForward(nnx.Module):
    """Σ shareₑ(x) · expertₑ(x) over the K experts with the largest shares, and the shared expert; (…, C) → (…, C).

    Each expert is a `GatedFeedForward`, whose three kernels lie stacked. No position is dropped, however many choose an
    expert. Among equal shares the expert with the lower number is chosen.

    Args:
        width: features C.
        experts, experts_per_token: number of experts E, and K of them that a position goes through.
        hidden, shared_hidden: features inside each expert, and inside the one that all go through; 0 has none.
        renormalize: whether the K shares are divided by their sum, as in Mixtral, and not taken as they are.
        init: name of the initial distribution.
        rngs: source of the initial weights.

    Source: https://arxiv.org/abs/2401.06066 and https://arxiv.org/abs/2401.04088.
    """

    def __init__(
        self,
        width: int,
        experts: int,
        experts_per_token: int,
        hidden: int,
        shared_hidden: int,
        *,
        renormalize: bool,
        init: str,
        rngs: nnx.Rngs,
    ) -> None:
        self.experts_per_token = experts_per_token
        self.renormalize = renormalize
        self.router = dense(width, experts, bias=False, init=init, rngs=rngs)
        self.gate = stack((experts, width, hidden), init=init, rngs=rngs)
        self.hidden = stack((experts, width, hidden), init=init, rngs=rngs)
        self.out = stack((experts, hidden, width), init=init, rngs=rngs)
        self.shared = GatedFeedForward(width, shared_hidden, init=init, rngs=rngs) if shared_hidden else None

    def __call__(self, x: jax.Array) -> jax.Array:
        """Send each position of x (…, C) through its experts."""
        rows = x.reshape(-1, x.shape[-1])
        mixed = self.mix(rows, *self.choose(self.shares(rows))).reshape(x.shape)
        return mixed if self.shared is None else mixed + self.shared(x)

    def balance(self, x: jax.Array) -> jax.Array:
        """The auxiliary loss of x (…, C), a scalar; see `load_balance`."""
        shares = self.shares(x.reshape(-1, x.shape[-1]))
        return load_balance(shares, self.choose(shares)[1])

    def shares(self, rows: jax.Array) -> jax.Array:
        """What each of all experts would count for rows (N, C), (N, E); rows add up to 1."""
        return jax.nn.softmax(self.router(rows), axis=-1)

    def choose(self, shares: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The largest of shares (N, E), as they count, and their experts; (N, K) each."""
        shares, chosen = jax.lax.top_k(shares, self.experts_per_token)
        return shares / shares.sum(-1, keepdims=True) if self.renormalize else shares, chosen

    def mix(self, rows: jax.Array, shares: jax.Array, chosen: jax.Array) -> jax.Array:
        """What the chosen experts give for rows (N, C), times their shares (N, K); (N, C)."""
        order = jnp.argsort(chosen.ravel(), stable=True)
        sizes = jnp.bincount(chosen.ravel(), length=self.gate.shape[0])
        x = rows[order // self.experts_per_token]
        x = nnx.silu(grouped(x, self.gate[...], sizes)) * grouped(x, self.hidden[...], sizes)
        x = grouped(x, self.out[...], sizes)[jnp.argsort(order)].reshape(*chosen.shape, -1)
        return jnp.einsum("nk,nkc->nc", shares, x)
