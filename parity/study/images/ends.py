"""How far the image networks are trained, and what they reach there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity import recipes
from parity.checks.claims import COPY
from parity.study.images.runs import COPY as COPIED

FRAMEWORKS = {"jax": "JAX", "torch": "PyTorch"}
ON_THE_COPY = (
    f"on {COPIED}, a JPEG copy of CIFAR-10: quality 75 with halved chroma takes fine detail and colour, which may "
    f"change an accuracy by {COPY:.0%}"
)
"""What recompression does, in the one sentence that every ruling on the copy says."""


@dataclass(frozen=True)
class Group:
    """Runs of one network by one label over seeds, all as far.

    Attributes:
        label: who trained them.
        curves: loss and accuracy of training and of what the figure shows beside it.
        final: split → quantity → one value for each seed; and the epochs.
    """

    label: str
    curves: dict[str, Any]
    final: dict[str, Any]


@dataclass(frozen=True)
class Ends:
    """What is known of a network.

    Attributes:
        recipe: its name.
        groups: the furthest runs.
        epochs: how far they are; wanted: how far the study's are.
        data, studied: the images, and whether they are the study's.
    """

    recipe: str
    groups: Sequence[Group]
    epochs: float
    wanted: int
    data: str
    studied: bool

    def values(self, split: str, key: str) -> list[float]:
        """At the end, of every run."""
        return [value for group in self.groups for value in group.final.get(split, {}).get(key, [])]

    def course(self, split: str, key: str) -> NDArray[np.float64]:
        """Means over runs, epoch by epoch."""
        return np.mean([group.curves[key][split]["mean"] for group in self.groups], axis=0)

    @property
    def who(self) -> str:
        """How many seeds, and who trained them."""
        counts = ((len(group.final["seeds"]), in_words(group.label)) for group in self.groups)
        return ", ".join(f"{count} seed{'s' * (count > 1)} in {label}" for count, label in counts)

    @property
    def why(self) -> str:
        """What every ruling says."""
        return f"{self.who}; {ON_THE_COPY}" if self.data == COPIED else self.who


def in_words(label: str) -> str:
    """Who trained a group of runs, as a person says it."""
    return ", then ".join(FRAMEWORKS[part] for part in label.split(" to "))


def ends_of(results: dict[str, Any], name: str) -> Ends:
    """The furthest runs of a network: those over seeds, or those that went on from them."""
    over_seeds = [Group(b, curves, results["final"][name][b]) for b, curves in results["curves"][name].items()]
    longer = [Group(label, run["curves"], run["final"]) for label, run in results["whole"].get(name, {}).items()]
    groups = [*over_seeds, *longer]
    most = max((group.final["epochs"] for group in groups), default=0.0)
    furthest = [group for group in groups if group.final["epochs"] == most]
    return Ends(name, furthest, most, recipes.load(name).epochs or 0, results["data"], results["studied"])
