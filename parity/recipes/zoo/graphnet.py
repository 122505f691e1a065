"""A graph network reads handwritten digits from graphs of their bright pixels.

`parity train graphnet --backend torch` (or jax) reaches 94.4 to 95.0 % of 360 unseen digits after 1,200 steps (JAX and
PyTorch, seed 0), from equal weights: 95.0 % in PyTorch and 94.4 % in JAX. A run takes 32 s of one core in PyTorch and
27 s in JAX, compiling included.
"""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="graphnet",
    claim="94.4 to 95.0 % of 360 unseen digits after 1,200 steps (JAX and PyTorch, seed 0)",
    source="docs/zoo.md#graphnet",
    network="GraphNet",
    config={"features": 3, "num_classes": 10, "width": 32, "depth": 3, "hidden": 32},
    parameters=12_938,
    data="digit-graphs",
    batch_size=64,
    check_batch_size=5,
    steps=1200,
    evaluate_every=400,
    optimizer=Optimizer(kind="adam", learning_rate=5e-3, clip_norm=1.0),
    check_config={"width": 5, "depth": 2, "hidden": 7},
    check_parameters=364,
)
