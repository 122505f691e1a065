"""The variational autoencoder by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parity.reference.layers import Array, relu_backward, relu_forward, sigmoid
from parity.reference.modules import Conv, Dense, Flatten, Module, Shapes
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.spatial import fold, unfold
from parity.reference.zoo.layers.composite import back, call


class TransposedCache(NamedTuple):
    """The arrays and sizes that `conv_transpose_backward` needs."""

    inputs: Array
    kernel: Array
    stride: int
    padding: int


def conv_transpose_forward(
    inputs: Array, kernel: Array, bias: Array, *, stride: int, padding: int
) -> tuple[Array, TransposedCache]:
    """Lay a window of the kernel, times each input, over the output, and add the windows up.

    Args:
        inputs: (B, H, W, in).
        kernel: (h, w, out, in), as in Flax with `transpose_kernel`; `torch.nn.ConvTranspose2d` stores (in, out, h, w).
        bias: (out,).
        stride: step of the windows along both axes.
        padding: pixels that are cut off on each of the four sides.

    Returns:
        The output, (B, (H - 1)·stride + h - 2·padding, …, out), and the cache. It is the gradient of a convolution of
        that stride and padding.
    """
    batch, *sides, _ = inputs.shape
    height, width = ((side - 1) * stride + k - 2 * padding for side, k in zip(sides, kernel.shape[:2], strict=True))
    windows = np.einsum("byxi,hwoi->byxhwo", inputs, kernel)
    output = fold(windows, (batch, height, width, kernel.shape[2]), stride, padding)
    return output + bias, TransposedCache(inputs, kernel, stride, padding)


def conv_transpose_backward(cotangent: Array, cache: TransposedCache) -> tuple[Array, dict[str, Array]]:
    """Differentiate `conv_transpose_forward`: the output's shape to the inputs' and to `kernel` and `bias`."""
    inputs, kernel, stride, padding = cache
    windows = unfold(cotangent, kernel.shape[:2], stride, padding)
    gradients = {"kernel": np.einsum("byxhwo,byxi->hwoi", windows, inputs), "bias": cotangent.sum(axis=(0, 1, 2))}
    return np.einsum("byxhwo,hwoi->byxi", windows, kernel), gradients


@dataclass
class ConvTranspose(Module):
    """A transposed convolution of windows 4 × 4 with bias, stride 2, padding 1: the sides are doubled."""

    in_channels: int
    out_channels: int

    def own_shapes(self) -> Shapes:
        """Shapes of the kernel and of the bias."""
        return {"kernel": (4, 4, self.out_channels, self.in_channels), "bias": (self.out_channels,)}

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, Any]:
        """See `conv_transpose_forward`."""
        return conv_transpose_forward(inputs, **weights, stride=2, padding=1)

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """See `conv_transpose_backward`."""
        return conv_transpose_backward(cotangent, cache)


class VAE(Network):
    """Convolutions to the distribution of a few latents, one draw of them, and transposed convolutions to pixels.

    Its arguments are those of `jaxnets.VAE`, without `init` and `rngs`.

    Inputs are a tuple of images (B, H, W, in_channels) and noise (B, Z); outputs are (B, pixels + 2·Z).
    """

    def __init__(
        self,
        *,
        image_size: int = 64,
        in_channels: int = 1,
        widths: Sequence[int] = (32, 32, 32, 32),
        hidden: Sequence[int] = (256, 256),
        latent: int = 10,
    ) -> None:
        self.map, self.latent = (widths[-1], image_size // 2 ** len(widths)), latent
        features = widths[-1] * self.map[1] ** 2
        self.convs = [Conv(f"convs.{k}", i, o, 4, 2, 1) for k, (i, o) in enumerate(pairwise((in_channels, *widths)))]
        self.flatten = Flatten("flatten")
        self.encoder = [Dense(f"encoder.{k}", i, o) for k, (i, o) in enumerate(pairwise((features, *hidden)))]
        self.mean, self.log_variance = (Dense(name, hidden[-1], latent) for name in ("mean", "log_variance"))
        sizes = (latent, *hidden[::-1], features)
        self.decoder = [Dense(f"decoder.{k}", i, o) for k, (i, o) in enumerate(pairwise(sizes))]
        channels = enumerate(pairwise((*widths[::-1], in_channels)))
        self.transposed = [ConvTranspose(f"transposed.{k}", i, o) for k, (i, o) in channels]
        encoding = [*self.convs, self.flatten, *self.encoder, self.mean, self.log_variance]
        super().__init__([*encoding, *self.decoder, *self.transposed])

    def loss(self, logits: Array, labels: NDArray[Any]) -> tuple[float, Array]:
        """Minus the bound on the evidence of pixels (B, P), in nats an image, and its gradient in the outputs."""
        pixels, mean, log_variance = np.split(logits, [labels.shape[1], labels.shape[1] + self.latent], axis=1)
        reconstruction = (np.logaddexp(0.0, pixels) - pixels * labels).sum()
        divergence = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum()
        gradient = np.concatenate([sigmoid(pixels) - labels, mean, 0.5 * (np.exp(log_variance) - 1)], axis=1)
        return float(reconstruction + divergence) / len(labels), gradient / len(labels)

    def compute(self, run: Run, inputs: Any) -> tuple[Array, Any]:
        """Run forward; the cache is where the ReLUs let through, the noise, and the draw's deviation."""
        hidden, noise = inputs
        masks = []

        def rectified(modules: Sequence[Module], hidden: Array) -> Array:
            for module in modules:
                hidden, mask = relu_forward(call(module, run, hidden))
                masks.append(mask)
            return hidden

        hidden = self.flatten.forward(run, "flatten[0]", rectified(self.convs, hidden))
        hidden = rectified(self.encoder, hidden)
        mean, log_variance = call(self.mean, run, hidden), call(self.log_variance, run, hidden)
        deviation = np.exp(0.5 * log_variance)
        hidden = rectified(self.decoder, mean + deviation * noise)
        channels, side = self.map
        hidden = rectified(self.transposed[:-1], hidden.reshape(-1, channels, side, side).transpose(0, 2, 3, 1))
        logits = self.flatten.forward(run, "flatten[1]", call(self.transposed[-1], run, hidden))
        return np.concatenate([logits, mean, log_variance], axis=1), (masks, noise, deviation)

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward, last module first."""
        masks, noise, deviation = run.cache[""]
        masks = list(masks)

        def pulled(modules: Sequence[Module], cotangent: Array) -> Array:
            for module in modules[::-1]:
                cotangent = back(module, run, gradients, relu_backward(cotangent, masks.pop()))
            return cotangent

        to_logits, to_mean, to_log_variance = np.split(cotangent, [-2 * self.latent, -self.latent], axis=1)
        to_map = self.flatten.backward(run, gradients, "flatten[1]", to_logits)
        to_hidden = back(self.transposed[-1], run, gradients, to_map)
        to_hidden = pulled(self.transposed[:-1], to_hidden).transpose(0, 3, 1, 2).reshape(len(cotangent), -1)
        to_z = pulled(self.decoder, to_hidden)
        to_hidden = back(self.mean, run, gradients, to_mean + to_z)
        to_hidden += back(self.log_variance, run, gradients, to_log_variance + 0.5 * to_z * deviation * noise)
        to_map = self.flatten.backward(run, gradients, "flatten[0]", pulled(self.encoder, to_hidden))
        return pulled(self.convs, to_map)
