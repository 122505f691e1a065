"""What one framework computes on the first batch of a case: the free run, every call alone, and the drift of both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from parity.backends import Twin
from parity.checks.drift import STARTS, as_float32
from parity.interface.random import moved, single
from parity.interface.trace import Probe, Reading, Trace, call_path
from parity.twins.case import Case
from parity.twins.kept import KeptTwins
from parity.weights import buffers

MODES = ("training", "evaluation")


@dataclass(frozen=True)
class TracesAndReadings:
    """One framework's results on the first batch.

    Args:
        traces: mode → precision → trace of the free run.
        readings: mode → precision → call → output and gradients of the call run alone.
    """

    traces: Mapping[str, Mapping[str, Trace]]
    readings: Mapping[str, Mapping[str, dict[str, Reading]]]


class FirstBatch:
    """One framework's passes on the first batch of a case.

    Args:
        twins: The framework's twins.
        case: The inputs of the check.
    """

    def __init__(self, twins: KeptTwins, case: Case) -> None:
        self._twins = twins
        self._case = case

    def passes(self, reference: "FirstBatch") -> TracesAndReadings:
        """The free run in both modes, and every call alone, fed what the network of `reference` feeds it."""
        readings = {mode: self.readings(mode, reference.probes(mode)) for mode in MODES}
        return TracesAndReadings({mode: self.traces(mode) for mode in MODES}, readings)

    def traces(self, mode: str) -> dict[str, Trace]:
        """Precision → trace of the free run, in mode "training" or "evaluation"."""
        batch, cotangent = self._case.batches[0], self._case.cotangent
        return self._twins.each(mode, lambda twin: twin.trace(batch, cotangent, training=mode == "training"))

    def readings(self, mode: str, probes: Mapping[str, Probe]) -> dict[str, dict[str, Reading]]:
        """Precision → call → output and gradients of the call run alone on its probe."""
        return self._twins.each(("alone", mode), lambda twin: twin.isolate(probes, training=mode == "training"))

    def probes(self, mode: str) -> dict[str, Probe]:
        """Inputs and cotangents for calls alone, in every framework; float32 holds them exactly.

        All calls without calls inside them, in training; in evaluation those with running statistics, for the others
        do what they did in training.
        """
        return self._twins.keep(("probes", mode), lambda: self._probes(mode))

    def _probes(self, mode: str) -> dict[str, Probe]:
        trace = self.traces(mode)["float64"]
        rng = np.random.default_rng(0)
        return {
            call: Probe(_feed(trace.inputs[call]), single(rng.standard_normal(output.shape)))
            for call, output in trace.outputs.items()
            if self._is_leaf(call) and (mode == "training" or self._has_buffers(call))
        }

    def _is_leaf(self, call: str) -> bool:
        inside = f"{call_path(call)}."
        return call != "" and not any(other.startswith(inside) for other in self.traces("training")["float64"].outputs)

    def _has_buffers(self, call: str) -> bool:
        return any(name.startswith(f"{call_path(call)}.") for name in buffers(self._case.weights))

    def drift(self, reference: "FirstBatch") -> TracesAndReadings:
        """The result of `passes`, but with float64's own drift from starts moved by one ulp in the place of float32."""
        return self._twins.keep("drift", lambda: self._drift(reference))

    def _drift(self, reference: "FirstBatch") -> TracesAndReadings:
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
        self, reference: "FirstBatch", rng: np.random.Generator
    ) -> dict[str, tuple[Trace, dict[str, Reading]]]:
        """Mode → trace and readings in float64 with weights and cotangents moved by one ulp; the inputs stay, so that
        equal numbers in a window of a max-pool stay equal."""
        case, batch = self._case, self._case.batches[0]
        weights = {name: moved(array, rng) for name, array in case.weights.items()}
        cotangent = moved(case.cotangent, rng)

        def see(twin: Twin) -> dict[str, tuple[Trace, dict[str, Reading]]]:
            observations = {}
            for mode in MODES:
                probes = {c: replace(p, cotangent=moved(p.cotangent, rng)) for c, p in reference.probes(mode).items()}
                training = mode == "training"
                observations[mode] = (
                    twin.trace(batch, cotangent, training=training),
                    twin.isolate(probes, training=training),
                )
            return observations

        return self._twins.with_weights(weights, see)


def _feed(array: NDArray) -> NDArray:
    """What a call alone is fed: numbers that float32 holds exactly; whole numbers as they are."""
    return single(array) if np.issubdtype(array.dtype, np.floating) else array
