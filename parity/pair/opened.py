"""Opens the two sides of a pair on its inputs, and proves a weight map for them; finds layouts that nobody gave."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from parity.interface.observation import Inputs
from parity.interface.side import FRAMEWORKS, Side
from parity.interface.user_code import UserCodeError
from parity.pair.arrays.inputs import adapt, arrays, as_inputs
from parity.pair.options import Request
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.noise import share_noise
from parity.pair.passes.progress import Progress
from parity.pair.passes.sides import PairInputs, SidePair
from parity.pair.rungs.forward import proven
from parity.pair.rungs.loss import objectives
from parity.pair.weightmap import file as map_file
from parity.pair.weightmap.pairing.assemble import Held, map_weights
from parity.pair.weightmap.pairing.pairings import WeightMap, crossed_names, turned_arrays
from parity.pair.weightmap.tables import HeldArrays, without_constants

OpenSides = Callable[[Inputs, Inputs], tuple[Side, Side]]
"""Makes both sides of Flax's inputs and PyTorch's."""
LAYOUTS = {3: ("NLC", "NCL"), 4: ("NHWC", "NCHW"), 5: ("NDHWC", "NCDHW")}
"""The rank of an array of positions, pixels or voxels → its layout in Flax, and in PyTorch."""


def proven_pair(open_sides: OpenSides, inputs: Any, request: Request, watch: Progress) -> CheckState:
    """The opened pair with the proof of its weight map.

    Where a network refuses the inputs as both are given them and no layout is asked for, PyTorch's is tried with
    channels first and Flax's with channels last; what alone runs and agrees, if only in the first layer, is taken, with
    a note.

    Args:
        open_sides: Makes both sides of their inputs.
        inputs: What the user calls both networks with.
        request: What is asked.
        watch: Told of every pass.

    Raises:
        UserCodeError: A network raised something in its first pass, whatever layout it was given.
        UsageError: The inputs hold no array, a layout fits none of them, or the file is no map of these networks.
    """
    shared = as_inputs(inputs)
    try:
        return _proven(open_sides, shared, request, watch)
    except UserCodeError as refused:
        if request.to_flax is not None or request.to_torch is not None:
            raise
        running = list(_running(open_sides, shared, request, watch))
        if (state := _meant(running)) is not None:
            return state
        if running:
            refused.args = (f"{refused}; {_hint([layout for layout, _ in running])}",)
        raise


def _meant(running: Sequence["tuple[_Layout, CheckState]"]) -> CheckState | None:
    """The pair with the one layout that is proven, or else with the only one that runs, if the networks' first layer
    agrees with it; None if there is no such layout."""
    proofs = [(layout, state) for layout, state in running if state.proof.agrees]
    if len(proofs) == 1:
        layout, state = proofs[0]
        state.notes.append(layout.note)
        return state
    if len(running) == 1:
        layout, state = running[0]
        if state.proof.evaluation.begins_alike(state.weight_map):
            state.notes.append(
                f"{layout.note}, the only layout with which both run, and their first layer agrees with it"
            )
            return state
    return None


def _hint(layouts: Sequence["_Layout"]) -> str:
    """What to write where both networks run with layouts of which none is proven."""
    words = " or ".join(f'{layout.option}="{layout.letters}"' for layout in layouts)
    fourth = " or ".join(f'{{"{layout.option}": "{layout.letters}"}}' for layout in layouts)
    return (
        f"both networks run with {words}: give that to parity.compare if it is meant, or {fourth} as the fourth "
        f"value that the pair's function returns"
    )


@dataclass(frozen=True)
class _Layout:
    """A layout that one side may want.

    Args:
        option: "to_flax" or "to_torch".
        letters: The axes, such as "NHWC->NCHW".
    """

    option: str
    letters: str

    def asked(self, request: Request) -> Request:
        """The request with this layout."""
        if self.option == "to_flax":
            return replace(request, to_flax=self.letters)
        return replace(request, to_torch=self.letters)

    @property
    def note(self) -> str:
        """What is done with it, for people."""
        return f"{FRAMEWORKS[self.option.removeprefix('to_')]}'s side was given {self.letters.partition('->')[2]}"


def _running(
    open_sides: OpenSides, inputs: Inputs, request: Request, watch: Progress
) -> Iterator[tuple[_Layout, CheckState]]:
    """The layouts with which both networks run, each with the pair and its proof."""
    for layout in _layouts(inputs):
        watch.note(f"trying {layout.option}={layout.letters}")
        try:
            state = _proven(open_sides, inputs, layout.asked(request), watch)
        except UserCodeError:
            continue
        yield layout, state


def _layouts(inputs: Inputs) -> Iterator[_Layout]:
    """The layouts that one side may want of the arrays of the inputs."""
    ranks = dict.fromkeys(array.ndim for array in arrays(inputs).values() if array.dtype.kind == "f")
    for last, first in (LAYOUTS[rank] for rank in ranks if rank in LAYOUTS):
        yield _Layout("to_torch", f"{last}->{first}")
        yield _Layout("to_flax", f"{first}->{last}")


def _proven(open_sides: OpenSides, inputs: Inputs, request: Request, watch: Progress) -> CheckState:
    """The pair, opened on the inputs as the request has them adapted, with the proof of its map."""
    losses = objectives(request.training.loss, request.training.targets)
    flax, torch = open_sides(adapt(inputs, request.to_flax), adapt(inputs, request.to_torch))
    both = PairInputs(inputs, request.to_flax, request.to_torch)
    pair = SidePair(flax, torch, both, request.seed, watch=watch, backward=request.backward, objectives=losses)
    shared = request.checks.dropout == "shared"
    notes = share_noise(pair) if shared else []
    weight_map = _weight_map(pair, request.map)
    state = proven(pair, weight_map, request.seed, fixed=request.map is not None, shared_dropout=shared)
    turned = turned_arrays(state.weight_map, pair.flax.native, pair.torch.native)
    state.notes += [*notes, *crossed_names(state.weight_map), *turned]
    return state


def _weight_map(pair: SidePair, path: str | None) -> WeightMap:
    """The weight map of a pair, read from a file, or found."""
    flax_shapes, torch_shapes = ({n: a.shape for n, a in side.native.items()} for side in (pair.flax, pair.torch))
    with pair.watch.running("the search for Flax's layers"):
        ours = pair.flax.units
    with pair.watch.running("the first forward pass of PyTorch's network"):
        theirs = pair.torch.units
    if path is not None:
        return map_file.read(path, ours, theirs, (flax_shapes, torch_shapes))
    trained = pair.flax.parameters, pair.torch.parameters
    weight_map = map_weights(Held(ours, flax_shapes, trained[0]), Held(theirs, torch_shapes, trained[1]))
    return without_constants(
        weight_map, HeldArrays(pair.flax.native, trained[0]), HeldArrays(pair.torch.native, trained[1])
    )
