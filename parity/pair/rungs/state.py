"""Rung 4 of a pair: buffers after passes of both modes, and the conventions that explain a difference."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from parity.checks.verdict import Finding, Rung, Verdict
from parity.interface.observation import Call
from parity.interface.packing import shaped_as
from parity.interface.random import single
from parity.interface.side import Side
from parity.interface.trace import Arrays, Precision
from parity.pair.arrays.domain import resized
from parity.pair.causes.conventions import STATE, quantified, undone_statistics
from parity.pair.causes.own_statistics import measured
from parity.pair.causes.settings import lint as lint_map
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import results
from parity.pair.passes.sides import PRECISIONS
from parity.pair.rungs import rules as rungs
from parity.report.records import Convention

MANY = 32
"""Training passes after which networks that count are compared once more: most schedules that count passes by hand, and
most queues, have turned by then."""
UNCOUNTED = "num_batches_tracked"
"""Name of a counter of PyTorch's own, which decides nothing unless a norm has no momentum."""
After = dict[Precision, tuple[Arrays, Arrays]]


def state_rung(state: CheckState, accept: Sequence[str]) -> tuple[Rung, list[Convention]]:
    """Rung 4: the buffers after two training passes, the second on other inputs, and then the results in evaluation.

    Args:
        state: What is known of a pair with buffers; lints on its norms are added where the rung differs.
        accept: Names of conventions that are no difference to the user.

    Returns:
        The rung as it is, and the conventions that may explain a difference. Each is confirmed if nothing differs once
        PyTorch's statistics are made as Flax's conventions would have made them.

    Raises:
        UserCodeError: A network does not run.
    """
    after, steps, calls = _trained(state)
    flax = {p: state.sides.run_pass("flax", arrays, "evaluation", p).outputs for p, (arrays, _) in after.items()}
    others = [*_in_evaluation(state), *_after_many(state)]
    ruled = rungs.state(state.weight_map, state.parameters, after, [*_afterwards(state, after, flax), *others])
    if ruled.verdict is not Verdict.DIFFERENT:
        return ruled, []
    ours = state.proof.flax, {**state.proof.flax, **state.passes["training"].flax["float64"].buffers}
    norms = measured(state.weight_map, ours, (steps[0], steps[1]), calls[0])
    lints = {lint.convention: lint for lint in lint_map(norms) if lint.convention in STATE}
    if not lints:
        return ruled, []
    state.lints += [lint for lint in lints.values() if lint not in state.lints]
    mended = _mended(after, undone_statistics(norms, steps, calls))
    explained = rungs.state(state.weight_map, state.parameters, mended, [*_afterwards(state, mended, flax), *others])
    confirmed = explained.verdict.passes
    return _led_by_what_is_left(ruled, explained), [
        Convention(name, quantified(name, lint, norms, calls[0]), (4,), confirmed, name in accept)
        for name, lint in lints.items()
    ]


def _led_by_what_is_left(ruled: Rung, explained: Rung) -> Rung:
    """The rung, told by the first difference that no convention explains, if there is one.

    Args:
        ruled: The rung as it is.
        explained: The rung with the conventions undone.
    """
    left = {(f.quantity, f.name) for f in explained.findings if f.verdict is Verdict.DIFFERENT}
    odd = (f for f in ruled.findings if f.verdict is Verdict.DIFFERENT and (f.quantity, f.name) in left)
    first = next(odd, None)
    return ruled if first is None else replace(ruled, headline=first, layer=first.name)


def _trained(state: CheckState) -> tuple[After, list[Arrays], list[Sequence[Call]]]:
    """All arrays of both sides after two training steps, the second on other inputs; and of PyTorch those before,
    between and after, and the calls of each step.

    Flax's passes are run with gradients, though nobody asks for them: the program for that is compiled already.
    """
    sides, proof, training = state.sides, state.proof, state.passes["training"]
    second = resized(sides.inputs, lambda a: (1.5 * a[::-1] + 0.25).astype(a.dtype))
    after: After = {}
    calls: list[Sequence[Call]] = [training.torch["float64"].calls]
    steps = [proof.torch]
    for precision in PRECISIONS:
        ended = training.flax[precision], training.torch[precision]
        flax, torch = (
            {**a, **end.buffers, **end.counters} for a, end in zip((proof.flax, proof.torch), ended, strict=True)
        )
        flax, torch = {**flax, **_unmapped(state, sides.flax)}, {**torch, **_unmapped(state, sides.torch)}
        seen = sides.run_pass("torch", torch, "training", precision, second)
        ours = sides.run_pass("flax", flax, "training", precision, second, gradients=not state.shared)
        both = {**flax, **ours.buffers, **ours.counters}, {**torch, **seen.buffers, **seen.counters}
        after[precision] = shaped_as(both[0], proof.flax), shaped_as(both[1], proof.torch)
        if precision == "float64":
            calls.append(seen.calls)
            steps += [torch, after[precision][1]]
    return after, steps, calls


