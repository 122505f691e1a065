"""torch.nn.TransformerEncoder with a mask of padding against a port in Linen.

Public: `torch.nn.TransformerEncoder`, two layers with the norms after the residuals. Habits of the port: an attention
of its own from four Dense layers and a reshape into heads, a mask that is true where a token is (PyTorch's is true
where none is), wrapper modules for the two sublayers, automatic names that do not follow the order of the calls: the
MLP's second layer is constructed first, and so Dense_0.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from torch import nn as tnn

WIDTH, HEADS, HIDDEN, DEPTH = 32, 4, 64, 2


class Attention(nn.Module):
    heads: int
    heads_last: bool

    def split(self, x: jax.Array) -> jax.Array:
        batch, length, width = x.shape
        if self.heads_last:
            return x.reshape(batch, length, width // self.heads, self.heads).swapaxes(2, 3)
        return x.reshape(batch, length, self.heads, width // self.heads)

    @nn.compact
    def __call__(self, x: jax.Array, valid: jax.Array) -> jax.Array:
        width = x.shape[-1]
        query, key, value = (self.split(nn.Dense(width, name=name)(x)) for name in ("query", "key", "value"))
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / np.sqrt(query.shape[-1])
        weights = nn.softmax(jnp.where(valid[:, None, None, :], scores, -1e30))
        mixed = jnp.einsum("bhqk,bkhd->bqhd", weights, value)
        return nn.Dense(width, name="out")(mixed.reshape(x.shape))


class Mlp(nn.Module):
    hidden: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(x.shape[-1])(nn.relu(nn.Dense(self.hidden)(x)))


class AddAndNorm(nn.Module):
    """Wraps a sublayer."""

    inner: nn.Module
    epsilon: float

    @nn.compact
    def __call__(self, x: jax.Array, *rest: jax.Array) -> jax.Array:
        return nn.LayerNorm(epsilon=self.epsilon)(x + self.inner(x, *rest))


class Encoder(nn.Module):
    epsilon: float = 1e-5
    heads_last: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, valid: jax.Array) -> jax.Array:
        for _ in range(DEPTH):
            x = AddAndNorm(Attention(HEADS, self.heads_last), self.epsilon)(x, valid)
            x = AddAndNorm(Mlp(HIDDEN), self.epsilon)(x)
        return x


def transformer_encoder(epsilon: float = 1e-5, heads_last: bool = False) -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair; Flax's default epsilon of 1e-6 is wrong. `heads_last` splits (size, heads) instead of (heads, size),
    which is wrong for weights as they are, and right for ones whose columns are reordered."""
    layer = tnn.TransformerEncoderLayer(
        WIDTH,
        HEADS,
        HIDDEN,
        dropout=0.0,
        activation="relu",
        layer_norm_eps=1e-5,
        batch_first=True,
        norm_first=False,
    )
    model = tnn.TransformerEncoder(layer, DEPTH, norm=None, enable_nested_tensor=False)
    x = np.random.default_rng(6).standard_normal((2, 9, WIDTH)).astype(np.float32)
    valid = np.arange(9) < np.array([[9], [6]])
    port = Encoder(epsilon, heads_last)

    def to_torch(x: np.ndarray, valid: np.ndarray) -> dict[str, np.ndarray]:
        return {"src": x, "src_key_padding_mask": ~valid}

    return (port, port.init(jax.random.key(0), x, valid)), model, (x, valid), {"to_torch": to_torch}
