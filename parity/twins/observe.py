"""One framework's results on a case, each computed once and kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from parity.backends import Devices, Twin, twin_class
from parity.data import Batch
from parity.interface.trace import Arrays, Trajectory, WatchedRun
from parity.recipes import Optimizer
from parity.twins.case import Case
from parity.twins.first_batch import FirstBatch
from parity.twins.kept import KeptTwins
from parity.weights import parameters

T = TypeVar("T")


class RecipeSide:
    """One framework's side of a case; what it shows on the first batch is its `first_batch`.

    Args:
        twin: class of the twin, the backend's own or one with a planted bug.
        case: the inputs of the check.
        device: "cpu" or "gpu".
        make: function that gives the twin's class in another process; None gives the backend's own class.
    """

    def __init__(
        self, twin: type[Twin], case: Case, *, device: str = "cpu", make: Callable[[], type[Twin]] | None = None
    ) -> None:
        self.framework = twin.framework
        self._class = twin
        self._case = case
        self._device = device
        self._make = make or partial(twin_class, self.framework)
        self._twins = KeptTwins(twin, case, device)
        self.first_batch = FirstBatch(self._twins, case)

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the network as it is built, before any weights are loaded."""
        return self._twins.keep("shapes", lambda: self._twins.build("float64").shapes())

    def states(self) -> dict[str, tuple[Arrays, np.ndarray]]:
        """Precision → buffers after the training passes and logits in evaluation."""
        return self._twins.each("state", lambda twin: twin.state(self._case.batches))

    def updates(self) -> dict[str, list[Arrays]]:
        """Precision → the parameters and moments after each update by the optimizer alone."""
        case = self._case
        return self._twins.each(
            "update",
            lambda twin: twin.update(
                case.recipe.optimizer, case.update_parameters, case.update_gradients, case.update_rates
            ),
        )

    def trajectory(self, *, moved: bool = False) -> Trajectory:
        """The training run in float64, from the case's weights or from those moved by one ulp."""
        return self._run("trajectory", moved, lambda twin: twin.train(*self._arguments(self._case.batches)))

    def watched(self, *, moved: bool = False) -> WatchedRun:
        """The training run whose batches do not divide, on one device."""
        return self._run("watched", moved, lambda twin: twin.watched(*self._arguments(self._case.parted_batches)))

    def _arguments(self, batches: Sequence[Batch]) -> tuple[Sequence[Batch], Optimizer, Sequence[float]]:
        return batches, self._case.recipe.optimizer, self._case.learning_rates

    def _run(self, what: str, moved: bool, see: Callable[[Twin], T]) -> T:
        """What `see` observes of a run from the case's weights, or from those moved by one ulp."""
        weights = self._case.moved if moved else None
        return self._twins.keep((what, moved), lambda: self._twins.with_weights(weights, see))

    def parted(self) -> dict[int, WatchedRun]:
        """Number of devices → the run of `watched` on them; empty for the reference, which has one device."""
        return self._twins.keep(
            "parted", lambda: {d.count: self._on(d) for d in self._case.devices if self._has_devices}
        )

    @property
    def _has_devices(self) -> bool:
        return self.framework != "numpy"

    def _on(self, devices: Devices) -> WatchedRun:
        from parity.backends.processes.several_devices import Job, watched

        case = self._case
        run = case.recipe, case.weights, case.parted_batches, case.learning_rates
        job = Job(self._make, *run, devices, self._device)
        return watched(self.framework, job)

    def ways(self, count: int) -> Iterator[tuple[str, Any]]:
        """Name and result of each wrong way to part the first step among `count` devices, by the reference."""
        from parity.backends.numpy.devices import ways

        return ways(self._twins.twin("float64"), self._case.parted_batches[0], count)  # type: ignore[arg-type] # the reference's

    def draws(self) -> Arrays:
        """Initial parameters by the network's own constructor."""
        recipe, seeds = self._case.recipe, self._case.seeds
        return self._twins.keep(
            "draws",
            lambda: parameters(self._class.draw(recipe.network, recipe.config, seeds=seeds, init=recipe.init)),
        )

    def digests(self) -> list[str]:
        """SHA-256 of every batch of the data rung, as it comes back from the framework."""
        case = self._case
        return self._twins.keep(
            "digests", lambda: [b.digest() for b in self._twins.twin("float64").feed(case.stream, case.positions)]
        )
