"""Gradients on inputs beyond the user's: samples of zeros, at which they may be undefined."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.checks.verdict import Finding, Rung, Verdict
from parity.interface.observation import Inputs, PassResult
from parity.interface.trace import Arrays, Precision
from parity.interface.user_code import UserCodeError
from parity.pair.causes.explained import PROBED_GRADIENT
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.check_state import CheckState
from parity.pair.rungs import rules as rungs
from parity.pair.rungs.probing.inputs import Probe
from parity.pair.rungs.probing.probes import Located, located
from parity.pair.rungs.probing.rows import ZERO_ROWS, with_rows, without_biases
from parity.pair.weightmap import random_weights as weights

MODE = "evaluation"


@dataclass(frozen=True)
class GradientProbes:
    """What probes show of gradients.

    Args:
        findings: What they found.
        located: What both sides showed on the probe that they differ at, where its cause is to be looked for.
    """

    findings: tuple[Finding, ...] = ()
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
            return GradientProbes(undefined, located(state, zero))
    except UserCodeError:
        pass
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


def _run(state: CheckState, torch: Arrays, inputs: Inputs, precisions: tuple[Precision, ...]) -> BothSides:
    run: Mapping[str, Arrays] = {
        "flax": weights.to_flax(state.weight_map, torch, state.sides.flax.native),
        "torch": torch,
    }
    return BothSides(
        {p: state.sides.run_pass("flax", run["flax"], MODE, p, inputs) for p in precisions},
        {p: state.sides.run_pass("torch", run["torch"], MODE, p, inputs) for p in precisions},
    )
