"""Part I, task 3: an MLP on CIFAR-10 over-fits to 92.21 % train and 52.24 % test accuracy in 100 epochs."""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="mlp",
    claim="train accuracy 92.21 %, test accuracy 52.24 % after 100 epochs",
    source="docs/the-study.md#part-i-task-3",
    network="MLP",
    config={"sizes": (3072, 1024, 512, 256, 10)},
    parameters=3_805_450,
    data="cifar10",
    offline_data="digits",
    batch_size=128,
    check_batch_size=128,
    epochs=100,
    evaluate_on=("validation",),
    optimizer=Optimizer(kind="adam", learning_rate=1e-3, weight_decay=1e-4),
)
