"""Losses of the twins."""

import torch
from torch.nn import functional as F

UNLABELLED = -100
"""Label of what no loss is wanted of, `ignore_index` of PyTorch's cross-entropy."""


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over all labels of −log softmax(logits)[label]; logits (B, …, classes), labels (B, …) integers → scalar."""
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="mean", label_smoothing=0.0)


def labelled_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean of `cross_entropy` over the labels that are not −100, of which there must be one, → scalar."""
    return F.cross_entropy(
        logits.flatten(0, -2), labels.flatten(), ignore_index=UNLABELLED, reduction="mean", label_smoothing=0.0
    )


def evidence_bound(outputs: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """What a variational autoencoder makes small, in nats an image: minus the bound on the evidence, → scalar.

    Args:
        outputs: (B, P + 2·Z), the logits of the P pixels, then mean and logarithm of the variance of the Z latents.
        pixels: (B, P), 0 to 1.

    The cross-entropies are summed over the pixels, the divergences from N(0, 1) over the latents, and the mean is over
    the images. Source: https://arxiv.org/abs/1312.6114, equation 10.
    """
    logits, latents = outputs[:, : pixels.shape[1]], outputs[:, pixels.shape[1] :]
    mean, log_variance = latents.chunk(2, dim=1)
    reconstruction = F.binary_cross_entropy_with_logits(logits, pixels, reduction="none").sum(1)
    divergence = 0.5 * (torch.exp(log_variance) + mean**2 - 1 - log_variance).sum(1)
    return (reconstruction + divergence).mean()


def mean_squared_error(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean over all numbers of (output − target)²; both of one shape → scalar."""
    return F.mse_loss(outputs, targets, reduction="mean")


def clipped_policy(
    outputs: torch.Tensor,
    rollout: torch.Tensor,
    *,
    clip: float = 0.2,
    value_weight: float = 0.5,
    entropy_weight: float = 0.01,
) -> torch.Tensor:
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
    action, old, advantage, earned, old_value = rollout.unbind(dim=1)
    log = F.log_softmax(logits, dim=-1)
    ratio = torch.exp(log.gather(1, action.long()[:, None])[:, 0] - old)
    policy_loss = torch.maximum(-advantage * ratio, -advantage * torch.clamp(ratio, 1 - clip, 1 + clip)).mean()
    near = old_value + torch.clamp(value - old_value, -clip, clip)
    value_loss = 0.5 * torch.maximum((value - earned) ** 2, (near - earned) ** 2).mean()
    entropy = -(torch.exp(log) * log).sum(-1).mean()
    return policy_loss + value_weight * value_loss - entropy_weight * entropy
