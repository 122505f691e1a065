"""One framework's results on a case, each computed once and kept."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from threading import RLock
from typing import Any, TypeVar

import numpy as np

from parity.backends import Devices, Precision, Twin, twin_class
from parity.checks.drift import STARTS, as_float32
from parity.interface.random import moved, single
from parity.interface.trace import Arrays, Probe, Reading, Trace, Trajectory, WatchedRun, call_path
from parity.twins.case import Case
from parity.weights import buffers, parameters

MODES = ("training", "evaluation")
T = TypeVar("T")


@dataclass(frozen=True)
class TracesAndReadings:
    """One framework's results on the first batch.

    Args:
        traces: mode → precision → trace of the free run.
        readings: mode → precision → call → output and gradients of the call run alone.
    """

    traces: Mapping[str, Mapping[str, Trace]]
    readings: Mapping[str, Mapping[str, dict[str, Reading]]]


class RecipeSide:
    """One framework's side of a case.

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
        self.precisions: tuple[Precision, ...] = ("float64",) if twin.framework == "numpy" else ("float64", "float32")
        self._class = twin
        self._case = case
        self._device = device
        self._make = make or partial(twin_class, self.framework)
        self._twins: dict[Precision, Twin] = {}
        self._kept: dict[object, object] = {}
        self._lock = RLock()

    def passes(self, reference: "RecipeSide") -> TracesAndReadings:
        """The free run in both modes, and every call alone, fed what the network of `reference` feeds it."""
        readings = {mode: self.readings(mode, reference.probes(mode)) for mode in MODES}
        return TracesAndReadings({mode: self.traces(mode) for mode in MODES}, readings)

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the network as it is built, before any weights are loaded."""
        return self._keep("shapes", lambda: self._build("float64").shapes())

    def traces(self, mode: str) -> dict[str, Trace]:
        """Precision → trace of the first batch, in mode "training" or "evaluation"."""
        batch, cotangent = self._case.batches[0], self._case.cotangent
        return self._each(mode, lambda twin: twin.trace(batch, cotangent, training=mode == "training"))

    def probes(self, mode: str) -> dict[str, Probe]:
        """Inputs and cotangents for calls alone, in every framework; float32 holds them exactly.

        All calls without calls inside them, in training; in evaluation those with running statistics, for the others
        do what they did in training.
        """
        trace = self.traces(mode)["float64"]
        rng = np.random.default_rng(0)
        return {
            call: Probe(single(trace.inputs[call]), single(rng.standard_normal(output.shape)))
            for call, output in trace.outputs.items()
            if self._is_leaf(call) and (mode == "training" or self._has_buffers(call))
        }

    def _is_leaf(self, call: str) -> bool:
        inside = f"{call_path(call)}."
        return call != "" and not any(other.startswith(inside) for other in self.traces("training")["float64"].outputs)

    def _has_buffers(self, call: str) -> bool:
        return any(name.startswith(f"{call_path(call)}.") for name in buffers(self._case.weights))

    def readings(self, mode: str, probes: Mapping[str, Probe]) -> dict[str, dict[str, Reading]]:
        """Precision → call → output and gradients of the call run alone on its probe."""
        return self._each(("alone", mode), lambda twin: twin.isolate(probes, training=mode == "training"))

    def drift(self, reference: "RecipeSide") -> TracesAndReadings:
        """The result of `passes`, but with float64's own drift from starts moved by one ulp in the place of float32."""
        return self._keep("drift", lambda: self._drift(reference))

    def _drift(self, reference: "RecipeSide") -> TracesAndReadings:
        starts = [self._from_moved(reference, np.random.default_rng([7, number])) for number in range(STARTS)]
        passes = self.passes(reference)
        traces: dict[str, dict[str, Trace]] = {}
        readings: dict[str, dict[str, dict[str, Reading]]] = {}
        for mode in MODES:
            trace, reading = passes.traces[mode]["float64"], passes.readings[mode]["float64"]
            moved_traces, moved_readings = zip(*[start[mode] for start in starts], strict=True)
            traces[mode] = {"float64": trace, "float32": as_float32(trace, moved_traces)}
            readings[mode] = {"float64": reading, "float32": as_float32(reading, moved_readings)}
        return TracesAndReadings(traces, readings)

    def _from_moved(
        self, probing: "RecipeSide", rng: np.random.Generator
    ) -> dict[str, tuple[Trace, dict[str, Reading]]]:
        """Mode → trace and readings in float64 with weights and cotangents moved by one ulp; the inputs stay, so that
        equal numbers in a window of a max-pool stay equal."""
        case, twin = self._case, self._twin("float64")
        twin.load({name: moved(array, rng) for name, array in case.weights.items()})
        cotangent, batch, observations = moved(case.cotangent, rng), case.batches[0], {}
        for mode in MODES:
            probes = {c: replace(p, cotangent=moved(p.cotangent, rng)) for c, p in probing.probes(mode).items()}
            training = mode == "training"
            observations[mode] = (
                twin.trace(batch, cotangent, training=training),
                twin.isolate(probes, training=training),
            )
        twin.load(case.weights)
        return observations

    def states(self) -> dict[str, tuple[Arrays, np.ndarray]]:
        """Precision → buffers after the training passes and logits in evaluation."""
        return self._each("state", lambda twin: twin.state(self._case.batches))

    def updates(self) -> dict[str, list[Arrays]]:
        """Precision → the parameters and moments after each update by the optimizer alone."""
        case = self._case
        return self._each(
            "update",
            lambda twin: twin.update(
                case.recipe.optimizer, case.update_parameters, case.update_gradients, case.update_rates
            ),
        )

    def trajectory(self, *, moved: bool = False) -> Trajectory:
        """The training run in float64, from the case's weights or from those moved by one ulp."""
        case = self._case
        arguments = case.batches, case.recipe.optimizer, case.learning_rates
        return self._keep(("trajectory", moved), lambda: self._run(moved, lambda twin: twin.train(*arguments)))

    def watched(self, *, moved: bool = False) -> WatchedRun:
        """The training run whose batches do not divide, on one device."""
        case = self._case
        arguments = case.parted_batches, case.recipe.optimizer, case.learning_rates
        return self._keep(("watched", moved), lambda: self._run(moved, lambda twin: twin.watched(*arguments)))

    def parted(self) -> dict[int, WatchedRun]:
        """Number of devices → the run of `watched` on them; empty for the reference, which has one device."""
        return self._keep("parted", lambda: {d.count: self._on(d) for d in self._case.devices if self._has_devices})

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

        return ways(self._twin("float64"), self._case.parted_batches[0], count)  # type: ignore[arg-type] # the reference's

    def draws(self) -> Arrays:
        """Initial parameters by the network's own constructor."""
        recipe, seeds = self._case.recipe, self._case.seeds
        return self._keep(
            "draws",
            lambda: parameters(self._class.draw(recipe.network, recipe.config, seeds=seeds, init=recipe.init)),
        )

    def digests(self) -> list[str]:
        """SHA-256 of every batch of the data rung, as it comes back from the framework."""
        case = self._case
        return self._keep(
            "digests", lambda: [b.digest() for b in self._twin("float64").feed(case.stream, case.positions)]
        )

    def _run(self, moved: bool, see: Callable[[Twin], T]) -> T:
        """The result of `see` on the float64 twin with the case's weights, or with those moved by one ulp."""
        twin = self._twin("float64")
        if moved:
            twin.load(self._case.moved)
        observation = see(twin)
        twin.load(self._case.weights)
        return observation

    def _build(self, precision: Precision) -> Twin:
        recipe = self._case.recipe
        model = self._keep("model", lambda: self._class.build(recipe.network, recipe.config, init=recipe.init))
        return self._class(model, precision=precision, device=self._device)

    def _twin(self, precision: Precision) -> Twin:
        if precision not in self._twins:
            twin = self._build(precision)
            twin.load(self._case.weights)
            self._twins[precision] = twin
        return self._twins[precision]

    def _each(self, what: object, see: Callable[[Twin], T]) -> dict[str, T]:
        return self._keep(what, lambda: {precision: see(self._twin(precision)) for precision in self.precisions})

    def _keep(self, what: object, see: Callable[[], T]) -> T:
        with self._lock:  # one thread looks ahead while another asks
            if what not in self._kept:
                self._kept[what] = see()
            return self._kept[what]  # type: ignore[return-value] # one key, one type
