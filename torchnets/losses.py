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
