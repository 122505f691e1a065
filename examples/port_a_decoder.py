"""Port a decoder, which takes whole numbers, and prove the port: token embeddings, causal attention, a tied head.

Run it: python examples/port_a_decoder.py
"""

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F

import parity

TOKENS, WIDTH, HEADS = 23, 12, 3


class Port(nnx.Module):
    """The port in Flax."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.token = nnx.Embed(TOKENS, WIDTH, rngs=rngs)
        self.norm = nnx.LayerNorm(WIDTH, epsilon=1e-5, rngs=rngs)  # Flax's default is 1e-6
        self.packed = nnx.Linear(WIDTH, 3 * WIDTH, rngs=rngs)
        self.out = nnx.Linear(WIDTH, WIDTH, rngs=rngs)

    def __call__(self, tokens: jax.Array) -> jax.Array:
        x = self.token(tokens)
        heads = self.packed(self.norm(x)).reshape(*x.shape[:2], 3, HEADS, -1)
        query, key, value = (heads[:, :, i] for i in range(3))
        scores = jnp.einsum("bthd,bshd->bhts", query, key) / (WIDTH // HEADS) ** 0.5
        seen = jnp.tril(jnp.ones((x.shape[1], x.shape[1]), bool))
        shares = nnx.softmax(jnp.where(seen, scores, -jnp.inf))
        x = x + self.out(jnp.einsum("bhts,bshd->bthd", shares, value).reshape(x.shape))
        return self.token.attend(x)


class Original(nn.Module):
    """The decoder that it is a port of."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Embedding(TOKENS, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.packed = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.token(tokens)
        heads = self.packed(self.norm(x)).unflatten(-1, (3, HEADS, -1))
        query, key, value = (heads[:, :, i].transpose(1, 2) for i in range(3))
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return F.linear(x, self.token.weight)


def main() -> parity.Report:
    tokens = np.random.default_rng(0).integers(0, TOKENS, (2, 7))
    report = parity.compare(Port(nnx.Rngs(0)), Original(), tokens, name="decoder")
    print(report)
    return report


if __name__ == "__main__":
    main()
