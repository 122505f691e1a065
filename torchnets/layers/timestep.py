"""Positions as waves: of a diffusion's step in time, and of a patch in a grid."""

import math

import torch


def timestep_embedding(steps: torch.Tensor, features: int, *, cosine_first: bool, shift: int) -> torch.Tensor:
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
    places = torch.arange(half, dtype=steps.dtype, device=steps.device)
    frequency = torch.exp(-math.log(10000) * places / (half - shift))
    angle = steps[:, None] * frequency
    waves = [torch.cos(angle), torch.sin(angle)] if cosine_first else [torch.sin(angle), torch.cos(angle)]
    return torch.cat(waves, dim=-1)


def grid_positions(side: int, features: int, like: torch.Tensor) -> torch.Tensor:
    """A row of waves for each patch of a square grid, row by row; (side · side, features), of the dtype of `like`.

    The first half of the features tells the column and the second the row, each by sines and then cosines at the
    frequencies 10000^(−4i / features).

    Source: https://github.com/facebookresearch/mae/blob/main/util/pos_embed.py, which DiT takes over.
    """
    places = torch.arange(side, dtype=like.dtype, device=like.device)
    line = timestep_embedding(places, features // 2, cosine_first=False, shift=0)
    columns = line[None, :, :].expand(side, side, -1)
    rows = line[:, None, :].expand(side, side, -1)
    return torch.cat([columns, rows], dim=-1).reshape(side * side, features)
