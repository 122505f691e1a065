"""Whether a bug changes what one framework alone computes there: no other framework, no map and no report is asked."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.backends.twin import Precision
from parity.bugs.drawn.judge import inputs
from parity.bugs.drawn.mutate import Mutant
from parity.bugs.drawn.network import Network
from parity.checks.referee import Pair, rule
from parity.checks.verdict import Finding, Verdict, worst
from parity.initial import single
from parity.pair.observe import MODES, PRECISIONS
from parity.pair.seen import Inputs
from parity.pair.side import Pass, Side
from parity.trace import Arrays

TIMES = 3
"""So many times, with other weights, inputs and cotangents."""


def effect(network: Network, mutant: Mutant) -> Verdict:
    """The worst verdict on what the side of the bug computes with it, against what it computes without: results,
    gradients and buffers in both modes, on other weights, inputs and cotangents than the check's."""
    sound, bug = (_side(mutant.side, one) for one in (network, mutant.network))
    if {n: a.shape for n, a in sound.native.items()} != {n: a.shape for n, a in bug.native.items()}:
        return Verdict.DIFFERENT
    found = [f for time in range(TIMES) for mode in MODES for f in _findings(sound, bug, network, mode, time)]
    return worst(finding.verdict for finding in found)


def _side(framework: str, network: Network) -> Side:
    name, side = {"jax": ("flax", "FlaxSide"), "torch": ("torch", "TorchSide")}[framework]
    model = import_module(f"parity.bugs.drawn.{name}_").Drawn(network)
    given = _given(inputs(network), framework)
    return getattr(import_module(f"parity.backends.{name}_side"), side)(model, given)


def _given(array: NDArray, framework: str) -> Inputs:
    return Inputs((np.moveaxis(array, -1, 1) if array.ndim == 4 and framework == "torch" else array,))


def _findings(sound: Side, bug: Side, network: Network, mode: str, time: int) -> Iterator[Finding]:
    rng = np.random.default_rng([time, MODES.index(mode)])
    array = inputs(network)
    if array.dtype.kind == "f":
        array = rng.standard_normal(array.shape).astype(np.float32)
    given = _given(array, "jax" if sound.framework == "flax" else "torch")
    native = {name: _random(own, rng) for name, own in sound.native.items()}
    pulled = {name: single(rng.standard_normal(shape)) for name, shape in sound.output_shapes(given).items()}
    seen = {
        name: {p: _arrays(side, native, given, p, mode, pulled) for p in PRECISIONS}
        for name, side in (("without", sound), ("with", bug))
    }
    for name in seen["without"]["float64"]:
        yield rule("array", name, {who: Pair(by["float64"][name], by["float32"][name]) for who, by in seen.items()})


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
