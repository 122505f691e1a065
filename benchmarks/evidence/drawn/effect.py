"""Why a pair with a bug passes: the bug changes nothing that its own framework computes there, or the map that was
found makes up for it."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.drawn.judge import compared, inputs
from benchmarks.evidence.drawn.mutate import Mutant
from benchmarks.evidence.drawn.network import Network
from parity.checks.drift import STARTS, as_float32
from parity.checks.referee import HighLow, rule
from parity.checks.verdict import Finding, Verdict, worst
from parity.interface.observation import Inputs
from parity.interface.random import moved, single
from parity.interface.side import Pass, Side
from parity.interface.trace import Arrays, Precision
from parity.pair.passes.sides import MODES, PRECISIONS

TIMES = 3
"""So many times, with other weights, inputs and cotangents."""


class Why(StrEnum):
    """Why a pair with a bug passes."""

    NO_EFFECT = "no effect"
    OTHER_MAP = "carried by another map"
    MISSED = "missed"


def why_it_passes(network: Network, mutant: Mutant) -> Why:
    """The bug changes nothing in its own framework; or the map that the check found carries the weights so that the
    networks are the same function with it, and with the map of the sound pair they are different; or it was missed."""
    if effect(network, mutant).passes:
        return Why.NO_EFFECT
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "map.json")
        compared(network, map_out=path)
        told = compared(network, mutant, map=path).verdict is Verdict.DIFFERENT
    return Why.OTHER_MAP if told else Why.MISSED


def effect(network: Network, mutant: Mutant) -> Verdict:
    """The worst verdict on what the side of the bug computes with it, against what it computes without: results,
    gradients and buffers in both modes, on other weights, inputs and cotangents than the check's."""
    sound, bug = (_side(mutant.side, one) for one in (network, mutant.network))
    if {n: a.shape for n, a in sound.native.items()} != {n: a.shape for n, a in bug.native.items()}:
        return Verdict.DIFFERENT
    found = [f for time in range(TIMES) for mode in MODES for f in _findings(sound, bug, network, mode, time)]
    return worst(finding.verdict for finding in found)


def _side(framework: str, network: Network) -> Side:
    side = {"flax": "FlaxSide", "torch": "TorchSide"}[framework]
    model = import_module(f"benchmarks.evidence.drawn.{framework}").Drawn(network)
    given = _given(inputs(network), framework)
    return getattr(import_module(f"parity.backends.{framework}.side"), side)(model, given)


def _given(array: NDArray, framework: str) -> Inputs:
    return Inputs((np.moveaxis(array, -1, 1) if array.ndim == 4 and framework == "torch" else array,))


def _findings(sound: Side, bug: Side, network: Network, mode: str, time: int) -> Iterator[Finding]:
    rng = np.random.default_rng([time, MODES.index(mode)])
    array = inputs(network)
    if array.dtype.kind == "f":
        array = rng.standard_normal(array.shape).astype(np.float32)
    given = _given(array, sound.framework)
    native = {name: _random(own, rng) for name, own in sound.native.items()}
    pulled = {name: single(rng.standard_normal(shape)) for name, shape in sound.output_shapes(given).items()}
    starts = [_moved(native, pulled, rng) for _ in range(STARTS)]
    by_error: dict[str, dict[str, Arrays]] = {}
    by_drift: dict[str, dict[str, Arrays]] = {}
    for name, side in (("without", sound), ("with", bug)):
        by_error[name] = {p: _arrays(side, native, given, p, mode, pulled) for p in PRECISIONS}
        high = by_error[name]["float64"]
        others = [_arrays(side, weights, given, "float64", mode, cotangents) for weights, cotangents in starts]
        by_drift[name] = {"float64": high, "float32": as_float32(high, others)}
    for name in by_error["without"]["float64"]:
        first, second = (_ruled(name, seen) for seen in (by_error, by_drift))
        yield second if second.verdict.passes else first


def _moved(native: Arrays, pulled: Arrays, rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Weights and cotangents moved by one ulp."""
    weights = {name: moved(array, rng) if array.dtype.kind == "f" else array for name, array in native.items()}
    return weights, {name: moved(array, rng) for name, array in pulled.items()}


def _ruled(name: str, seen: Mapping[str, Mapping[str, Arrays]]) -> Finding:
    return rule("array", name, {who: HighLow(by["float64"][name], by["float32"][name]) for who, by in seen.items()})


def _arrays(
    side: Side, native: Arrays, given: Inputs, precision: Precision, mode: str, pulled: Mapping[str, Any]
) -> Arrays:
    how = Pass(precision, mode == "training", capture=False, cotangents=pulled)
    found = side.run(native, given, how)
    parts = {
        "result": found.outputs,
        "buffer": found.buffers,
        "gradient": found.parameter_gradients,
        "gradient of": found.input_gradients,
    }
    return {f"{part} {name}": array for part, arrays in parts.items() for name, array in arrays.items() if array.size}


def _random(own: NDArray, rng: np.random.Generator) -> NDArray:
    """Other numbers, positive ones for what may be a variance."""
    if own.dtype.kind != "f":
        return own
    return single(rng.uniform(0.5, 2.0, own.shape) if own.ndim < 2 else 0.5 * rng.standard_normal(own.shape))
