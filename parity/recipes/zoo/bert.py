"""A small BERT learns which bytes are hidden in lines of Python's documentation.

`parity train bert --backend torch` (or jax) guesses 29.0 to 29.8 % of 2,283 hidden bytes of unseen lines after 1,000
steps (JAX and PyTorch, seed 0), from equal weights: 29.8 % and 2.713 nats in PyTorch, 29.0 % and 2.720 nats in JAX. The
most common byte is 13.7 % of them, and the table of which byte follows which, asked by the byte before, gets 22.1 %. A
run takes 45 s of one core in PyTorch and 87 s in JAX, compiling included.
"""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="bert",
    claim="29.0 to 29.8 % of 2,283 hidden bytes of unseen lines after 1,000 steps (JAX and PyTorch, seed 0)",
    source="docs/zoo.md#bert",
    network="BERT",
    config={
        "vocab_size": 256,
        "context": 64,
        "width": 64,
        "depth": 2,
        "heads": 4,
        "hidden": 128,
        "padding": 0,
    },
    parameters=92_224,
    data="python-docs-masked",
    length=64,
    check_length=13,
    batch_size=32,
    check_batch_size=5,
    steps=1000,
    evaluate_every=1000,
    optimizer=Optimizer(kind="adam", learning_rate=2e-3, clip_norm=1.0),
    init="normal",
    check_config={"context": 17, "width": 15, "heads": 3, "hidden": 11},
    check_parameters=7_433,
)
