"""Bugs planted in the Flax twins of `LSTM` and `BERT`."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from jaxnets import BERT
from jaxnets.layers import EncoderBlock, FeedForward, PackedLSTM
from parity.backends.flax.twin import FlaxTwin
from parity.bugs.flax_planting import loss_changed, model_changed, of_class


class _OtherOrder(nnx.OptimizedLSTMCell):
    def __call__(self, carry: tuple[jax.Array, jax.Array], inputs: jax.Array) -> Any:
        c, h = carry
        i, g, f, o = jnp.split(self.dense_i(inputs) + self.dense_h(h), 4, axis=-1)
        c = nnx.sigmoid(f) * c + nnx.sigmoid(i) * nnx.tanh(g)
        h = nnx.sigmoid(o) * nnx.tanh(c)
        return (c, h), h


class _RunsOn(PackedLSTM):
    def __call__(self, x: jax.Array, lengths: jax.Array | None = None) -> Any:  # type: ignore[override]
        state = jnp.zeros((x.shape[0], self.cell.hidden_features), x.dtype)
        return nnx.RNN.__call__(self, x, initial_carry=(state, state), seq_lengths=lengths)


def _one_bias(model: Any, seed: int) -> None:
    for layer in model.layers:
        cell = layer.cell
        cell.dense_i = nnx.Linear(cell.in_features, 4 * cell.hidden_features, use_bias=False, rngs=nnx.Rngs(seed))


class _OtherGelu(FeedForward):
    def __call__(self, x: jax.Array) -> jax.Array:
        return self.out(nnx.gelu(self.hidden(x), approximate=True))


class _NormsFirst(EncoderBlock):
    def __call__(self, x: jax.Array, there: jax.Array | None = None) -> jax.Array:
        x = x + self.attention(self.norm1(x), there)
        return x + self.mlp(self.norm2(x))


def _unlabelled_as_last(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """−100 made −1, of which optax takes the last class."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, jnp.maximum(labels, -1)).mean()


class _NoHeadBias(BERT):
    def __call__(self, tokens: jax.Array, segments: jax.Array | None = None) -> jax.Array:
        return super().__call__(tokens, segments) - self.bias[...]


PLANTED: dict[str, type[FlaxTwin]] = {
    "bert-gelu": of_class(FeedForward, _OtherGelu),
    "bert-norms-first": of_class(EncoderBlock, _NormsFirst),
    "bert-no-head-bias": of_class(BERT, _NoHeadBias),
    "bert-unlabelled-counted": loss_changed(_unlabelled_as_last),
    "zoo-lstm-gates": of_class(nnx.OptimizedLSTMCell, _OtherOrder),
    "zoo-lstm-one-bias": model_changed(_one_bias),
    "zoo-lstm-runs-on": of_class(PackedLSTM, _RunsOn),
}
