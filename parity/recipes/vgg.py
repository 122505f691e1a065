"""Part II: a reduced VGG on CIFAR-10 reaches 88–89 % test accuracy in 50 epochs."""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="vgg",
    claim="train accuracy about 95 %, test accuracy 88–89 % after 50 epochs",
    source="docs/the-study.md#part-ii",
    network="VGG",
    config={"plan": (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")},
    parameters=9_231_114,
    data="cifar10",
    offline_data="digits",
    batch_size=32,
    check_batch_size=8,
    epochs=50,
    augment=True,
    optimizer=Optimizer(kind="adam", learning_rate=1e-4),
)
