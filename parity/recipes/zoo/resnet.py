"""draft"""

from parity.recipes.spec import Optimizer, Recipe

RECIPE = Recipe(
    name="resnet",
    claim="draft",
    source="docs/zoo.md#resnet",
    network="ResNet",
    config={
        "depths": (2, 2, 2, 2),
        "bottleneck": False,
        "stem": "imagenet",
        "in_channels": 3,
        "num_classes": 10,
        "width": 16,
    },
    parameters=703_386,
    data="digits",
    batch_size=64,
    check_batch_size=4,
    steps=200,
    evaluate_every=200,
    optimizer=Optimizer(kind="sgd", learning_rate=0.05, momentum=0.9),
    init="he",
    check_config={"depths": (1, 1), "width": 3},
    check_parameters=1_231,
)
