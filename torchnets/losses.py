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
