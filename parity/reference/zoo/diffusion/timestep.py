"""Positions as waves by hand; nothing in them is learnt, so there is no way back."""

import numpy as np
from numpy.typing import ArrayLike

from parity.reference.layers import Array


def timestep_embedding(steps: ArrayLike, features: int, *, cosine_first: bool, shift: int) -> Array:
    """Sines and cosines of steps (B,) at the frequencies 10000^(-i / (features/2 - shift)), (B, features).

    Args:
        steps: numbers of the diffusion's steps.
        features: size of the result, even.
        cosine_first: whether the half with the cosines comes first.
        shift: 1 makes the lowest frequency 1/10000.
    """
    half = features // 2
    angle = np.multiply.outer(np.asarray(steps, np.float64), 10000.0 ** (-np.arange(half) / (half - shift)))
    waves = [np.cos(angle), np.sin(angle)] if cosine_first else [np.sin(angle), np.cos(angle)]
    return np.concatenate(waves, axis=-1)


def grid_positions(side: int, features: int) -> Array:
    """Waves of the column and then of the row of each patch of a square grid, row by row, (side · side, features)."""
    rows, columns = np.divmod(np.arange(side * side), side)
    halves = [timestep_embedding(line, features // 2, cosine_first=False, shift=0) for line in (columns, rows)]
    return np.concatenate(halves, axis=-1)
