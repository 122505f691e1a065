"""torchvision's VisionTransformer against a port in NNX.

Public: `torchvision.models.VisionTransformer` with a small setting. Habits of the port: the blocks are made by nnx.vmap
and run by nnx.scan, so that every weight of theirs has a first axis of layers; nnx.MultiHeadAttention.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from parity.torchvision_ import load_torchvision
from tests.pairs.vit_linen import SETTING

WIDTH, DEPTH, HEADS, HIDDEN = 64, 3, 4, 128


class Block(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.ln_1 = nnx.LayerNorm(WIDTH, epsilon=1e-6, rngs=rngs)
        self.mha = nnx.MultiHeadAttention(num_heads=HEADS, in_features=WIDTH, decode=False, rngs=rngs)
        self.ln_2 = nnx.LayerNorm(WIDTH, epsilon=1e-6, rngs=rngs)
        self.up = nnx.Linear(WIDTH, HIDDEN, rngs=rngs)
        self.down = nnx.Linear(HIDDEN, WIDTH, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = x + self.mha(self.ln_1(x))
        return x + self.down(nnx.gelu(self.up(self.ln_2(x)), approximate=False))


class Vit(nnx.Module):
    def __init__(self, classes: int, rngs: nnx.Rngs) -> None:
        @nnx.split_rngs(splits=DEPTH)
        @nnx.vmap(in_axes=0, out_axes=0)
        def make_blocks(rngs: nnx.Rngs) -> Block:
            return Block(rngs)

        self.patches = nnx.Conv(3, WIDTH, (8, 8), strides=8, padding="VALID", rngs=rngs)
        self.register = nnx.Param(jnp.zeros((1, 1, WIDTH)))
        self.positions = nnx.Param(0.02 * jax.random.normal(rngs.params(), (1, 17, WIDTH)))
        self.blocks = make_blocks(rngs)
        self.norm = nnx.LayerNorm(WIDTH, epsilon=1e-6, rngs=rngs)
        self.logits = nnx.Linear(WIDTH, classes, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        @nnx.scan(in_axes=(0, nnx.Carry), out_axes=nnx.Carry)
        def run(block: Block, x: jax.Array) -> jax.Array:
            return block(x)

        x = jax.lax.collapse(self.patches(images), 1, 3)
        first = jnp.tile(self.register[...], (len(x), 1, 1))
        x = jnp.concatenate([first, x], axis=1) + self.positions[...]
        return self.logits(self.norm(run(self.blocks, x)[:, 0]))


def vit_nnx_scan() -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair."""
    images = np.random.default_rng(5).standard_normal((2, 32, 32, 3)).astype(np.float32)
    model = load_torchvision().models.VisionTransformer(dropout=0.0, attention_dropout=0.0, **SETTING)
    return Vit(10, nnx.Rngs(0)), model, images, {"to_torch": "NHWC->NCHW"}
