"""Multi-layer perceptron."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers import Generator, dense


class MLP(nn.Module):
    """Dense layers with ReLU between them.

    Args:
        sizes: features of the input, of each hidden layer, and of the logits. The study's are (2, 20, 2) for points
            and (3072, 1024, 512, 256, 10) for images.
        init: "default" (PyTorch's) or "randn" (0.1·N(0, 1) and zero biases).
        generator: source of the initial weights.

    Source: the study, part I.
    """

    def __init__(
        self, *, sizes: Sequence[int] = (3072, 1024, 512, 256, 10), init: str = "default", generator: Generator = None
    ) -> None:
        super().__init__()
        self.flatten = nn.Flatten(start_dim=1)
        self.layers = nn.ModuleList([dense(i, o, init=init, generator=generator) for i, o in pairwise(sizes)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of points (B, F) or images (B, C, H, W)."""
        x = self.flatten(x)
        for i, layer in enumerate(self.layers):
            x = layer(x if i == 0 else F.relu(x))
        return x
