"""PPO learns to balance a pole on a cart.

`parity train actorcritic --backend torch` (or jax) is to be measured.
"""

from parity.recipes.spec import Optimizer, Recipe, Rollouts

RECIPE = Recipe(
    name="actorcritic",
    claim="to be measured",
    source="docs/zoo.md#actorcritic",
    network="ActorCritic",
    config={"observations": 4, "actions": 2, "hidden": (64, 64), "shared": False},
    parameters=9_155,
    data="cartpole",
    batch_size=256,
    check_batch_size=7,
    steps=1280,
    evaluate_on=(),
    optimizer=Optimizer(kind="adam", learning_rate=2.5e-3, eps=1e-5, clip_norm=0.5),
    init="ppo",
    check_config={"hidden": (13, 11)},
    check_parameters=474,
    rollouts=Rollouts(environment="CartPole-v1", environments=8, length=128, epochs=4),
)
