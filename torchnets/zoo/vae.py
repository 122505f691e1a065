"""Variational autoencoder."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers import Generator, conv, conv_transpose, dense
from torchnets.losses import evidence_bound


class VAE(nn.Module):
    """Convolutions to the distribution of a few latents, one draw of them, and transposed convolutions to pixels.

    The defaults are the network of the second source for images of 64 × 64, 502,005 parameters.

    Args:
        image_size: height and width of the images, which each convolution halves.
        in_channels: channels of the image.
        widths: channels of the convolutions, 4 × 4 of stride 2; the transposed ones have them in the other order.
        hidden: features of the dense layers behind them; those of the decoder have them in the other order.
        latent: number Z of latents.
        init: "default" (PyTorch's `Conv2d` and `Linear`), "he" (N(0, 2/fan_in) and zero biases) or "randn".
        generator: source of the initial weights.

    The noise of the draw is an argument, so that two frameworks train on the same; `loss` is minus the bound on the
    evidence of pixels from 0 to 1. Source: https://arxiv.org/abs/1312.6114 and https://arxiv.org/abs/1804.03599.
    """

    loss = staticmethod(evidence_bound)

    def __init__(
        self,
        *,
        image_size: int = 64,
        in_channels: int = 1,
        widths: Sequence[int] = (32, 32, 32, 32),
        hidden: Sequence[int] = (256, 256),
        latent: int = 10,
        init: str = "default",
        generator: Generator = None,
    ) -> None:
        super().__init__()
        self.map = widths[-1], image_size // 2 ** len(widths)
        features = widths[-1] * self.map[1] ** 2
        self.convs = nn.ModuleList(
            conv(i, o, size=4, stride=2, padding=1, bias=True, init=init, generator=generator)
            for i, o in pairwise((in_channels, *widths))
        )
        self.flatten = nn.Flatten(start_dim=1)
        self.encoder = nn.ModuleList(
            dense(i, o, init=init, generator=generator) for i, o in pairwise((features, *hidden))
        )
        self.mean = dense(hidden[-1], latent, init=init, generator=generator)
        self.log_variance = dense(hidden[-1], latent, init=init, generator=generator)
        self.decoder = nn.ModuleList(
            dense(i, o, init=init, generator=generator) for i, o in pairwise((latent, *hidden[::-1], features))
        )
        self.transposed = nn.ModuleList(
            conv_transpose(i, o, size=4, stride=2, padding=1, init=init, generator=generator)
            for i, o in pairwise((*widths[::-1], in_channels))
        )

    def forward(self, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """What `loss` takes, (B, H·W·C + 2·Z), of images (B, C, H, W) and standard normal noise (B, Z).

        It is the logits of the pixels, channels first, the latents' means, and the logarithms of their variances.
        """
        mean, log_variance = self.encode(x)
        z = mean + torch.exp(0.5 * log_variance) * noise
        return torch.cat([self.flatten(self.decode(z)), mean, log_variance], dim=1)

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and logarithm of the variance of the latents, (B, Z) each, of images (B, C, H, W)."""
        for convolution in self.convs:
            x = F.relu(convolution(x))
        x = self.flatten(x)
        for layer in self.encoder:
            x = F.relu(layer(x))
        return self.mean(x), self.log_variance(x)

    def decode(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the pixels (B, C, H, W) of latents (B, Z)."""
        for layer in self.decoder:
            x = F.relu(layer(x))
        channels, side = self.map
        x = x.reshape(-1, channels, side, side)
        for i, convolution in enumerate(self.transposed):
            x = convolution(x if i == 0 else F.relu(x))
        return x
