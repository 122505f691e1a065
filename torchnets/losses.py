"""Losses of the twins."""

import torch
from torch.nn import functional as F


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over all labels of −log softmax(logits)[label]; logits (B, …, classes), labels (B, …) integers → scalar."""
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="mean", label_smoothing=0.0)


def mean_squared_error(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean over all numbers of (output − target)²; both of one shape → scalar."""
    return F.mse_loss(outputs, targets, reduction="mean")
