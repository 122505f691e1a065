"""Ours, beyond the study: a GRU in the study's budget reaches 100, 74 and 100 % for T = 30; the study's RNN 10 %."""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="gru",
    claim="100 %, 74 % and 100 % on 2,000 unseen palindromes of T = 30 after 1,000 steps (JAX, seeds 0 to 2)",
    source="beyond docs/the-study.md#part-iii",
    network="GRU",
    config={"input_size": 1, "hidden_size": 128, "num_classes": 10},
    parameters=51_594,
    data="palindromes",
    length=30,
    check_length=5,
    batch_size=128,
    check_batch_size=128,
    steps=1000,
    evaluate_every=100,
    optimizer=Optimizer(kind="rmsprop", learning_rate=1e-3, clip_norm=10.0),
)
