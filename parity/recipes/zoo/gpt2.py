"""draft"""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="gpt2",
    claim="draft",
    source="docs/zoo.md#gpt2",
    network="GPT2",
    config={"vocab_size": 256, "context": 64, "width": 96, "depth": 2, "heads": 4, "hidden": 384},
    parameters=254_592,
    data="python-docs",
    length=64,
    check_length=7,
    batch_size=32,
    check_batch_size=3,
    steps=600,
    evaluate_every=600,
    optimizer=Optimizer(kind="adam", learning_rate=3e-3, clip_norm=1.0),
    init="normal",
    check_config={"context": 11, "width": 15, "heads": 3, "hidden": 13},
    check_parameters=6_911,
)
