"""A graph network reads handwritten digits from graphs of their bright pixels.

`parity train graphnet --backend torch` (or jax) reaches what is to be measured.
"""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="graphnet",
    claim="to be measured",
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
