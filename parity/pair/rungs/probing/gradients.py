"""Gradients on inputs beyond the user's: samples of zeros, at which they may be undefined, and ids of padding."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Rung, Verdict, observed
from parity.interface.observation import Inputs, PassResult
from parity.interface.trace import Arrays, Precision
from parity.interface.user_code import UserCodeError
from parity.pair.arrays.inputs import arrays, with_arrays
from parity.pair.causes.explained import PROBED_GRADIENT
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.sides import PRECISIONS
from parity.pair.rungs import rules as rungs
from parity.pair.rungs.probing.inputs import Probe, indexing
from parity.pair.rungs.probing.padding_row import padding_row_cause
from parity.pair.rungs.probing.probes import Located, located
from parity.pair.rungs.probing.rows import ZERO_ROWS, with_rows, without_biases
from parity.pair.weightmap import random_weights as weights
from parity.report.records import Explanation

MODE = "evaluation"
PADDING_IDS = "padding ids"
"""The name of the probe of ids of padding, where the user's hold none."""


@dataclass(frozen=True)
class GradientProbes:
    """What probes show of gradients.

    Args:
        findings: What they found.
        cause: The cause of what differs, if it is known.
        located: What both sides showed on the probe that they differ at, where its cause is to be looked for.
    """

    findings: tuple[Finding, ...] = ()
    cause: Explanation | None = None
    located: Located | None = None


def may_be_probed(state: CheckState, judged: Rung) -> bool:
    """Whether all gradients agree on the user's own inputs, so that more may be said of others.

    Args:
        state: What is known of the pair.
        judged: The rung of the user's own inputs.
    """
    return judged.verdict.passes and state.proof.agrees and not state.sides.results.of(MODE).noisy


def gradient_probes(state: CheckState) -> GradientProbes:
    """The gradients on probes of the user's own sizes, for which nothing is compiled; a probe that a network refuses
    says nothing.

    Args:
        state: What is known of the pair.
    """
    try:
        zero = _with_zeros(state)
        undefined = () if zero is None else tuple(_undefined_alone(state, zero))
        if undefined:
            assert zero is not None
            return GradientProbes(undefined, located=located(state, zero))
        return _of_padding(state)
    except UserCodeError:
        return GradientProbes()


def _with_zeros(state: CheckState) -> Probe | None:
    inputs = with_rows(state.sides.inputs, 0.0)
    return None if inputs is None else Probe(ZERO_ROWS, inputs, without_biases(state.weight_map, state.proof.torch))


def _undefined_alone(state: CheckState, zero: Probe) -> Iterator[Finding]:
    """Gradients that are not finite on one side alone where a sample is zero and both networks return numbers. Those
    that are finite are not compared: zeros lie at kinks, where frameworks may take either side."""
    both = _run(state, zero.torch, zero.inputs, ("float64",))
    sides = both.flax["float64"], both.torch["float64"]
    if not all(_is_finite(array) for seen in sides for array in seen.outputs.values()):
        return
    for name, flax, theirs in _gradients(state, *sides):
        undefined = [side for side, finite in (("Flax", flax), ("PyTorch", theirs)) if not finite]
        if len(undefined) == 1:
            words = f"it is not finite in {undefined[0]} alone"
            yield Finding(PROBED_GRADIENT + ZERO_ROWS, name, Verdict.DIFFERENT, np.inf, reason=words, mode=MODE)


def _gradients(state: CheckState, flax: PassResult, torch: PassResult) -> Iterator[tuple[str, bool, bool]]:
    """The name of each gradient that both sides have, and whether it is finite in Flax and in PyTorch."""
    for layer, array in rungs.learnable(state.weight_map, state.parameters):
        if array.tie is None:
            ties = state.weight_map.tied_to(array)
            pulled = [
                rungs.pulled(side, array, ties, seen.parameter_gradients)
                for side, seen in (("flax", flax), ("torch", torch))
            ]
            yield layer.array_name(array), _is_finite(pulled[0]), _is_finite(pulled[1])
    if flax.input_gradients and torch.input_gradients:
        ours, theirs = (all(map(_is_finite, seen.input_gradients.values())) for seen in (flax, torch))
        yield "the inputs", ours, theirs


def _is_finite(array: NDArray) -> bool:
    return bool(np.isfinite(array).all())


def _of_padding(state: CheckState) -> GradientProbes:
    """The gradients where ids of padding are among the inputs, if the user's have none, and what makes them differ."""
    inputs = _with_padding(state)
    if inputs is None:
        return GradientProbes()
    shown = replace(state, passes={MODE: _run(state, state.proof.torch, inputs, PRECISIONS)})
    findings = list(rungs.parameter_gradients(state.weight_map, shown.passes[MODE], state.parameters, MODE))
    rung = observed(3, NAMES[3], findings)
    cause = padding_row_cause(shown, rung) if rung.verdict is Verdict.DIFFERENT else None
    named = (replace(finding, quantity=PROBED_GRADIENT + PADDING_IDS) for finding in findings)
    return GradientProbes(tuple(named), cause)


def _with_padding(state: CheckState) -> Inputs | None:
    """The user's inputs with ids of padding in the last places; None where they have them, or no table has padding."""
    calls = state.passes[MODE].torch["float64"].calls
    rows = {
        layer.torch.path: row
        for layer in state.weight_map.layers
        if (row := layer.torch.settings.get("padding_idx")) is not None
    }
    unseen = [(ids, rows[path]) for path, ids in indexing(calls, rows) if not (ids == rows[path]).any()]

    def padded(_: str, array: NDArray) -> NDArray:
        row = next((row for ids, row in unseen if np.array_equal(ids, array)), None)
        if row is None or not array.ndim:
            return array
        changed = array.copy()
        changed[..., -1] = row
        return changed

    made = with_arrays(state.sides.inputs, padded)
    pairs = zip(arrays(state.sides.inputs).values(), arrays(made).values(), strict=True)
    return None if all(np.array_equal(a, b) for a, b in pairs) else made


def _run(state: CheckState, torch: Arrays, inputs: Inputs, precisions: tuple[Precision, ...]) -> BothSides:
    run: Mapping[str, Arrays] = {
        "flax": weights.to_flax(state.weight_map, torch, state.sides.flax.native),
        "torch": torch,
    }
    return BothSides(
        {p: state.sides.run_pass("flax", run["flax"], MODE, p, inputs) for p in precisions},
        {p: state.sides.run_pass("torch", run["torch"], MODE, p, inputs) for p in precisions},
    )
