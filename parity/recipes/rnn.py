"""Part III: a vanilla RNN learns palindromes of T = 5 to 20 almost perfectly and stays at chance for T = 25 and 30."""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="rnn",
    claim="almost 100 % on unseen palindromes for T = 5, 10, 15, 20; about 10 % for T = 25 and 30",
    source="docs/the-study.md#part-iii",
    network="RNN",
    config={"input_size": 1, "hidden_size": 128, "num_classes": 10},
    parameters=17_930,
    data="palindromes",
    length=5,
    batch_size=128,
    check_batch_size=128,
    steps=1000,
    evaluate_every=100,
    optimizer=Optimizer(kind="rmsprop", learning_rate=1e-3, clip_norm=10.0),
)
