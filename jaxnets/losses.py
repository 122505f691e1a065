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


def clipped_policy(
    outputs: jax.Array,
    rollout: jax.Array,
    *,
    clip: float = 0.2,
    value_weight: float = 0.5,
    entropy_weight: float = 0.01,
) -> jax.Array:
    """The objective of PPO, to be made small: the clipped policy's and value's losses less the entropy, → scalar.

    Args:
        outputs: (B, actions + 1), the logits of the actions and, last, the value.
        rollout: (B, 5), of each step the action that was taken, its log-probability then, its advantage, what was
            earned from there on (the return), and the value then.
        clip: how far the probabilities' ratio may be from 1, and a value from the one then, before they count no more.
        value_weight, entropy_weight: what the value's loss, half its squared error, and the entropy count.

    The mean is over the steps; advantages are taken as they come. Source: https://arxiv.org/abs/1707.06347 and, for the
    clipped value, https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/.
    """
    logits, value = outputs[:, :-1], outputs[:, -1]
    action, old, advantage, earned, old_value = jnp.unstack(rollout, axis=1)
    log = jax.nn.log_softmax(logits, axis=-1)
    ratio = jnp.exp(jnp.take_along_axis(log, action.astype(int)[:, None], axis=1)[:, 0] - old)
    policy_loss = jnp.maximum(-advantage * ratio, -advantage * jnp.clip(ratio, 1 - clip, 1 + clip)).mean()
    near = old_value + jnp.clip(value - old_value, -clip, clip)
    value_loss = 0.5 * jnp.maximum((value - earned) ** 2, (near - earned) ** 2).mean()
    entropy = -(jnp.exp(log) * log).sum(-1).mean()
    return policy_loss + value_weight * value_loss - entropy_weight * entropy
