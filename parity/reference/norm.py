"""Batch normalisation by hand, in training and evaluation mode."""

from typing import NamedTuple

import numpy as np

from parity.reference.layers import Array


class BatchNormCache(NamedTuple):
    """The arrays that `batch_norm_backward` needs, and the running statistics to keep after the call.

    Attributes:
        normalised: the normalised inputs, (..., C).
        inverse_deviation: 1 / sqrt(var + eps), (C,).
        scale: the layer's scale, (C,).
        training: the mode of the call.
        running_mean, running_var: the new running statistics, (C,).
    """

    normalised: Array
    inverse_deviation: Array
    scale: Array
    training: bool
    running_mean: Array
    running_var: Array


def batch_norm_forward(
    inputs: Array,
    scale: Array,
    bias: Array,
    running_mean: Array,
    running_var: Array,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Array, BatchNormCache]:
    """Normalise each channel, `(x - mean) / sqrt(var + eps) * scale + bias`.

    In training mode mean and var are the batch's, var biased (divided by n); the running statistics move to
    `(1 - momentum) * running + momentum * batch`, with var unbiased (divided by n - 1). This is PyTorch's
    rule. Flax differs twice: its `momentum` is one minus this one, and it stores the biased variance.

    Args:
        inputs: (..., C); the statistics are taken over all the other axes, n values a channel.
        scale: (C,).
        bias: (C,).
        running_mean: (C,), used in evaluation mode.
        running_var: (C,), used in evaluation mode.
        training: which mode.
        momentum: share of the batch in the new running statistics.
        eps: added to the variance, inside the root.

    Returns:
        The output, (..., C), and the cache, whose running statistics are new arrays in both modes.

    Raises:
        ValueError: training mode and n < 2, for which the unbiased variance does not exist.
    """
    mean, var = running_mean, running_var
    running_mean, running_var = running_mean.copy(), running_var.copy()
    if training:
        axes, count = _batch_axes(inputs)
        if count < 2:
            raise ValueError(f"batch norm: got inputs {inputs.shape}, expected more than 1 value a channel in training")
        mean, var = inputs.mean(axis=axes), inputs.var(axis=axes)
        running_mean += momentum * (mean - running_mean)
        running_var += momentum * (var * count / (count - 1) - running_var)
    inverse_deviation = 1.0 / np.sqrt(var + eps)
    normalised = (inputs - mean) * inverse_deviation
    cache = BatchNormCache(normalised, inverse_deviation, scale, training, running_mean, running_var)
    return normalised * scale + bias, cache


def batch_norm_backward(cotangent: Array, cache: BatchNormCache) -> tuple[Array, dict[str, Array]]:
    """Differentiate `batch_norm_forward`: (..., C) to the inputs' (..., C) and `scale`, `bias`.

    In training mode the mean and the variance depend on the inputs too; what is stored is not differentiated.
    """
    axes, count = _batch_axes(cotangent)
    gradients = {"scale": (cotangent * cache.normalised).sum(axis=axes), "bias": cotangent.sum(axis=axes)}
    if cache.training:
        cotangent = cotangent - (gradients["bias"] + cache.normalised * gradients["scale"]) / count
    return cotangent * (cache.scale * cache.inverse_deviation), gradients


def _batch_axes(inputs: Array) -> tuple[tuple[int, ...], int]:
    return tuple(range(inputs.ndim - 1)), inputs.size // inputs.shape[-1]
