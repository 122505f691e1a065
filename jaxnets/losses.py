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
