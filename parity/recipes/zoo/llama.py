"""draft"""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="llama",
    claim="draft",
    source="docs/zoo.md#llama",
    network="Llama",
    config={
        "vocab_size": 256,
        "width": 96,
        "depth": 2,
        "heads": 4,
        "key_value_heads": 2,
        "hidden": 256,
        "theta": 10_000.0,
    },
    parameters=252_384,
    data="python-docs",
    length=64,
    check_length=7,
    batch_size=32,
    check_batch_size=3,
    steps=600,
    evaluate_every=600,
    optimizer=Optimizer(kind="adam", learning_rate=3e-3, clip_norm=1.0),
    init="normal",
    check_config={"width": 24, "heads": 6, "key_value_heads": 3, "hidden": 13},
    check_parameters=17_736,
)
