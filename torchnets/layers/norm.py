"""Normalisation, with every default spelled."""

from torch import nn


def layer_norm(num_features: int, *, epsilon: float) -> nn.LayerNorm:
    """Normalise the last axis (…, C) to mean 0 and variance 1, then scale and bias."""
    return nn.LayerNorm(num_features, eps=epsilon, elementwise_affine=True, bias=True)


def rms_norm(num_features: int, *, epsilon: float) -> nn.RMSNorm:
    """Divide the last axis (…, C) by the root of its mean square, then scale."""
    return nn.RMSNorm(num_features, eps=epsilon, elementwise_affine=True)