def _in_evaluation(state: CheckState) -> list[Finding]:
    """The findings on buffers that a pass in evaluation changes on one side or on both."""
    proof, ended = state.proof, state.passes["evaluation"]
    after: After = {}
    changed: set[str] = set()
    for precision in PRECISIONS:
        sides = (proof.flax, ended.flax[precision].buffers), (proof.torch, ended.torch[precision].buffers)
        flax, torch = ({**before, **buffers} for before, buffers in sides)
        after[precision] = shaped_as(flax, proof.flax), shaped_as(torch, proof.torch)
        if precision == "float64":
            pairs = zip((proof.flax, proof.torch), after[precision], strict=True)
            changed = {name for before, now in pairs for name in now if not np.array_equal(before[name], now[name])}
    if not changed:
        return []
    return rungs.buffers_after(state.weight_map, state.parameters, after, "evaluation")


def _after_many(state: CheckState) -> list[Finding]:
    """The findings on what networks return that count their passes, after many of them: a queue that turns, a rate that
    is another one from the tenth pass on."""
    sides, training = state.sides, state.passes["training"]
    ended = training.flax["float64"], training.torch["float64"]
    if all(name.endswith(UNCOUNTED) for end in ended for name in end.counters):
        return []
    outputs: dict[str, dict[Precision, Arrays]] = {"flax": {}, "torch": {}}
    for precision in PRECISIONS:
        outputs["flax"][precision] = _last_of_many(state, "flax", precision)
        outputs["torch"][precision] = _last_of_many(state, "torch", precision)
    quantity = f"result after {MANY} training passes"
    return list(results(quantity, sides.results.of("training"), outputs["flax"], outputs["torch"], "training"))


def _last_of_many(state: CheckState, side: Literal["flax", "torch"], precision: Precision) -> Arrays:
    """What a side returns in the last of many training passes, in each of which its buffers are those of the one
    before."""
    arrays = dict(state.proof.arrays(side))
    for number in range(MANY):
        inputs = resized(state.sides.inputs, partial(_varied, number=number))
        gradients = side == "flax" and not state.shared  # as above
        seen = state.sides.run_pass(side, arrays, "training", precision, inputs, gradients=gradients)
        arrays = {**arrays, **seen.buffers, **seen.counters}
    return seen.outputs


def _varied(array: NDArray, number: int) -> NDArray:
    """The inputs of one of many passes: each has its batch turned on by one."""
    return np.roll(array, number, 0) if array.ndim else array


def _unmapped(state: CheckState, side: Side) -> Arrays:
    """Random numbers for what only that side learns: those that it has may be zeros, which hide what it does to the
    buffers."""
    mapped = {name for _, array in state.weight_map.arrays for name in getattr(array, side.framework).names}
    rng = np.random.default_rng([state.sides.seed, 8])
    lone = sorted(side.parameters - mapped)
    return {name: single(side.native[name] + 0.5 * rng.standard_normal(side.native[name].shape)) for name in lone}


def _mended(after: After, undone: Arrays) -> After:
    """The arrays of both sides, with PyTorch's statistics as Flax's conventions would have made them.

    Those in float32 are changed by as much as those in float64, so that their own rounding stays what it was.
    """
    (flax, torch), (flax_low, torch_low) = after["float64"], after["float32"]
    low = {name: torch_low[name] + (array - torch[name]) for name, array in undone.items()}
    return {"float64": (flax, {**torch, **undone}), "float32": (flax_low, {**torch_low, **low})}


def _afterwards(state: CheckState, after: After, flax: Mapping[Precision, Arrays]) -> list[Finding]:
    """What the networks return in evaluation with these arrays; Flax's results are given."""
    sides = state.sides
    torch = {
        p: sides.run_pass("torch", arrays, "evaluation", p, gradients=False).outputs for p, (_, arrays) in after.items()
    }
    return list(results("result afterwards", sides.results.of("evaluation"), flax, torch, "evaluation"))
