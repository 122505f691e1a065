"""Normalisation, with every default spelled."""

from torch import nn


def layer_norm(num_features: int, *, epsilon: float, affine: bool = True) -> nn.LayerNorm:
    """Normalise the last axis (…, C) to mean 0 and variance 1, then scale and bias unless `affine` is False."""
    return nn.LayerNorm(num_features, eps=epsilon, elementwise_affine=affine, bias=affine)


def rms_norm(num_features: int, *, epsilon: float) -> nn.RMSNorm:
    """Divide the last axis (…, C) by the root of its mean square, then scale."""
    return nn.RMSNorm(num_features, eps=epsilon, elementwise_affine=True)


def group_norm(num_features: int, *, groups: int, epsilon: float) -> nn.GroupNorm:
    """Normalise each example's groups of channels over a map (B, C, H, W) and the group, then scale and bias.

    Groups are neighbouring channels. Source: https://arxiv.org/abs/1803.08494.
    """
    return nn.GroupNorm(groups, num_features, eps=epsilon, affine=True)
