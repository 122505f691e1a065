"""The declared types of the files in a run's folder, which are checked where a file is read back."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from parity.documents import Count, NotNegative, Share, Whole
from parity.training.plan import Plan


class Score(TypedDict):
    """Mean loss and accuracy over a number of examples."""

    loss: float
    accuracy: Share
    samples: Count


class Trained(Score):
    """A line of the training's metrics."""

    kind: Literal["train"]
    step: Count
    epoch: float | None
    samples_per_second: NotNegative
    seconds: NotNegative


class Evaluated(Score):
    """A line of an evaluation."""

    kind: Literal["evaluation"]
    step: Count
    epoch: float | None
    split: Literal["train", "validation", "test"]


class Summary(TypedDict):
    """The summary of a run that came to its end."""

    plan: Plan
    steps: Count
    training: Score | None
    train: NotRequired[Score]
    validation: NotRequired[Score]
    test: NotRequired[Score]
    seconds: NotNegative
    commit: str


class Kept(TypedDict):
    """The metadata of a checkpoint, which name its run and step."""

    plan: Plan
    backend: Literal["jax", "torch", "numpy"]
    step: Whole
    versions: dict[str, str]
