"""Losses of the twins."""

import jax
import jax.numpy as jnp
import optax

UNLABELLED = -100
"""Label of what no loss is wanted of, `ignore_index` of PyTorch's cross-entropy."""


def cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Mean over all labels of −log softmax(logits)[label]; logits (B, …, classes), labels (B, …) integers → scalar."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def labelled_cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Mean of `cross_entropy` over the labels that are not −100, of which there must be one, → scalar.

    Differs from optax, which has no label to leave out: −100 gives NaN there, and −1 is the last class.
    """
    kept = labels != UNLABELLED
    each = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.where(kept, labels, 0))
    return jnp.where(kept, each, 0).sum() / kept.sum()


def evidence_bound(outputs: jax.Array, pixels: jax.Array) -> jax.Array:
    """What a variational autoencoder makes small, in nats an image: minus the bound on the evidence, → scalar.

    Args:
        outputs: (B, P + 2·Z), the logits of the P pixels, then mean and logarithm of the variance of the Z latents.
        pixels: (B, P), 0 to 1.

    The cross-entropies are summed over the pixels, the divergences from N(0, 1) over the latents, and the mean is over
    the images. Source: https://arxiv.org/abs/1312.6114, equation 10.
    """
    logits, latents = outputs[:, : pixels.shape[1]], outputs[:, pixels.shape[1] :]
    mean, log_variance = jnp.split(latents, 2, axis=1)
    reconstruction = optax.sigmoid_binary_cross_entropy(logits, pixels).sum(1)
    divergence = 0.5 * (jnp.exp(log_variance) + mean**2 - 1 - log_variance).sum(1)
    return (reconstruction + divergence).mean()


def mean_squared_error(outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """Mean over all numbers of (output − target)²; both of one shape → scalar."""
    return optax.squared_error(outputs, targets).mean()
