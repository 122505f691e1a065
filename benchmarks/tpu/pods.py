"""A train step on many chips: the compiler's estimate, and the numbers by arithmetic on the recipe."""

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
"""Number of examples in a step of all chips together, where the batch doesn't grow with their number."""
STEPS = ("vgg-32", "mlp", "rnn-5", "rnn-30")
"""The study's networks, as they are compiled for one chip."""
SCALINGS = ("weak", "strong")


@dataclass(frozen=True)
class Memory:
    """The bytes on one chip by kind, from `memory_analysis()`."""

    argument: Whole
    output: Whole
    alias: Whole
    temp: Whole
    __pydantic_config__ = EXACT


@dataclass(frozen=True)
class Pod:
    """The compiler's estimate of one step on many chips. Nothing here was measured but `compile_seconds`.

    Args:
        workload, chip, precision, effort: the same fields as those of an `Estimate`.
        chips: number of chips.
        batch: number of examples in a step, of all chips together.
        memory: memory of one chip.
        argument_bytes: bytes of a chip's arguments without the padding of their tiles.
        tiled_bytes: bytes of a chip's arguments with that padding, by their layouts.
        collectives: exchanges between chips in a step.
        compile_seconds: seconds of compiling on this machine, without tracing and lowering.
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
        """The bytes that must be on a chip at once."""
        return estimate.needed(asdict(self.memory))

    @property
    def step_bytes(self) -> int:
        """The bytes that all collectives exchange in a step."""
        return sum(collective.step_bytes for collective in self.collectives)

    @property
    def norm_bytes(self) -> int:
        """The bytes that are exchanged for BatchNorm, if gradients, loss and correct predictions pass once."""
        arithmetic = expected(self.workload, 1)
        return self.step_bytes - arithmetic.gradients - arithmetic.scalars

    @property
    def ring_bytes(self) -> float:
        """The bytes that each chip would send in a step if every collective went round a ring, see `ring`."""
        return sum(ring(collective) for collective in self.collectives)


def ring(collective: Collective) -> float:
    """The bytes that a chip sends round a ring: an all-reduce goes round twice, any other kind at most once."""
    return (
        (2 if collective.kind == "all-reduce" else 1)
        * (collective.group - 1)
        / collective.group
        * collective.step_bytes
    )


@dataclass(frozen=True)
class Expected:
    """The bytes of one chip's step by arithmetic on the recipe; every number is a float32 or an int32.

    Args:
        gradients: bytes of the gradients of all parameters.
        scalars: bytes of the loss and the number of correct predictions.
        norms: bytes of each BatchNorm channel's mean and variance, and in backward the sums of their two gradients.
        arguments: bytes of parameters, buffers, moments, Adam's count, the chip's part of the batch, and learning rate.
        outputs: bytes of the outputs of all layers for the chip's part of the batch.
    """

    gradients: int
    scalars: int
    norms: int
    arguments: int
    outputs: int

    @property
    def exchanged(self) -> int:
        """The bytes that chips exchange in a step."""
        return self.gradients + self.scalars + self.norms


def expected(workload: str, batch: int) -> Expected:
    """The bytes of a step by arithmetic.

    Args:
        workload: name of the step.
        batch: number of examples on a chip.
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
    """The count of numbers in the outputs of all layers for one example; a layer in a loop counts at every call."""
    network, few = _network(step), 2
    weights = {name: np.zeros(shape) for name, shape in network.shapes().items()}
    outputs = network.forward(weights, np.zeros((few, *step.input_shape[1:])), training=True).outputs
    outer = {name.rpartition(".")[0] for name in outputs} | {""}
    return sum(array.size // few for name, array in outputs.items() if name not in outer)


def batches(workload: str, chips: int) -> Mapping[str, int]:
    """Scaling → number of examples in a step of all chips.

    For "weak" each chip has the study's batch, for "strong" all together have GLOBAL examples.
    """
    return {"weak": chips * WORKLOADS[workload].batch, "strong": GLOBAL}
