"""The study's training runs: each is kept, so that a reproduction that was stopped goes on where it was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity import documents
from parity.backends import Twin
from parity.data.image_sets import title
from parity.interface.trace import Arrays
from parity.training import Outcome, Plan, begin, checkpoint, journal, make_twin, resume
from parity.training.folder import CHECKPOINTS, METRICS, SUMMARY
from parity.training.journal import Line
from parity.training.written import Summary


class Silent:
    """A watcher that shows nothing."""

    def trained(self, line: Line) -> None:
        """Ignore a line of the training's metrics."""

    def evaluated(self, line: Line) -> None:
        """Ignore a line of an evaluation."""


@dataclass(frozen=True)
class Start:
    """A run that another goes on from, at its end.

    Attributes:
        plan: the plan of that run.
        backend: its backend, which may be another than that of the run that goes on.
    """

    plan: Plan
    backend: str


@dataclass
class Runs:
    """Trains the runs that an experiment asks for, and keeps them.

    Args:
        folder: folder of the runs; those that are there and whole are not trained again.
        device: device of JAX and PyTorch, "cpu" or "gpu".
        data_dir: folder of the images' files.
        note: called with a few words on what is being done.
        commits: commits of the project at which the runs used so far were trained.
    """

    folder: Path
    device: str = "cpu"
    data_dir: str | None = None
    note: Callable[[str], None] = lambda what: None
    commits: set[str] = field(default_factory=set)
    _twins: dict[Any, Twin] = field(default_factory=dict)

    def twin(self, plan: Plan, backend: str) -> Twin:
        """A network to train, the same for all runs that differ in their weights only, so that it compiles once."""
        recipe, plan = plan.recipe, _for(plan, backend)
        key = (backend, recipe.network, repr(recipe.config), plan.precision)
        if key not in self._twins:
            self._twins[key] = make_twin(plan, backend, "cpu" if backend == "numpy" else self.device)
        return self._twins[key]

    def train(self, plan: Plan, backend: str, start: Start | None = None) -> Outcome:
        """The run's outcome: as it was kept, or trained to its end now, from its beginning or the end of another."""
        outcome = self.kept(plan, backend, start) or self._train(_for(plan, backend), backend, start)
        self.commits.add(outcome.summary["commit"])
        return outcome

    def _train(self, plan: Plan, backend: str, start: Start | None) -> Outcome:
        place = self.place(plan, backend, start)
        self.note(place.name)
        twin = self.twin(plan, backend)
        if checkpoints := checkpoint.files(place / CHECKPOINTS):
            last = checkpoint.load(checkpoints[-1])
            if _alike(last.plan, plan):
                return resume(last, twin, Silent(), out=place, folder=self.data_dir)
        if place.exists():
            place.rename(_free(place))
        if start is not None:
            self.train(start.plan, start.backend)
            end = checkpoint.load(checkpoint.files(self.place(start.plan, start.backend) / CHECKPOINTS)[-1])
            return resume(end, twin, Silent(), steps=plan.steps, out=place, folder=self.data_dir)
        return begin(plan, twin, Silent(), out=place, folder=self.data_dir)

    def kept(self, plan: Plan, backend: str, start: Start | None = None) -> Outcome | None:
        """The run's outcome, if it is there and whole."""
        return _kept(self.place(plan, backend, start), _for(plan, backend))

    def place(self, plan: Plan, backend: str, start: Start | None = None) -> Path:
        """The run's folder, which need not exist."""
        return self.folder / (name_of(plan, backend) + (f"-from-{start.backend}-{start.plan.steps}" if start else ""))

    def lines(self, plan: Plan, backend: str, start: Start | None = None) -> Sequence[Line]:
        """The metrics of a run as far as it is, which may be going on; none where there is no such run."""
        place = self.place(plan, backend, start)
        if (outcome := self.kept(plan, backend, start)) is not None:
            self.commits.add(outcome.summary["commit"])
            return outcome.lines
        kept = checkpoint.files(place / CHECKPOINTS)
        if not kept or not _alike(checkpoint.load(kept[-1]).plan, _for(plan, backend)):
            return []
        return journal.read(place / METRICS)

    def steps(self, plan: Plan, backend: str, start: Start | None = None) -> int:
        """Steps of the run that need not be trained any more: those of its last checkpoint, or of where it starts."""
        kept = checkpoint.files(self.place(plan, backend, start) / CHECKPOINTS)
        return checkpoint.step_of(kept[-1]) if kept else start.plan.steps if start else 0

    def weights(self, plan: Plan, backend: str) -> Arrays:
        """Canonical weights at the end of a run that was trained."""
        last = checkpoint.files(self.folder / name_of(plan, backend) / CHECKPOINTS)[-1]
        return checkpoint.load(last).state.weights

    @staticmethod
    def in_float64(plan: Plan) -> Plan:
        """The same plan with the network in float64."""
        return replace(plan, precision="float64")


