"""Bring your own pair: one call for any Flax network and any PyTorch network."""

from collections.abc import Sequence
from typing import Any

from parity.backends import open_sides, require_device
from parity.errors import UsageError
from parity.interface.devices import computing_on
from parity.interface.side import Side
from parity.interface.trace import Arrays
from parity.interface.user_code import deep_calls
from parity.pair.arrays.inputs import Adapter
from parity.pair.compare import compare_sides
from parity.pair.convert import Direction, convert_sides
from parity.pair.opened import OpenSides
from parity.pair.options import GROUP_OF, Checks, Request, TrainingPair, with_former
from parity.pair.passes.progress import Note, Progress, silent
from parity.report.pair import Report

DIRECTIONS = ("torch->flax", "flax->torch")


def compare(
    flax_model: Any,
    torch_model: Any,
    inputs: Any,
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    training: TrainingPair | None = None,
    checks: Checks | None = None,
    map: str | None = None,
    map_out: str | None = None,
    seed: int = 0,
    name: str = "pair",
    device: str = "cpu",
    progress: Note = silent,
    **former: Any,
) -> Report:
    """Check that a Flax network and a PyTorch network are the same function, whatever their layers are called.

    The weights are mapped by the tool: PyTorch's arrays get random numbers, Flax's the same ones through the map, and
    the map is proven by agreement in float64. The users' networks are not changed. All runs in the caller's process: a
    crash of a framework ends it; the command `parity check` runs the comparison in a process of its own. What the
    networks, losses, optimizers or adapters raise makes the rung that was running inconclusive.

    Args:
        flax_model: An `nnx.Module`, or a Linen module and its variables as a tuple.
        torch_model: An `nn.Module`.
        inputs: What both are called with: an array, a tuple of positional inputs, a dict of keyword inputs. Arrays are
            of NumPy, JAX or PyTorch, of any shape and dtype; the first axis is the batch.
        to_flax, to_torch: How one side wants the inputs: a layout such as "NHWC->NCHW", for every array of that rank;
            or a function of the inputs that returns an array, a tuple or a dict.
        training: How each side is trained: optimizers, schedules, losses and targets.
        checks: What is checked, and which conventions are accepted.
        map: The file of a weight map (`map_out` writes one) to use as it is, instead of looking for one.
        map_out: The file to write the map to.
        seed: The seed of weights, cotangents and what else is drawn.
        name: The name of the pair, for the report.
        device: The device on which both sides compute, whatever devices the networks are on: "cpu", "gpu" (or "cuda"),
            "tpu", or one of several such as "gpu:1". On a TPU, which has no float64, that is JAX's float32; its float64
            passes and PyTorch's side are computed on the CPU.
        progress: Told in a few words what is being done.
        **former: The options of `training` and `checks` by themselves, as they were taken before; deprecated.

    Returns:
        The report: the verdict, the rungs and the first difference.

    Raises:
        UsageError: The models, the inputs, a loss, a layout, a map or a name is not what it should be, or a framework
            does not have the device.
    """
    for unknown in former.keys() - GROUP_OF.keys():
        raise TypeError(f"compare() got an unexpected keyword argument {unknown!r}")
    options = {"to_flax": to_flax, "to_torch": to_torch, "training": training, "checks": checks, **former}
    places = {"map": map, "map_out": map_out, "seed": seed, "name": name, "device": device}
    request = Request(**with_former({**options, **places}, stacklevel=3))
    return watched(flax_model, torch_model, inputs, request, Progress(progress))


def watched(flax_model: Any, torch_model: Any, inputs: Any, request: Request, watch: Progress) -> Report:
    """`compare` with somebody who is told more than people are.

    Args:
        flax_model, torch_model, inputs: The pair, as for `compare`.
        request: What is asked.
        watch: Told of every pass and of every rung that was ruled.
    """
    with computing_on(request.device), deep_calls():
        require_device()
        return compare_sides(_opener(flax_model, torch_model, request.checks.training_flag), inputs, request, watch)


def convert(
    flax_model: Any,
    torch_model: Any,
    inputs: Any,
    direction: Direction = "torch->flax",
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    map: str | None = None,
    accept: Sequence[str] = (),
) -> Any:
    """Carry weights and buffers from one network to the other, by a map that is proven first.

    Args:
        flax_model, torch_model, inputs: The pair, as for `compare`.
        direction: "torch->flax" or "flax->torch".
        to_flax, to_torch: How one side wants the inputs, as for `compare`.
        map: The file of a weight map to use as it is.
        accept: Names of conventions (`parity conventions` lists them) in which the networks may differ, such as
            "norm_eps" or "gelu_form": the weights are carried over as they are.

    Returns:
        A copy of the receiving network (of Linen, module and variables) with the other's numbers, in its own dtypes.

    Raises:
        UsageError: The networks do not agree with any map, or an array would be left without a counterpart.
    """
    request = Request(to_flax=to_flax, to_torch=to_torch, map=map, checks=Checks(accept=accept))
    side, native = converted(flax_model, torch_model, inputs, direction, request)
    return side.adopt(native)


def converted(
    flax_model: Any, torch_model: Any, inputs: Any, direction: Direction, request: Request
) -> tuple[Side, Arrays]:
    """The side that receives, and the native arrays that it then holds.

    Args:
        flax_model, torch_model, inputs, direction: The pair and the way, as for `convert`.
        request: How each side wants the inputs, the map, the seed, and which conventions are accepted.

    Returns:
        The receiving side, and its native arrays by name, float64 where they are floating.

    Raises:
        UsageError: The direction is none, or one of the reasons of `convert`.
    """
    if direction not in DIRECTIONS:
        raise UsageError(f"direction got {direction!r}; expected one of {', '.join(DIRECTIONS)}")
    with deep_calls():
        return convert_sides(_opener(flax_model, torch_model, request.checks.training_flag), inputs, direction, request)


def _opener(flax_model: Any, torch_model: Any, training_flag: str) -> OpenSides:
    return lambda flax, torch: open_sides(flax_model, torch_model, flax, torch, training_flag)
