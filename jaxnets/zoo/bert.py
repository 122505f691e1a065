"""BERT."""

import jax
import jax.numpy as jnp
from flax import nnx

from jaxnets.layers import EncoderBlock, dense, embedding, layer_norm
from jaxnets.losses import labelled_cross_entropy


class BERT(nnx.Module):
    """Encoder that tells hidden tokens from those on both sides; its head is the token embedding, with a bias.

    The defaults are BERT-base, uncased, with the head for masked tokens, 109,514,298 parameters.

    Args:
        vocab_size: number of tokens, and of logits.
        context: most positions that a text can have.
        width: features C of a position.
        depth: number of blocks.
        heads: heads of each attention.
        hidden: features inside each feed-forward layer.
        padding: token that fills a text up, and that no position looks at; None if all texts are equally long.
        init: "normal" (N(0, 0.02²) and zero biases), "default" (PyTorch's `Linear` and `Embedding`) or "randn".
        rngs: source of the initial weights.

    `loss` leaves out labels of −100, those of tokens that are not to be told.

    Differs from the released code: no dropout, first weights not cut at two deviations, and neither the pooled first
    position nor the guess at what sentence comes next. Source: https://arxiv.org/abs/1810.04805 and
    https://github.com/google-research/bert.
    """

    loss = staticmethod(labelled_cross_entropy)

    def __init__(
        self,
        *,
        vocab_size: int = 30522,
        context: int = 512,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        padding: int | None = 0,
        init: str = "normal",
        rngs: nnx.Rngs,
    ) -> None:
        self.padding = padding
        self.token = embedding(vocab_size, width, init=init, rngs=rngs)
        self.position = embedding(context, width, init=init, rngs=rngs)
        self.segment = embedding(2, width, init=init, rngs=rngs)
        self.norm = layer_norm(width, epsilon=1e-12, rngs=rngs)
        self.blocks = nnx.List(
            EncoderBlock(width, heads, hidden, epsilon=1e-12, init=init, rngs=rngs) for _ in range(depth)
        )
        self.transform = dense(width, width, init=init, rngs=rngs)
        self.transform_norm = layer_norm(width, epsilon=1e-12, rngs=rngs)
        self.bias = nnx.Param(jnp.zeros(vocab_size))

    def __call__(self, tokens: jax.Array, segments: jax.Array | None = None) -> jax.Array:
        """Logits (B, T, vocabulary) of the tokens (B, T), whole numbers, in segments 0 and 1 (B, T); None is all 0."""
        positions = jnp.arange(tokens.shape[1])
        segments = jnp.zeros_like(tokens) if segments is None else segments
        there = None if self.padding is None else tokens != self.padding
        x = self.norm(self.token(tokens) + self.position(positions) + self.segment(segments))
        for block in self.blocks:
            x = block(x, there)
        x = self.transform_norm(nnx.gelu(self.transform(x), approximate=False))
        return self.token.attend(x) + self.bias[...]
