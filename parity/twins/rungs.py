"""The rungs that a recipe can have, as one table: what each framework shows for a rung, and the rule that judges it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from parity.checks import devices as several_devices
from parity.checks import ladder
from parity.checks.initialisation import initialisation
from parity.checks.verdict import Rung
from parity.interface.trace import Trajectory, WatchedRun
from parity.twins.case import Case
from parity.twins.first_batch import TracesAndReadings
from parity.twins.observe import RecipeSide

T = TypeVar("T")
WatchedRuns = tuple[WatchedRun, WatchedRun, dict[int, WatchedRun]]
"""A training run on one device, the same from a start moved by one ulp, and the runs by number of devices."""


@dataclass(frozen=True)
class RecipeRung(Generic[T]):
    """One row of the table.

    Args:
        number: the rung's place on the ladder; its name is `ladder.NAMES[number]`.
        show: what one framework's side shows for this rung. The second side is the reference, whose activations are
            what calls that are compared alone are fed with in every framework.
        rule: judges what the sides showed, given by framework in the order of the sides; the last side is the
            reference.
    """

    number: int
    show: Callable[[RecipeSide, RecipeSide], T]
    rule: Callable[[Mapping[str, T], Case, Sequence[RecipeSide]], Rung]

    @property
    def name(self) -> str:
        """The rung's name."""
        return ladder.NAMES[self.number]

    def shown(self, sides: Sequence[RecipeSide]) -> dict[str, T]:
        """Framework → what its side shows for this rung."""
        return {side.framework: self.show(side, sides[-1]) for side in sides}

    def judge(self, case: Case, sides: Sequence[RecipeSide]) -> Rung:
        """The rung's verdict."""
        return self.rule(self.shown(sides), case, sides)


def by_mode(observations: Mapping[str, TracesAndReadings]) -> tuple[ladder.Traces, ladder.Readings]:
    """The traces and the readings of all frameworks, each as mode → framework → precision → what was recorded."""
    modes = next(iter(observations.values())).traces
    traces = {mode: {framework: passes.traces[mode] for framework, passes in observations.items()} for mode in modes}
    readings = {
        mode: {framework: passes.readings[mode] for framework, passes in observations.items()} for mode in modes
    }
    return traces, readings


def _trajectory(observations: Mapping[str, tuple[Trajectory, Trajectory]]) -> Rung:
    runs, moved = ({framework: both[place] for framework, both in observations.items()} for place in (0, 1))
    return ladder.trajectory(runs, moved)


def _devices(observations: Mapping[str, WatchedRuns], case: Case, sides: Sequence[RecipeSide]) -> Rung:
    still = {framework: runs[0] for framework, runs in observations.items()}
    moved = {framework: runs[1] for framework, runs in observations.items()}
    several = {
        devices.count: {framework: runs[2][devices.count] for framework, runs in observations.items() if runs[2]}
        for devices in case.devices
    }
    apart = any(devices.norms_apart for devices in case.devices)
    return several_devices.devices(several_devices.Drift(still, moved), several, sides[-1].ways, apart=apart)


def _rows() -> tuple[RecipeRung[Any], ...]:
    def both_passes(side: RecipeSide, reference: RecipeSide) -> TracesAndReadings:
        return side.first_batch.passes(reference.first_batch)

    return (
        RecipeRung(1, lambda side, _: side.shapes(), lambda s, case, _: ladder.structure(s, case.recipe.parameters)),
        RecipeRung(2, both_passes, lambda observations, *_: ladder.forward(*by_mode(observations))),
        RecipeRung(3, both_passes, lambda observations, *_: ladder.gradients(*by_mode(observations))),
        RecipeRung(4, lambda side, _: side.states(), lambda observations, *_: ladder.state(observations)),
        RecipeRung(5, lambda side, _: side.updates(), lambda observations, *_: ladder.update(observations)),
        RecipeRung(
            6,
            lambda side, _: (side.trajectory(), side.trajectory(moved=True)),
            lambda observations, *_: _trajectory(observations),
        ),
        RecipeRung(7, lambda side, _: side.draws(), lambda observations, *_: initialisation(observations)),
        RecipeRung(
            8, lambda side, _: side.digests(), lambda observations, case, _: ladder.data(observations, case.positions)
        ),
        RecipeRung(
            several_devices.NUMBER,
            lambda side, _: (side.watched(), side.watched(moved=True), side.parted()),
            _devices,
        ),
    )


TABLE: Mapping[int, RecipeRung[Any]] = {row.number: row for row in _rows()}
"""Number of a rung → its row. Rung 9, the outcome of whole training runs, is judged by `parity reproduce`."""
