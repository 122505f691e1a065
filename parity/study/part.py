"""The interface of the experiments: the setting that each is run with, and the results that it returns."""

from dataclasses import dataclass, field
from typing import Any

from parity.checks.claims import Judged
from parity.checks.verdict import Rung
from parity.study.runs import Runs
from parity.study.scale import Scale


@dataclass(frozen=True)
class Setting:
    """The means and the extent of an experiment.

    Args:
        runs: trains.
        scale: how much.
        data: set of images for the image networks; None looks for the study's, then for what stands in for it.
        train: whether runs that are not there are trained; else what is there so far is judged.
    """

    runs: Runs
    scale: Scale
    data: str | None = None
    train: bool = True


@dataclass(frozen=True)
class Part:
    """One experiment's results.

    Args:
        results: values that JSON can hold; the figures are drawn from nothing else.
        claims: the study's claims, each with its ruling.
        outcomes: the verdict of rung 9 for each network that was trained over seeds in several frameworks.
    """

    results: dict[str, Any]
    claims: list[Judged] = field(default_factory=list)
    outcomes: list[Rung] = field(default_factory=list)
