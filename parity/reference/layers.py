"""Layers by hand on plain arrays: dense, ReLU, tanh, sigmoid, flatten, softmax cross-entropy.

Each `x_forward` returns `(output, cache)`; `x_backward(cotangent, cache)` returns the gradient of
`sum(output * cotangent)` with respect to the inputs, and for a layer with parameters also a dict of
their gradients, keyed like the arguments. All arrays are float64.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
UNLABELLED = -100
"""Label of what no loss is wanted of."""


class DenseCache(NamedTuple):
    """The inputs (..., in) and the kernel (in, out) for `dense_backward`, and whether there is a bias."""

    inputs: Array
    kernel: Array
    has_bias: bool


def dense_forward(inputs: Array, kernel: Array, bias: Array | None = None) -> tuple[Array, DenseCache]:
    """Compute `inputs @ kernel + bias`.

    Args:
        inputs: (..., in).
        kernel: (in, out), as in Flax; `torch.nn.Linear` stores its transpose.
        bias: (out,), or None for a layer without one.

    Returns:
        The output, (..., out), and the cache.

    Raises:
        ValueError: the last axis of `inputs` is not `in`.
    """
    if inputs.shape[-1] != kernel.shape[0]:
        raise ValueError(
            f"dense: got inputs {inputs.shape}, expected (..., {kernel.shape[0]}) for kernel {kernel.shape}"
        )
    output = inputs @ kernel
    if bias is not None:
        output += bias
    return output, DenseCache(inputs, kernel, bias is not None)


def dense_backward(cotangent: Array, cache: DenseCache) -> tuple[Array, dict[str, Array]]:
    """Differentiate `dense_forward`: (..., out) to the inputs' (..., in) and `kernel`, `bias` (if there is one)."""
    rows = cotangent.reshape(-1, cotangent.shape[-1])
    gradients = {"kernel": cache.inputs.reshape(-1, cache.inputs.shape[-1]).T @ rows}
    if cache.has_bias:
        gradients["bias"] = rows.sum(axis=0)
    return cotangent @ cache.kernel.T, gradients


def relu_forward(inputs: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Compute `max(inputs, 0)`, any shape; the cache is where the inputs are positive."""
    return np.maximum(inputs, 0.0), inputs > 0


def relu_backward(cotangent: Array, positive: NDArray[np.bool_]) -> Array:
    """Differentiate `relu_forward`; the derivative at 0 is 0, as in both frameworks."""
    return np.where(positive, cotangent, 0.0)


def tanh_forward(inputs: Array) -> tuple[Array, Array]:
    """Compute `tanh(inputs)`, any shape; the cache is the output."""
    output = np.tanh(inputs)
    return output, output


def tanh_backward(cotangent: Array, output: Array) -> Array:
    """Differentiate `tanh_forward`: 1 - tanh² times the cotangent."""
    return cotangent * (1.0 - output * output)


def sigmoid(inputs: Array) -> Array:
    """Compute 1 / (1 + exp(-inputs)), any shape, without overflow."""
    return np.exp(-np.logaddexp(0.0, -inputs))


def silu_forward(inputs: Array) -> tuple[Array, Array]:
    """Compute x times its sigmoid, any shape; the cache is the derivative."""
    share = sigmoid(inputs)
    return inputs * share, share + inputs * share * (1.0 - share)


def silu_backward(cotangent: Array, slope: Array) -> Array:
    """Differentiate `silu_forward`."""
    return cotangent * slope


def flatten_forward(inputs: Array) -> tuple[Array, tuple[int, ...]]:
    """Flatten images in channels-first order, as `torch.nn.Flatten` does on NCHW.

    Differs from a plain reshape of NHWC: a pixel's channels do not end up side by side.

    Args:
        inputs: images (B, H, W, C), or rows (B, features), which are returned unchanged.

    Returns:
        Rows (B, C * H * W), in the order C, H, W; and the shape of the inputs as cache.

    Raises:
        ValueError: the inputs have neither 2 nor 4 axes.
    """
    if inputs.ndim == 2:
        return inputs, inputs.shape
    if inputs.ndim != 4:
        raise ValueError(f"flatten: got inputs {inputs.shape}, expected (B, H, W, C) or (B, features)")
    return inputs.transpose(0, 3, 1, 2).reshape(len(inputs), -1), inputs.shape


def flatten_backward(cotangent: Array, shape: tuple[int, ...]) -> Array:
    """Differentiate `flatten_forward`: rows (B, C * H * W) back to the shape of its inputs."""
    if len(shape) == 2:
        return cotangent
    batch, height, width, channels = shape
    return cotangent.reshape(batch, channels, height, width).transpose(0, 2, 3, 1)


def softmax_cross_entropy(logits: Array, labels: NDArray[np.int64]) -> tuple[float, Array]:
    """Compute the cross-entropy of softmax(logits), averaged over all labels, and its gradient.

    Stable for large logits: each row's maximum is subtracted before the exponential.

    Args:
        logits: (B, …, classes).
        labels: int64 (B, …), each in [0, classes).

    Returns:
        The loss (a mean, `reduction="mean"` of `torch.nn.CrossEntropyLoss`; optax returns one per row)
        and its gradient with respect to the logits, (B, …, classes).

    Raises:
        ValueError: the labels' shape or a label does not fit the logits.
    """
    *shape, classes = logits.shape
    if labels.shape != tuple(shape) or labels.size == 0:
        raise ValueError(f"cross-entropy: got labels {labels.shape} and logits {logits.shape}, expected (B,), B > 0")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"cross-entropy: got labels {labels.min()} to {labels.max()}, expected 0 to {classes - 1}")
    shifted = (logits - logits.max(axis=-1, keepdims=True)).reshape(-1, classes)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    chosen = np.arange(labels.size), labels.ravel()
    gradient = np.exp(log_probabilities)
    gradient[chosen] -= 1.0
    return float(-log_probabilities[chosen].mean()), (gradient / labels.size).reshape(logits.shape)


def labelled_cross_entropy(logits: Array, labels: NDArray[np.int64]) -> tuple[float, Array]:
    """Compute `softmax_cross_entropy` of the labels that are not −100, and its gradient, which is 0 at the others."""
    kept, gradient = labels != UNLABELLED, np.zeros_like(logits)
    loss, gradient[kept] = softmax_cross_entropy(logits[kept], labels[kept])
    return loss, gradient


def mean_squared_error(outputs: Array, targets: NDArray[np.floating]) -> tuple[float, Array]:
    """Compute the mean of (output - target)² over all numbers, and its gradient with respect to the outputs.

    Raises:
        ValueError: the shapes differ.
    """
    if outputs.shape != targets.shape:
        raise ValueError(f"squared error: got targets {targets.shape}, expected {outputs.shape}")
    gap = outputs - targets
    return float((gap**2).mean()), 2.0 * gap / gap.size
