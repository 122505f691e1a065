"""The tasks whose results are waited for: a network, its data, and the accuracy at which it is called done."""

from dataclasses import dataclass, replace

from parity import recipes
from parity.errors import unknown_name
from parity.recipes import Recipe
from parity.training import Plan, make_plan


@dataclass(frozen=True)
class Task:
    """A result to wait for, and the limit of the wait.

    Args:
        title: its title in tables.
        recipe: name of the recipe, which has network, optimizer and batches.
        data: name of the data set.
        level: test accuracy (0 to 1) that must be reached.
        steps: limit of training steps.
        every: steps between evaluations on all of the test split.
        why: reason for the level and the limit.
        workload: workload that the gate proves, whose network and step are those of the task.
        length: length T of the palindromes; None takes the recipe's.
    """

    title: str
    recipe: str
    data: str
    level: float
    steps: int
    every: int
    why: str
    workload: str
    length: int | None = None

    def plan(self, seed: int, steps: int | None = None) -> Plan:
        """The plan of the run, as `parity train` makes it, but evaluated on the test split alone.

        Args:
            seed: seed of weights and data.
            steps: limit of steps; None takes the task's.

        Raises:
            UsageError: the data are not there.
        """
        return make_plan(
            self._recipe(), data=self.data, seed=seed, steps=steps or self.steps, evaluate_every=self.every
        )

    def _recipe(self) -> Recipe:
        recipe = recipes.load(self.recipe)
        return replace(recipe, evaluate_on=("test",), length=self.length or recipe.length)


TASKS = {
    "digits": Task(
        "MLP on digits, 95 % of 360 test images", "mlp", "digits", 0.95, 1000, 10,
        "three seeds in Flax end at 97.8, 98.1 and 97.8 % after the recipe's 100 epochs of 10 steps, the limit", "mlp",
    ),
    "fashion": Task(
        "MLP on Fashion-MNIST, 85 % of 10,000 test images", "mlp", "fashion-mnist", 0.85, 8440, 50,
        "the study on record ends at 88.1 ± 0.2 % after 20 epochs of 422 steps, the limit", "mlp",
    ),
    "palindromes": Task(
        "RNN on palindromes of T = 10, 99 % of 2,000 unseen ones", "rnn", "palindromes", 0.99, 5000, 50,
        "three seeds in Flax get there after about 1,050, 2,450 and 2,950 steps, none within the recipe's 1,000; the "
        "limit is the 5,000 of the study's longer runs", "rnn-5:length=10", 10,
    ),
}  # fmt: skip


def task(name: str) -> Task:
    """The task of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in TASKS:
        raise unknown_name("task", name, TASKS)
    return TASKS[name]
