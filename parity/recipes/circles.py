"""Part I, tasks 1 and 2, on circles: about 67 % in NumPy, about 91 % in PyTorch."""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="circles",
    claim="about 67 % in NumPy, about 91 % in PyTorch",
    source="docs/the-study.md#part-i-tasks-1-and-2",
    network="MLP",
    config={"sizes": (2, 20, 2)},
    parameters=102,
    data="circles",
    batch_size=800,
    check_batch_size=800,
    steps=1500,
    evaluate_every=50,
    evaluate_on=("train", "test"),
    log_every=50,
    optimizer=Optimizer(kind="sgd", learning_rate=0.01),
)
