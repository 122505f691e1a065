"""Positions as waves: of a diffusion's step in time, and of a patch in a grid."""

import math

import jax
import jax.numpy as jnp


def timestep_embedding(steps: jax.Array, features: int, *, cosine_first: bool, shift: int) -> jax.Array:
    """Sines and cosines of the steps at frequencies from 1 down to about 1/10,000; (B,) floating → (B, features).

    Frequency i is 10000^(−i / (features/2 − shift)).

    Args:
        steps: numbers of the diffusion's steps.
        features: size of the result, even.
        cosine_first: whether the half with the cosines comes first, as in DiT, and not that with the sines, as in DDPM.
        shift: 1 makes the lowest frequency 1/10,000, as in DDPM; 0 leaves it a little higher, as in DiT.

    Source: https://arxiv.org/abs/1706.03762, whose sines and cosines take turns.
    """
    half = features // 2
    frequency = jnp.exp(-math.log(10000) * jnp.arange(half, dtype=steps.dtype) / (half - shift))
    angle = steps[:, None] * frequency
    waves = [jnp.cos(angle), jnp.sin(angle)] if cosine_first else [jnp.sin(angle), jnp.cos(angle)]
    return jnp.concatenate(waves, axis=-1)


def grid_positions(side: int, features: int, dtype: jnp.dtype) -> jax.Array:
    """A row of waves for each patch of a square grid, row by row; (side · side, features).

    The first half of the features tells the column and the second the row, each by sines and then cosines at the
    frequencies 10000^(−4i / features).

    Source: https://github.com/facebookresearch/mae/blob/main/util/pos_embed.py, which DiT takes over.
    """
    line = timestep_embedding(jnp.arange(side, dtype=dtype), features // 2, cosine_first=False, shift=0)
    columns = jnp.broadcast_to(line[None, :, :], (side, side, features // 2))
    rows = jnp.broadcast_to(line[:, None, :], (side, side, features // 2))
    return jnp.concatenate([columns, rows], axis=-1).reshape(side * side, features)
