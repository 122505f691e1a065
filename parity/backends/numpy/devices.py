"""What wrong ways to part a training step among devices would give, by hand in NumPy."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.backends.numpy.twin import NumpyTwin
from parity.data import Batch
from parity.data.batch import UNLABELLED
from parity.interface.devices import parts
from parity.interface.trace import Arrays
from parity.reference import Gradients, Run
from parity.weights import is_buffer

Step = tuple[NDArray, Arrays, Arrays]  # loss, gradients, buffers


@dataclass(frozen=True)
class Way:
    """A way to part a step.

    Args:
        name: what is done, in words.
        apart: each device normalises by its own part; the first one's running statistics stay.
        alike: each part's mean loss counts alike, however many examples it has.
        summed: gradients are summed over the devices, not averaged.
    """

    name: str
    apart: bool = False
    alike: bool = False
    summed: bool = False


WAYS = (
    Way("per-device BatchNorm", apart=True),
    Way("mean of means: parts of unequal size count alike", alike=True),
    Way("gradients are summed over the devices, not averaged", summed=True),
    Way("per-device BatchNorm, and mean of means", apart=True, alike=True),
    Way("per-device BatchNorm, and gradients summed for averaged", apart=True, summed=True),
    Way("mean of means, and gradients summed for averaged", alike=True, summed=True),
    Way("per-device BatchNorm, mean of means, and gradients summed for averaged", apart=True, alike=True, summed=True),
)


def ways(twin: NumpyTwin, batch: Batch, count: int) -> Iterator[tuple[str, Step]]:
    """Each way's name, and the step that it gives from the twin's weights."""
    for way in WAYS:
        yield way.name, step(twin, batch, count, way)


def step(twin: NumpyTwin, batch: Batch, count: int, way: Way) -> Step:
    """Loss, reduced gradients and buffers of a training step that is parted in that way."""
    cuts = [cut for cut in parts(len(batch.labels), count) if cut.stop > cut.start]
    shares = _shares(cuts, batch.labels, way.alike)
    groups = cuts if way.apart else [slice(0, len(batch.labels))]
    passes = [_pass(twin, batch.part(cut), shares[cut]) for cut in groups]
    factor = count if way.summed else 1
    gradients = {n: factor * np.sum([p[1].parameters[n] for p in passes], axis=0) for n in passes[0][1].parameters}
    buffers = {name: array for name, array in passes[0][2].buffers.items() if is_buffer(name)}
    return np.asarray(sum(loss for loss, *_ in passes)), gradients, buffers


def _shares(cuts: list[slice], labels: NDArray, alike: bool) -> NDArray:
    """What each example's mean loss counts in the whole: its number of labels, in those of all or of its part."""
    counts = (labels != UNLABELLED).reshape(len(labels), -1).sum(axis=1)
    if not alike:
        return counts / counts.sum()
    return np.concatenate([counts[cut] / (len(cuts) * counts[cut].sum()) for cut in cuts])


def _pass(twin: NumpyTwin, batch: Batch, shares: NDArray) -> tuple[float, Gradients, Run]:
    run = twin.model.forward(twin.weights(), batch.inputs, training=True)
    losses = [twin.model.loss(run.logits[i : i + 1], batch.labels[i : i + 1]) for i in range(len(shares))]
    cotangent = np.concatenate([share * to_logits for share, (_, to_logits) in zip(shares, losses, strict=True)])
    return float(shares @ [loss for loss, _ in losses]), twin.model.backward(run, cotangent), run
