"""The search for the step and the layer in which a number is first not finite."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.backends import Session, TrainingState, Twin
from parity.data import Batch
from parity.interface.trace import Trace, call_path
from parity.reference import labelled_cross_entropy, mean_squared_error
from parity.training.plan import CHUNK

Take = Callable[[range], list[Batch]]
"""A function from a range of steps to the run's batches of those steps."""


class NotFiniteError(Exception):
    """A loss or a weight, named by `what`, is not finite after `step` steps, or since an earlier one."""

    def __init__(self, what: str, step: int) -> None:
        super().__init__(what)
        self.what, self.step = what, step


class DivergedError(Exception):
    """Training cannot go on: a loss or a weight is NaN or infinite. The message names the step and the layer."""


def first_fault(session: Session[Any], good: TrainingState, last: int, take: Take) -> str | None:
    """Compute some steps again to find the step and the layer in which a number is first not finite.

    Args:
        session: the session of the run; it and its twin are overwritten.
        good: the last state in which all numbers are known to be finite.
        last: number of steps after which some number is not.
        take: gives the batches of a range of steps.

    Returns:
        The place in words; None if all numbers are finite the second time.
    """
    with np.errstate(all="ignore"):
        before = _last_sound(session, good, last, take)
        if before is None:
            return None
        (batch,) = take(range(before.step, before.step + 1))
        return f"in step {before.step + 1} {_place(session, before, batch)} is not finite"


def _last_sound(session: Session[Any], good: TrainingState, last: int, take: Take) -> TrainingState | None:
    """The state before the first bad step; None if no step is bad.

    It is found by halving, since a weight that is not finite never becomes finite again.
    """
    if _sound(session, good, last, take):
        return None
    while last - good.step > 1:
        middle = (good.step + last) // 2
        if _sound(session, good, middle, take):
            good = session.state()
        else:
            last = middle
    return good


def _sound(session: Session[Any], state: TrainingState, stop: int, take: Take) -> bool:
    """Train from a state to step `stop`; return whether all losses and the weights afterwards are finite."""
    session.load(state)
    rate = session.optimizer.learning_rate
    for first in range(state.step, stop, CHUNK):
        batches = take(range(first, min(first + CHUNK, stop)))
        if not _finite(session.advance(batches, [rate] * len(batches)).fetch()[0]):
            return False
    return all(map(_finite, session.state().weights.values()))


def _place(session: Session[Any], before: TrainingState, batch: Batch) -> str:
    if not all(map(_finite, batch.arguments)):
        return "the input of the network"
    twin: Twin = session.network  # a session is of the twin that began it
    twin.load(before.weights)
    logits = twin.forward(batch.inputs, training=True)
    loss = labelled_cross_entropy if batch.labels.dtype.kind == "i" else mean_squared_error
    _, cotangent = loss(logits.astype(np.float64), batch.labels)
    trace = twin.trace(batch, cotangent.astype(logits.dtype), training=True)
    for what, array in _in_order(trace):
        if not _finite(array):
            return what
    _sound(session, before, before.step + 1, lambda _: [batch])
    updated = session.state().weights
    changed = next((name for name, array in updated.items() if not _finite(array)), "")
    return f"the {changed.rpartition('.')[2]} that the update gives layer {changed.rpartition('.')[0]}"


def _in_order(trace: Trace) -> Iterator[tuple[str, NDArray]]:
    """The name and value of each array that a step computes before its update, in the order of computation."""
    for call, array in trace.outputs.items():
        yield f"the output of {_layer(call)}", array
    yield "the loss itself", trace.loss
    for call, array in reversed(trace.gradients.outputs.items()):
        yield f"the gradient of the output of {_layer(call)}", array
        for name, gradient in trace.training_gradients.items():
            if name.rpartition(".")[0] == call_path(call):
                yield f"the gradient of the {name.rpartition('.')[2]} of {_layer(call)}", gradient


def _layer(call: str) -> str:
    return f"layer {call_path(call)}" if call else "the network"


def _finite(array: NDArray) -> bool:
    return bool(np.isfinite(array).all())
