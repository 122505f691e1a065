"""Bugs planted in the Flax twin of `VAE`."""

from typing import Any

import jax
from flax import nnx

from parity.backends.flax.twin import FlaxTwin
from parity.bugs.flax_planting import model_changed, of_class


class _NotTurned(nnx.ConvTranspose):
    def __call__(self, inputs: jax.Array, output_size: Any = None) -> jax.Array:
        kernel = self.kernel[...]
        self.kernel[...] = kernel[::-1, ::-1]
        output = super().__call__(inputs)
        self.kernel[...] = kernel
        return output


def _same(model: Any, seed: int) -> None:
    del seed
    for layer in model.transposed:
        layer.padding = "SAME"


PLANTED: dict[str, type[FlaxTwin]] = {
    "vae-kernel-not-turned": of_class(nnx.ConvTranspose, _NotTurned),
    "vae-transposed-same": model_changed(_same),
}
