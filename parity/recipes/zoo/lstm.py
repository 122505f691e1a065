"""An LSTM learns to write lines like those of Python's documentation, byte by byte.

`parity train lstm --backend torch` (or jax) guesses 51.1 to 51.3 % of the next bytes of 17,030 unseen ones after 300
steps (JAX and PyTorch, seed 0), from equal weights: 51.1 % and 1.852 nats in PyTorch, 51.3 % and 1.853 nats in JAX. A
table of which byte follows which gets 25.1 % and 2.71 nats, and always guessing a blank 13.3 %. A run takes 37 s of one
core in PyTorch and 27 s in JAX, compiling included.
"""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="lstm",
    claim="51.1 to 51.3 % of the next bytes of 17,030 unseen ones after 300 steps (JAX and PyTorch, seed 0)",
    source="docs/zoo.md#lstm",
    network="LSTM",
    config={"vocab_size": 256, "width": 32, "hidden_size": 192, "depth": 1, "padding": 0},
    parameters=231_168,
    data="python-docs-lines",
    length=64,
    check_length=13,
    batch_size=32,
    check_batch_size=5,
    steps=300,
    evaluate_every=300,
    optimizer=Optimizer(kind="adam", learning_rate=1e-2, clip_norm=1.0),
    check_config={"width": 7, "hidden_size": 11, "depth": 2},
    check_parameters=6_800,
)
