"""Ours, beyond the study: a GRU fed the study's digits in the study's budget learns T = 30, where its RNN cannot."""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="gru",
    claim="TODO",
    source="beyond STUDY part III",
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
