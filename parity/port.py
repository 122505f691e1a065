"""Bring your own pair: one call for any Flax network and any PyTorch network."""

from collections.abc import Callable, Sequence
from typing import Any

from parity.backends import open_sides
from parity.pair.compare import compare_sides
from parity.pair.inputs import Adapter
from parity.report.pair import Report


def compare(
    flax_model: Any,
    torch_model: Any,
    inputs: Any,
    *,
    to_flax: Adapter = None,
    to_torch: Adapter = None,
    optimizers: tuple[Any, Any] | None = None,
    accept: Sequence[str] = (),
    seed: int = 0,
    name: str = "pair",
    progress: Callable[[str], None] = lambda note: None,
) -> Report:
    """Check that a Flax network and a PyTorch network are the same function, whatever their layers are called.

    The weights are mapped by the tool: PyTorch's arrays get random numbers, Flax's the same ones through the map, and
    the map is proven by agreement in float64. The users' networks are not changed.

    Args:
        flax_model: an `nnx.Module`, or a Linen module and its variables as a tuple.
        torch_model: an `nn.Module`.
        inputs: what both are called with: an array, a tuple of positional inputs, a dict of keyword inputs.
        to_flax, to_torch: how one side wants the inputs: a layout such as "NHWC->NCHW", for every array of that rank;
            or a function of the inputs that returns an array, a tuple or a dict.
        optimizers: an optax transformation and a PyTorch optimizer over the network's parameters, for the rungs update
            and trajectory.
        accept: names of conventions (`parity conventions`) that are no difference to you.
        seed: of weights, cotangents and what else is drawn.
        name: of the pair, for the report.
        progress: told in a word what is being done.

    Raises:
        UsageError: the models, the inputs, a layout or a name is not what it should be.
    """
    return compare_sides(
        lambda flax, torch: open_sides(flax_model, torch_model, flax, torch),
        inputs,
        to_flax=to_flax,
        to_torch=to_torch,
        optimizers=optimizers,
        accept=accept,
        seed=seed,
        name=name,
        progress=progress,
    )
