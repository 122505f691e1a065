"""A small variational autoencoder begins to learn handwritten digits.

`parity train vae --backend torch` (or jax) codes an unseen digit in 26.11 to 26.20 nats after 600 steps (JAX and
PyTorch, seed 0), from equal weights, the mean over 360: 26.20 in PyTorch, 26.11 in JAX. A code that knows only the
mean of each pixel takes 27.13 nats, and none can take less than 13.70, for the pixels are grey. A run takes 10 s of
one core in PyTorch and 14 s in JAX.
"""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="vae",
    claim="an unseen digit in 26.11 to 26.20 nats after 600 steps (JAX and PyTorch, seed 0)",
    source="docs/zoo.md#vae",
    network="VAE",
    config={"image_size": 8, "in_channels": 1, "widths": (16, 32), "hidden": (64,), "latent": 8},
    parameters=35_153,
    data="latent-digits",
    length=8,
    check_length=3,
    batch_size=64,
    check_batch_size=5,
    steps=600,
    evaluate_every=600,
    optimizer=Optimizer(kind="adam", learning_rate=3e-3),
    check_config={"widths": (3, 5), "hidden": (11,), "latent": 3},
    check_parameters=1_175,
)
