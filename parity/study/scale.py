"""The scales of a reproduction: how many seeds, steps and lengths are trained."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """The number of seeds, lengths and steps of every experiment.

    Args:
        name: "full" or "quick".
        point_seeds: seeds of blobs, moons and circles, in each framework and with each init.
        part_seeds: seeds of the circles from the parts of the inits.
        trajectory_seeds: seeds of the float64 runs that are compared step by step.
        lengths, palindrome_steps, palindrome_seeds: lengths T, steps and seeds of the RNN at the study's settings;
            steps of None are the study's.
        long_steps, long_seeds: steps and seeds of the RNN with more steps, in JAX.
        beyond_lengths, beyond_steps, beyond_seeds: lengths T, steps and seeds of the recipes beyond the study; steps
            of None are the recipe's.
        image_epochs, image_seeds: recipe → epochs and seeds on images; on a GPU the epochs are the study's.
        studied_epochs: recipe → epochs of all seeds on the study's own images.
        gpu_seeds: seeds of each recipe on a GPU, on the study's own images.
        image_steps: steps of the image runs, instead of epochs; None trains the epochs above.
        image_data: set of images to train on; None takes the study's, else one that stands in for it.
    """

    name: str
    point_seeds: int
    part_seeds: int
    trajectory_seeds: int
    lengths: tuple[int, ...]
    palindrome_steps: int | None
    palindrome_seeds: int
    long_steps: int
    long_seeds: int
    beyond_lengths: tuple[int, ...]
    beyond_steps: int | None
    beyond_seeds: int
    image_epochs: Mapping[str, int]
    image_seeds: Mapping[str, int]
    studied_epochs: Mapping[str, int]
    gpu_seeds: int
    image_steps: int | None = None
    image_data: str | None = None


SCALES = {
    "full": Scale(
        name="full",
        point_seeds=10,
        part_seeds=10,
        trajectory_seeds=5,
        lengths=(5, 10, 15, 20, 25, 30),
        palindrome_steps=None,
        palindrome_seeds=5,
        long_steps=5_000,
        long_seeds=3,
        beyond_lengths=(30, 60),
        beyond_steps=None,
        beyond_seeds=3,
        image_epochs={"mlp": 20, "vgg": 2},
        image_seeds={"mlp": 5, "vgg": 3},
        studied_epochs={"mlp": 100, "vgg": 10},
        gpu_seeds=5,
    ),
    "quick": Scale(
        name="quick",
        point_seeds=3,
        part_seeds=1,
        trajectory_seeds=1,
        lengths=(5, 10),
        palindrome_steps=200,
        palindrome_seeds=3,
        long_steps=400,
        long_seeds=1,
        beyond_lengths=(10,),
        beyond_steps=100,
        beyond_seeds=1,
        image_epochs={},
        image_seeds={"mlp": 1, "vgg": 1},
        studied_epochs={},
        gpu_seeds=1,
        image_steps=4,
        image_data="digits",
    ),
}
