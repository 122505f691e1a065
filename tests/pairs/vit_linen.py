"""torchvision's VisionTransformer against a port in Linen.

Public: `torchvision.models.VisionTransformer` with a small setting. Habits of the port: setup() with own names, the
attention of Flax with its separate query, key and value of shape (width, heads, size), patches cut by a reshape and a
Dense instead of a convolution where `patches="dense"`, and the blocks in one nn.scan with stacked weights where `scan`.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from parity.torchvision_ import load_torchvision

SETTING = {
    "image_size": 32,
    "patch_size": 8,
    "num_layers": 3,
    "num_heads": 4,
    "hidden_dim": 64,
    "mlp_dim": 128,
    "num_classes": 10,
}


class FeedForward(nn.Module):
    hidden: int
    approximate: bool

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = nn.gelu(nn.Dense(self.hidden)(x), approximate=self.approximate)
        return nn.Dense(x.shape[-1])(y)


class Layer(nn.Module):
    heads: int
    hidden: int
    approximate: bool
    epsilon: float

    def setup(self) -> None:
        self.before_attention = nn.LayerNorm(epsilon=self.epsilon)
        self.attention = nn.MultiHeadDotProductAttention(self.heads)
        self.before_mlp = nn.LayerNorm(epsilon=self.epsilon)
        self.mlp = FeedForward(self.hidden, self.approximate)

    def __call__(self, x: jax.Array, _: None = None) -> tuple[jax.Array, None]:
        x = x + self.attention(self.before_attention(x))
        return x + self.mlp(self.before_mlp(x)), None


class Vit(nn.Module):
    width: int = 64
    patch: int = 8
    depth: int = 3
    heads: int = 4
    hidden: int = 128
    classes: int = 10
    epsilon: float = 1e-6
    approximate: bool = False
    patches: str = "conv"
    scan: bool = False

    def setup(self) -> None:
        conv = nn.Conv(self.width, (self.patch,) * 2, strides=self.patch, padding="VALID")
        self.embed: nn.Module = conv if self.patches == "conv" else nn.Dense(self.width)
        self.cls = self.param("cls", nn.initializers.zeros, (self.width,))
        self.where = self.param("where", nn.initializers.normal(0.02), (17, self.width))
        settings = (self.heads, self.hidden, self.approximate, self.epsilon)
        if self.scan:
            stacked = nn.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.depth)
            self.layers: Any = stacked(*settings)
        else:
            self.layers = [Layer(*settings) for _ in range(self.depth)]
        self.last = nn.LayerNorm(epsilon=self.epsilon)
        self.classify = nn.Dense(self.classes)

    def tokens(self, images: jax.Array) -> jax.Array:
        if self.patches == "dense":
            batch, height, width, channels = images.shape
            rows, columns = height // self.patch, width // self.patch
            images = images.reshape(batch, rows, self.patch, columns, self.patch, channels)
            images = images.transpose(0, 1, 3, 2, 4, 5).reshape(batch, rows * columns, -1)
        x = self.embed(images).reshape(len(images), -1, self.width)
        cls = jnp.broadcast_to(self.cls, (len(images), 1, self.width))
        return jnp.concatenate([cls, x], axis=1) + self.where

    def __call__(self, images: jax.Array) -> jax.Array:
        x = self.tokens(images)
        if self.scan:
            x, _ = self.layers(x, None)
        else:
            for layer in self.layers:
                x, _ = layer(x)
        return self.classify(self.last(x)[:, 0])


def vit_linen(
    approximate: bool = False, epsilon: float = 1e-6, patches: str = "conv", scan: bool = False
) -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair; `approximate`, which is Flax's default of gelu, is wrong, and so is another epsilon."""
    images = np.random.default_rng(4).standard_normal((2, 32, 32, 3)).astype(np.float32)
    model = load_torchvision().models.VisionTransformer(dropout=0.0, attention_dropout=0.0, **SETTING)
    port = Vit(epsilon=epsilon, approximate=approximate, patches=patches, scan=scan)
    return (port, port.init(jax.random.key(0), images)), model, images, {"to_torch": "NHWC->NCHW"}
