"""The two sides of a pair, opened on its inputs, and the weight map that is found for them."""

from collections.abc import Callable
from typing import Any

from parity.interface.observation import Inputs
from parity.interface.side import Side
from parity.pair.arrays.inputs import adapt, as_inputs
from parity.pair.options import Request
from parity.pair.passes.progress import Progress
from parity.pair.passes.sides import PairInputs, SidePair
from parity.pair.weightmap import file as map_file
from parity.pair.weightmap.assemble import map_weights
from parity.pair.weightmap.pairings import WeightMap

OpenSides = Callable[[Inputs, Inputs], tuple[Side, Side]]
"""Makes both sides of Flax's inputs and PyTorch's."""


def opened(open_sides: OpenSides, inputs: Any, request: Request, watch: Progress) -> SidePair:
    """The sides of a pair.

    Args:
        open_sides: Makes them.
        inputs: What the user calls both networks with.
        request: What is asked.
        watch: Told of every pass.

    Raises:
        UsageError: The inputs hold no array, or a layout fits none of them.
    """
    shared = as_inputs(inputs)
    flax, torch = open_sides(adapt(shared, request.to_flax), adapt(shared, request.to_torch))
    both = PairInputs(shared, request.to_flax, request.to_torch)
    return SidePair(flax, torch, both, request.seed, watch=watch, backward=request.backward)


def mapped(pair: SidePair, path: str | None) -> WeightMap:
    """The weight map of a pair, found, or read from a file.

    Args:
        pair: The sides.
        path: The file; None looks for the map.

    Raises:
        UserCodeError: A network raised something in its first pass.
        UsageError: The file is no map of these networks.
    """
    shapes = tuple({name: array.shape for name, array in side.native.items()} for side in (pair.flax, pair.torch))
    with pair.watch.running("the search for Flax's layers"):
        ours = pair.flax.units
    with pair.watch.running("the first forward pass of PyTorch's network"):
        theirs = pair.torch.units
    if path is not None:
        return map_file.read(path, ours, theirs, (shapes[0], shapes[1]))
    return map_weights(ours, theirs, shapes[0], shapes[1])
