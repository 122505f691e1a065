"""Bugs planted in the PyTorch twin of `VAE`."""

import torch
from torch.nn import functional as F

import torchnets
from parity.backends.torch.twin import TorchTwin
from parity.bugs.torch_planting import loss_changed, of_class

Tensor = torch.Tensor


class _VarianceForDeviation(torchnets.VAE):
    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        mean, log_variance = self.encode(x)
        z = mean + torch.exp(log_variance) * noise
        return torch.cat([self.flatten(self.decode(z)), mean, log_variance], dim=1)


def _parts(outputs: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropies (B, P) and divergences (B, Z)."""
    logits, latents = outputs[:, : pixels.shape[1]], outputs[:, pixels.shape[1] :]
    mean, log_variance = latents.chunk(2, dim=1)
    each = F.binary_cross_entropy_with_logits(logits, pixels, reduction="none")
    return each, 0.5 * (torch.exp(log_variance) + mean**2 - 1 - log_variance)


def _divergence_mean(outputs: Tensor, pixels: Tensor) -> Tensor:
    reconstruction, divergence = _parts(outputs, pixels)
    return reconstruction.sum(1).mean() + divergence.mean()


def _reconstruction_mean(outputs: Tensor, pixels: Tensor) -> Tensor:
    reconstruction, divergence = _parts(outputs, pixels)
    return reconstruction.mean() + divergence.sum(1).mean()


PLANTED: dict[str, type[TorchTwin]] = {
    "vae-variance-for-deviation": of_class("", _VarianceForDeviation),
    "vae-divergence-mean": loss_changed(_divergence_mean),
    "vae-reconstruction-mean": loss_changed(_reconstruction_mean),
}
