"""A loss that is not a number: where it comes from."""

from collections.abc import Sequence

import numpy as np

from parity.backends import TrainingState, Twin
from parity.data import Batch
from parity.trace import call_path
from parity.training.plan import Plan


class DivergedError(Exception):
    """The loss, or a weight that is to be kept, is NaN or infinite. The message names the step and the layer."""


def first_bad_layer(twin: Twin, plan: Plan, state: TrainingState, batches: Sequence[Batch]) -> str:
    """Run from a good state once more over the batches, and say in which layer the last of them first goes wrong.

    Args:
        twin: whose network is being trained; its weights are overwritten.
        state: the last one in which all numbers are finite.
        batches: from that state on; the loss of the last one is not finite.
    """
    session = twin.session(plan.recipe.optimizer)
    session.load(state)
    *before, last = batches
    session.advance(before, [plan.recipe.optimizer.learning_rate] * len(before)).fetch()
    weights = session.state().weights
    bad = [name for name, array in weights.items() if not np.isfinite(array).all()]
    if bad:
        return f"layer {bad[-1].rpartition('.')[0]}, whose {bad[-1].rpartition('.')[2]} the step before left so"
    twin.load(weights)
    logits = twin.forward(last.inputs, training=True)
    trace = twin.trace(last, np.zeros_like(logits), training=True)
    layers = [call_path(call) for call, output in trace.outputs.items() if not np.isfinite(output).all()]
    return f"layer {layers[0] or 'network'}, whose output is" if layers else "the loss itself, whose logits are finite"