def _for(plan: Plan, backend: str) -> Plan:
    """The plan as the backend carries it out: the reference has float64 only."""
    return Runs.in_float64(plan) if backend == "numpy" else plan


def name_of(plan: Plan, backend: str) -> str:
    """The name of the run's folder: recipe, length, init, data, steps, backend and seed."""
    recipe = plan.recipe
    parts = [recipe.name, *([f"T{recipe.length}"] if recipe.length else []), recipe.init, title(plan.data)]
    return "-".join([*parts, str(plan.steps), backend, f"seed{plan.seed}"])


def curve(outcomes: Sequence[Outcome], split: str, key: str = "accuracy") -> dict[str, Any]:
    """Mean and standard deviation over seeds, evaluation by evaluation, and each seed's last value.

    Args:
        outcomes: one run for each seed.
        split: the evaluated split.
        key: "accuracy" or "loss".

    Returns:
        Lists of equal length under "step", "mean" and "std", and one value for each seed under "final".
    """
    lines = [[line for line in o.lines if line.get("split") == split] for o in outcomes]
    return over_seeds(np.array([[line[key] for line in seed] for seed in lines]), [li["step"] for li in lines[0]])


def training_curve(outcomes: Sequence[Outcome], key: str, every: int) -> dict[str, Any]:
    """The same as `curve` for "loss" or "accuracy" of the training batches, in windows of `every` steps."""
    windows = [_windows(outcome.lines, key, every) for outcome in outcomes]
    steps = sorted(windows[0])
    return over_seeds(np.array([[window[step] for step in steps] for window in windows]), steps)


def _windows(lines: Sequence[Line], key: str, every: int) -> dict[int, float]:
    """Last step of each window → mean over its samples."""
    sums: dict[int, NDArray] = {}
    for line in lines:
        if line["kind"] == "train":
            end = -(-line["step"] // every) * every
            sums[end] = sums.get(end, np.zeros(2)) + np.array([line[key], 1.0]) * line["samples"]
    return {end: float(total / samples) for end, (total, samples) in sums.items()}


def over_seeds(values: NDArray, steps: Sequence[int]) -> dict[str, Any]:
    """Mean and standard deviation of values (seeds, steps) over the seeds, and each seed's last value."""
    deviation = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    rounded = {"mean": values.mean(axis=0), "std": deviation, "final": values[:, -1]}
    return {"step": list(steps), **{name: [float(f"{v:.6g}") for v in array] for name, array in rounded.items()}}


def _kept(place: Path, plan: Plan) -> Outcome | None:
    if not (place / SUMMARY).is_file():
        return None
    summary = documents.read(place / SUMMARY, Summary, f"remove {place} to have it trained again")
    same = _alike(Plan.from_json(summary["plan"]), plan)
    return Outcome(summary, journal.read(place / METRICS)) if same else None


def _alike(a: Plan, b: Plan) -> bool:
    """Whether two plans are of one run: a recipe's claim and source do not matter."""
    first, second = (replace(plan, recipe=replace(plan.recipe, claim="", source="")) for plan in (a, b))
    return first == second


def _free(place: Path) -> Path:
    """A path beside `place` that does not exist, such as "NAME.old0"."""
    return next(p for p in (place.with_name(f"{place.name}.old{i}") for i in range(10_000)) if not p.exists())
