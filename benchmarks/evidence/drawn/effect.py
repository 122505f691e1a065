"""The reason why a pair with a bug passes.

The bug changes nothing that its own framework computes there, or only how half precision rounds, or the weight map
makes up for it, or it was missed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.drawn.judge import compared, inputs
from benchmarks.evidence.drawn.mutate import Mutant, places
from benchmarks.evidence.drawn.network import Network
from parity.checks.drift import STARTS, as_float32
from parity.checks.referee import HighLow, repeats, rule
from parity.checks.verdict import Finding, Verdict, worst
from parity.interface.observation import Inputs
from parity.interface.random import moved, single
from parity.interface.side import Pass, Side
from parity.interface.trace import Arrays, Precision
from parity.pair.passes.sides import MODES, PRECISIONS

TIMES = 3
"""Number of comparisons in each mode, each with other weights, inputs and cotangents."""


class Why(StrEnum):
    """The reason why a pair with a bug passes."""

    NO_EFFECT = "no effect"
    ROUNDING = "rounds otherwise"
    OTHER_MAP = "carried by another map"
    MISSED = "missed"


@dataclass(frozen=True)
class Effect:
    """What a bug changes in its own framework.

    Args:
        verdict: the worst verdict on the network with the bug against the one without it; "same, less accurate" where
            the one's float32 error is far beyond the other's.
        repeats: whether their float32 results are equal too, but for the rounding of float32.
    """

    verdict: Verdict
    repeats: bool


def why_it_passes(network: Network, mutant: Mutant) -> Why:
    """Find the reason why a pair with a bug passes.

    The bug has no effect in its own framework; or its block asks for half precision, and it has no effect in float64,
    and one in float32 that is about as large as the error that half precision makes without the bug; or the check's
    weight map carries the weights so that the networks are the same function, while they are different with the map of
    the sound pair; or the bug was missed.
    """
    outcome = effect(network, mutant)
    if outcome.verdict is Verdict.SAME:
        half = dict(places(network.blocks))[mutant.place].settings.get("narrow", False)
        return Why.ROUNDING if half and not outcome.repeats else Why.NO_EFFECT
    if outcome.verdict.passes:
        return Why.MISSED
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "map.json")
        compared(network, map_out=path)
        caught = compared(network, mutant, map=path).verdict is Verdict.DIFFERENT
    return Why.OTHER_MAP if caught else Why.MISSED


def effect(network: Network, mutant: Mutant) -> Effect:
    """Compare the side of the bug with itself without the bug.

    It compares results, gradients and buffers in both modes, on other weights, inputs and cotangents than the check's.
    A bug that takes arrays away, such as a bias, has an effect unless all that is left is the same without them.
    """
    sound, bug = (_side(mutant.side, variant) for variant in (network, mutant.network))
    if not _arrays_of(bug).items() <= _arrays_of(sound).items():
        return Effect(Verdict.DIFFERENT, repeats=False)
    findings = [f for time in range(TIMES) for mode in MODES for f in _findings(sound, bug, network, mode, time)]
    return Effect(worst(finding.verdict for finding, _ in findings), all(again for _, again in findings))


def _arrays_of(side: Side) -> dict[str, tuple[tuple[int, ...], bool]]:
    """Name of each array of a network → its shape, and whether it is trained."""
    return {name: (array.shape, name in side.parameters) for name, array in side.native.items()}


def _side(framework: str, network: Network) -> Side:
    side = {"flax": "FlaxSide", "torch": "TorchSide"}[framework]
    model = import_module(f"benchmarks.evidence.drawn.{framework}").Drawn(network)
    arguments = _inputs_of(inputs(network), framework)
    return getattr(import_module(f"parity.backends.{framework}.side"), side)(model, arguments)


def _inputs_of(arrays: Sequence[NDArray], framework: str) -> Inputs:
    turned = framework == "torch"
    return Inputs(tuple(np.moveaxis(array, -1, 1) if array.ndim == 4 and turned else array for array in arrays))


def _findings(sound: Side, bug: Side, network: Network, mode: str, time: int) -> Iterator[tuple[Finding, bool]]:
    rng = np.random.default_rng([time, MODES.index(mode)])
    arguments = _inputs_of(inputs(network, seed=100 + time), sound.framework)
    native = {name: _random(original, rng) for name, original in sound.native.items()}
    pulled = {name: single(rng.standard_normal(shape)) for name, shape in sound.output_shapes(arguments).items()}
    starts = [_moved(native, pulled, rng) for _ in range(STARTS)]
    by_error: dict[str, dict[str, Arrays]] = {}
    by_drift: dict[str, dict[str, Arrays]] = {}
    for name, side in (("without", sound), ("with", bug)):
        held = _held_by(side, native)
        by_error[name] = {p: _arrays(side, held, arguments, p, mode, pulled) for p in PRECISIONS}
        high = by_error[name]["float64"]
        others = [
            _arrays(side, _held_by(side, weights), arguments, "float64", mode, cotangents)
            for weights, cotangents in starts
        ]
        by_drift[name] = {"float64": high, "float32": as_float32(high, others)}
    for name in by_error["with"]["float64"]:
        first, second = (_ruled(name, results) for results in (by_error, by_drift))
        again = repeats(by_error["without"]["float32"][name], by_error["with"]["float32"][name])
        yield (second if second.verdict.passes and not first.verdict.passes else first), again


def _held_by(side: Side, native: Arrays) -> Arrays:
    """Those of the arrays that a network holds."""
    return {name: array for name, array in native.items() if name in side.native}


def _moved(native: Arrays, pulled: Arrays, rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """The weights and the cotangents, all moved by one ulp."""
    weights = {name: moved(array, rng) if array.dtype.kind == "f" else array for name, array in native.items()}
    return weights, {name: moved(array, rng) for name, array in pulled.items()}


def _ruled(name: str, results: Mapping[str, Mapping[str, Arrays]]) -> Finding:
    """The referee's finding on an array; whole numbers and truth values must be equal."""
    first, second = (by["float64"][name] for by in results.values())
    if first.dtype.kind != "f":
        equal = np.array_equal(first, second)
        return Finding("array", name, Verdict.SAME if equal else Verdict.DIFFERENT)
    return rule("array", name, {who: HighLow(by["float64"][name], by["float32"][name]) for who, by in results.items()})


def _arrays(
    side: Side, native: Arrays, arguments: Inputs, precision: Precision, mode: str, pulled: Mapping[str, Any]
) -> Arrays:
    how = Pass(precision, mode == "training", capture=False, cotangents=pulled)
    result = side.run(native, arguments, how)
    parts = {
        "result": result.outputs,
        "buffer": result.buffers,
        "gradient": result.parameter_gradients,
        "gradient of": result.input_gradients,
    }
    return {f"{part} {name}": array for part, arrays in parts.items() for name, array in arrays.items() if array.size}


def _random(original: NDArray, rng: np.random.Generator) -> NDArray:
    """Random numbers in the place of an array, positive ones for a vector, which may be a variance."""
    if original.dtype.kind != "f":
        return original
    return single(
        rng.uniform(0.5, 2.0, original.shape) if original.ndim < 2 else 0.5 * rng.standard_normal(original.shape)
    )
