"""GPT-2."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from jaxnets.layers import Block, Cache, embedding, layer_norm


class GPT2(nnx.Module):
    """Decoder-only transformer that predicts the next token; its head is the token embedding.

    The defaults are the smallest GPT-2, 124,439,808 parameters.

    Args:
        vocab_size: number of tokens, and of logits.
        context: most positions that a text can have.
        width: features C of a position.
        depth: number of blocks.
        heads: heads of each attention.
        hidden: features inside each feed-forward layer.
        init: "normal" (N(0, 0.02²) and zero biases), "default" (PyTorch's `Linear` and `Embedding`) or "randn".
        rngs: source of the initial weights.

    Differs from the released code: queries, keys and values have a kernel each, not a packed one, and no dropout.
    Source: https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf and
    https://github.com/openai/gpt-2.
    """

    def __init__(
        self,
        *,
        vocab_size: int = 50257,
        context: int = 1024,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        init: str = "normal",
        rngs: nnx.Rngs,
    ) -> None:
        self.heads = heads
        self.token = embedding(vocab_size, width, init=init, rngs=rngs)
        self.position = embedding(context, width, init=init, rngs=rngs)
        self.blocks = nnx.List(
            Block(width, heads, hidden, causal=True, epsilon=1e-5, approximate=True, init=init, rngs=rngs)
            for _ in range(depth)
        )
        self.norm = layer_norm(width, epsilon=1e-5, rngs=rngs)

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Logits (B, T, vocabulary) of what comes after each of the tokens (B, T), whole numbers."""
        x = self.token(tokens) + self.position(jnp.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.token.attend(self.norm(x))

    def cache(self, batch: int, length: int) -> list[Cache]:
        """An empty cache for each block, with room for texts of that length."""
        width = self.token.features
        empty = jnp.zeros((batch, length, self.heads, width // self.heads), self.token.embedding[...].dtype)
        return [(empty, empty) for _ in self.blocks]

    def extend(
        self, tokens: jax.Array, caches: Sequence[Cache], start: int | jax.Array
    ) -> tuple[jax.Array, list[Cache]]:
        """Logits (B, T, vocabulary) of tokens (B, T) at the positions from `start` on, and the caches with them in."""
        x = self.token(tokens) + self.position(start + jnp.arange(tokens.shape[1]))
        extended = []
        for block, cache in zip(self.blocks, caches, strict=True):
            x, cache = block.extend(x, cache, start)
            extended.append(cache)
        return self.token.attend(self.norm(x)), extended
