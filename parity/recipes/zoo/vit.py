"""A small vision transformer reads handwritten digits.

`parity train vit --backend jax` (or torch) reaches 96.1 to 98.1 % of 360 unseen digits after 1,000 steps (JAX and
PyTorch, seeds 0 to 2), from equal weights: 97.5, 96.9 and 96.7 % in PyTorch, 96.7, 98.1 and 96.1 % in JAX. A run takes
21 to 25 s of one core in PyTorch and 32 to 36 s in JAX, compiling included.
"""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="vit",
    claim="96.1 to 98.1 % of 360 unseen digits after 1,000 steps (JAX and PyTorch, seeds 0 to 2)",
    source="docs/zoo.md#vit",
    network="ViT",
    config={
        "image_size": 32,
        "patch_size": 8,
        "in_channels": 3,
        "num_classes": 10,
        "width": 64,
        "depth": 3,
        "heads": 4,
        "hidden": 128,
    },
    parameters=114_698,
    data="digits",
    batch_size=64,
    check_batch_size=4,
    steps=1000,
    evaluate_every=500,
    optimizer=Optimizer(kind="adam", learning_rate=2e-3),
    init="normal",
    check_config={"width": 15, "depth": 2, "heads": 3, "hidden": 11},
    check_parameters=6_107,
)
