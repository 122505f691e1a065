"""Bring your own pair: one call for any Flax network and any PyTorch network."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from parity.backends import open_sides
from parity.errors import UsageError
from parity.interface.side import Side
from parity.interface.trace import Arrays
from parity.pair.arrays.inputs import Adapter
from parity.pair.compare import compare_sides
from parity.pair.convert import Direction, convert_sides
from parity.pair.passes.progress import Progress
from parity.pair.rungs.schedule import STEPS
from parity.report.pair import Report

DROPOUTS = ("off", "shared")
DIRECTIONS = ("torch->flax", "flax->torch")


def compare(
    flax_model: Any,
    torch_model: Any,
    inputs: Any,
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    optimizers: tuple[Any, Any] | None = None,
    schedules: tuple[Callable[[Any], Any], Any] | None = None,
    schedule_steps: int = STEPS,
    loss: tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]] | None = None,
    targets: Any = None,
    accept: Sequence[str] = (),
    dropout: Literal["off", "shared"] = "off",
    probes: bool = True,
    map: str | None = None,
    map_out: str | None = None,
    seed: int = 0,
    name: str = "pair",
    progress: Callable[[str], None] = lambda note: None,
) -> Report:
    """Check that a Flax network and a PyTorch network are the same function, whatever their layers are called.

    The weights are mapped by the tool: PyTorch's arrays get random numbers, Flax's the same ones through the map, and
    the map is proven by agreement in float64. The users' networks are not changed. All runs in the caller's process: a
    crash of a framework ends it; the command `parity check` runs the comparison in a process of its own. What the
    networks, losses, optimizers or adapters raise makes the rung that was running inconclusive.

    Args:
        flax_model: an `nnx.Module`, or a Linen module and its variables as a tuple.
        torch_model: an `nn.Module`.
        inputs: what both are called with: an array, a tuple of positional inputs, a dict of keyword inputs.
        to_flax, to_torch: how one side wants the inputs: a layout such as "NHWC->NCHW", for every array of that rank;
            or a function of the inputs that returns an array, a tuple or a dict.
        optimizers: an optax transformation and a PyTorch optimizer over the network's parameters, for the rungs update
            and trajectory.
        schedules: optax's schedule, a function of the step from 0, and PyTorch's `LRScheduler`, whose learning rates
            are compared step by step. With optimizers, the scheduler is that of the PyTorch one and moves on after
            every step; optax's transformation has its schedule in it.
        schedule_steps: how many steps.
        loss: Flax's and PyTorch's loss, each a function of what its network returns and of the targets, in its own
            framework's arrays, that gives one number. Gradients are then those of the losses, whose values are judged
            too, and training runs are on them; without a loss, gradients are of a random cotangent.
        targets: an array, or a tree of them, of NumPy: floating ones are cast to the precision of a pass, whole numbers
            are int64 for PyTorch and int32 for Flax, int64 in float64 passes.
        accept: names of conventions (`parity conventions`) that are no difference to you.
        dropout: "off", or "shared": in training the same masks are injected into both.
        probes: whether inputs and weights beyond yours are tried too, where the networks take them.
        map: file of a weight map (`map_out` writes one) to use as it is, instead of looking for one.
        map_out: file to write the map to.
        seed: of weights, cotangents and what else is drawn.
        name: of the pair, for the report.
        progress: told in a word what is being done.

    Raises:
        UsageError: the models, the inputs, a loss, a layout, a map or a name is not what it should be.
    """
    return watched(
        flax_model,
        torch_model,
        inputs,
        Progress(progress),
        to_flax=to_flax,
        to_torch=to_torch,
        optimizers=optimizers,
        schedules=schedules,
        schedule_steps=schedule_steps,
        loss=loss,
        targets=targets,
        accept=accept,
        dropout=dropout,
        probes=probes,
        map=map,
        map_out=map_out,
        seed=seed,
        name=name,
    )


def watched(
    flax_model: Any,
    torch_model: Any,
    inputs: Any,
    watch: Progress,
    *,
    dropout: str = "off",
    probes: bool = True,
    map: str | None = None,
    **options: Any,
) -> Report:
    """`compare` with somebody who is told more than people are; the other options are those of `compare_sides`."""
    if dropout not in DROPOUTS:
        raise UsageError(f"dropout got {dropout!r}; expected one of {', '.join(DROPOUTS)}")
    opener = _opener(flax_model, torch_model)
    return compare_sides(opener, inputs, watch=watch, dropout=dropout, probe=probes, map_file=map, **options)


def convert(
    flax_model: Any,
    torch_model: Any,
    inputs: Any,
    direction: Direction = "torch->flax",
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    map: str | None = None,
) -> Any:
    """Carry weights and buffers from one network to the other, by a map that is proven first.

    Args:
        direction: "torch->flax" or "flax->torch"; the other arguments are those of `compare`.

    Returns:
        A copy of the receiving network (of Linen, module and variables) with the other's numbers, in its own dtypes.

    Raises:
        UsageError: the networks do not agree with any map, or an array would be left without a counterpart.
    """
    side, native = converted(flax_model, torch_model, inputs, direction, to_flax=to_flax, to_torch=to_torch, map=map)
    return side.adopt(native)


def converted(
    flax_model: Any,
    torch_model: Any,
    inputs: Any,
    direction: Direction,
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    map: str | None = None,
) -> tuple[Side, Arrays]:
    """The receiving side and its native arrays; see `convert`."""
    if direction not in DIRECTIONS:
        raise UsageError(f"direction got {direction!r}; expected one of {', '.join(DIRECTIONS)}")
    opener = _opener(flax_model, torch_model)
    return convert_sides(opener, inputs, direction, to_flax=to_flax, to_torch=to_torch, map_file=map)


def _opener(flax_model: Any, torch_model: Any) -> Callable[..., tuple[Side, Side]]:
    return lambda flax, torch: open_sides(flax_model, torch_model, flax, torch)
