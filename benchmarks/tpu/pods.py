"""A train step on many chips: what the compiler made of it, and what the recipe says without a compiler."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np

from benchmarks.tpu import estimate
from benchmarks.tpu.collectives import Collective
from benchmarks.tpu.workloads import WORKLOADS, Workload
from parity import recipes
from parity.documents import EXACT, Count, NotNegative, Whole
from parity.reference import NETWORKS, Network
from parity.weights import is_buffer

WORD = 4  # bytes of a float32 or an int32
GLOBAL = 2048
"""Examples a step of all chips together where the batch doesn't grow with their number."""
STEPS = ("vgg-32", "mlp", "rnn-5", "rnn-30")
"""The study's networks, as they are compiled for one chip."""
SCALINGS = ("weak", "strong")


@dataclass(frozen=True)
class Memory:
    """Bytes on one chip, by `memory_analysis()`."""

    argument: Whole
    output: Whole
    alias: Whole
    temp: Whole
    __pydantic_config__ = EXACT


@dataclass(frozen=True)
class Pod:
    """The compiler's word on one step on many chips. Nothing here was measured but `compile_seconds`.

    Args:
        workload, chip, precision, effort: as of an `Estimate`.
        chips: how many.
        batch: examples a step, of all chips together.
        memory: of one chip.
        argument_bytes: its arguments without what fills up their tiles.
        tiled_bytes: its arguments with it, by their layouts.
        collectives: what passes between chips in a step.
        compile_seconds: of this machine; tracing and lowering are not included.
    """

    workload: str
    chip: str
    precision: str
    effort: str
    chips: Count
    batch: Count
    memory: Memory
    argument_bytes: Whole
    tiled_bytes: Whole
    collectives: list[Collective]
    compile_seconds: NotNegative
    __pydantic_config__ = EXACT

    @property
    def needed_bytes(self) -> int:
        """What must be on a chip at once."""
        return estimate.needed(asdict(self.memory))

    @property
    def step_bytes(self) -> int:
        """What all collectives exchange in a step."""
        return sum(one.step_bytes for one in self.collectives)

    @property
    def norm_bytes(self) -> int:
        """The same without gradients, loss and correct predictions, if these pass once: what is BatchNorm's."""
        said = expected(self.workload, 1)
        return self.step_bytes - said.gradients - said.scalars

    @property
    def ring_bytes(self) -> float:
        """What each chip would send in a step if every all-reduce went round a ring: 2(N − 1)/N of its bytes."""
        return sum(ring(one) for one in self.collectives)


def ring(one: Collective) -> float:
    """Bytes that a chip sends: an all-reduce goes round twice, each other kind at most once."""
    return (2 if one.kind == "all-reduce" else 1) * (one.group - 1) / one.group * one.step_bytes


@dataclass(frozen=True)
class Expected:
    """Bytes of one chip's step by arithmetic on the recipe; every number is a float32 or an int32.

    Args:
        gradients: of all parameters, each once.
        scalars: the loss and the number of correct predictions.
        norms: per channel of a BatchNorm the mean, the variance, and backward the sums of their two gradients.
        arguments: parameters, buffers, moments and Adam's count, the chip's part of the batch, the learning rate.
        outputs: of all layers for the chip's part of the batch.
    """

    gradients: int
    scalars: int
    norms: int
    arguments: int
    outputs: int

    @property
    def exchanged(self) -> int:
        """What chips exchange in a step."""
        return self.gradients + self.scalars + self.norms


def expected(workload: str, batch: int) -> Expected:
    """What a step is expected to need.

    Args:
        workload: name of the step.
        batch: examples a chip.
    """
    step = WORKLOADS[workload]
    optimizer = recipes.load(step.recipe).optimizer
    sizes = {name: int(np.prod(shape)) for name, shape in _network(step).shapes().items()}
    parameters = sum(size for name, size in sizes.items() if not is_buffer(name))
    buffers = sum(sizes.values()) - parameters
    state = parameters * (1 + len(optimizer.moments)) + buffers + (optimizer.kind == "adam")
    example = int(np.prod(step.input_shape[1:])) + 1
    outputs = _outputs(step)
    numbers = parameters, 2, 2 * buffers, state + batch * example + 1, batch * outputs
    return Expected(*(WORD * number for number in numbers))


def _network(step: Workload) -> Network:
    recipe = recipes.load(step.recipe)
    return NETWORKS[recipe.network](**recipe.config)


@cache
def _outputs(step: Workload) -> int:
    """Numbers that come out of all layers for one example; a layer in a loop has as many outputs as it is called."""
    network, few = _network(step), 2
    weights = {name: np.zeros(shape) for name, shape in network.shapes().items()}
    outputs = network.forward(weights, np.zeros((few, *step.input_shape[1:])), training=True).outputs
    outer = {name.rpartition(".")[0] for name in outputs} | {""}
    return sum(array.size // few for name, array in outputs.items() if name not in outer)


def batches(workload: str, chips: int) -> Mapping[str, int]:
    """Examples a step of all chips: as many a chip as the study has on its one, or as many in all."""
    return {"weak": chips * WORKLOADS[workload].batch, "strong": GLOBAL}
