"""Runs both sides of a pair and keeps what was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import Dropped, Inputs, Mask, PassResult, Returned
from parity.interface.random import moved, single
from parity.interface.side import FRAMEWORKS, Objective, Pass, Side
from parity.interface.trace import Arrays, Precision
from parity.pair.arrays.inputs import Adapter, adapt
from parity.pair.arrays.layout import ONE_FOR_ALL, RESHAPED, TURNS, agree, floating, one_for_all, spread, turned, turns
from parity.pair.passes.progress import Progress
from parity.pair.passes.results import ResultPairs, pair_results
from parity.pair.weightmap import random_weights as draws
from parity.pair.weightmap.align import CallPair, pair_blocks, pair_layers
from parity.pair.weightmap.match import WeightMap

Shapes = Mapping[str, tuple[int, ...]]
MODES = ("evaluation", "training")
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")


@dataclass(frozen=True)
class CallPairing:
    """Two calls that are compared.

    Args:
        pair: the calls.
        leaf_flax, leaf_torch: places among the floating arrays of their results.
        turn: name of the layout's turn, None if the shapes do not fit.
    """

    pair: CallPair
    leaf_flax: int
    leaf_torch: int
    turn: str | None


@dataclass
class SidePair:
    """A pair of sides with the inputs that both take, and the layouts of what they return.

    Args:
        flax, torch: the sides.
        inputs: as the user gave them.
        to_flax, to_torch: adapters.
        seed: of the cotangents.
        watch: told of every pass.
        backward: whether gradients are computed at all.
        objectives: the sides' losses; without them gradients are of random cotangents.
    """

    flax: Side
    torch: Side
    inputs: Inputs
    to_flax: Adapter = None
    to_torch: Adapter = None
    seed: int = 0
    watch: Progress = field(default_factory=Progress)
    backward: bool = True
    result_turns: dict[str, str | None] = field(default_factory=dict)
    objectives: tuple[Objective, Objective] | None = None
    _results: dict[str, ResultPairs] = field(default_factory=dict)
    _cotangents: dict[str, tuple[Arrays, Arrays]] = field(default_factory=dict)

    def given(self, side: str, inputs: Inputs | None = None) -> Inputs:
        """The inputs as a side wants them."""
        return adapt(self.inputs if inputs is None else inputs, self.to_flax if side == "flax" else self.to_torch)

    def results(self, mode: str) -> ResultPairs:
        """What both return in a mode, and which leaf belongs to which."""
        if mode not in self._results:
            self._results[mode] = pair_results(self._returned(self.flax, mode), self._returned(self.torch, mode))
        return self._results[mode]

    def _returned(self, side: Side, mode: str) -> Returned:
        given = self.given(side.framework)
        with self.watch.running(f"{FRAMEWORKS[side.framework]}'s forward pass for what it returns ({mode})"):
            return side.returned(given, mode == "training")

    @property
    def shapes(self) -> tuple[Shapes, Shapes]:
        """Shapes of the floating leaves of what each side returns in evaluation."""
        found = self.results("evaluation")
        flax, torch = (
            {n: leaf.shape for n, leaf in side.leaves.items() if leaf.kind == "floating"}
            for side in (found.flax, found.torch)
        )
        return flax, torch

    def cotangents(self, mode: str) -> tuple[Arrays, Arrays]:
        """Random cotangents of the floating results that are compared in a mode, the same on both sides."""
        if mode not in self._cotangents:
            rng, results = np.random.default_rng([self.seed, 3]), self.results(mode)
            names = results.floating[1]
            theirs = {name: single(rng.standard_normal(results.torch.leaves[name].shape)) for name in names}
            self._cotangents[mode] = self.in_flax(theirs, mode), theirs
        return self._cotangents[mode]

    def with_moved_cotangents(self, rng: np.random.Generator, mode: str) -> "SidePair":
        """The same with that mode's cotangents moved by one ulp."""
        theirs = {name: moved(array, rng) for name, array in self.cotangents(mode)[1].items()}
        return replace(self, _cotangents={mode: (self.in_flax(theirs, mode), theirs)})

    def in_flax(self, torch: Arrays, mode: str) -> Arrays:
        """Arrays by leaf of PyTorch's result in a mode, by leaf and in the layout of Flax's."""
        results = self.results(mode)
        return {
            a: self._back(b, torch[b], results.flax.leaves[a].shape) for a, b in zip(*results.floating, strict=True)
        }

    def _back(self, name: str, torch: NDArray, shape: tuple[int, ...]) -> NDArray:
        """PyTorch's array of that leaf in Flax's layout."""
        known = self.result_turns.get(name) or next((turn for turn, _ in turns(shape, torch.shape)), None)
        return np.zeros(shape) if known is None else back(known, torch, shape)

    def look(
        self,
        side: Literal["flax", "torch"],
        native: Mapping[str, NDArray],
        mode: str,
        precision: Precision,
        inputs: Inputs | None = None,
        gradients: bool = True,
        mask: Mask | None = None,
        feeds: Mapping[int, Sequence[NDArray]] | None = None,
    ) -> PassResult:
        """A pass of one side. `gradients` asks for those and for every call; `feeds` for every call, with what some of
        them get instead."""
        own, place = (self.flax, 0) if side == "flax" else (self.torch, 1)
        backward = gradients and self.backward
        how = Pass(precision, mode == "training", gradients or feeds is not None, mask=mask, feeds=feeds or {})
        if backward and self.objectives is not None:
            how = replace(how, objective=self.objectives[place])
        elif backward:
            how = replace(how, cotangents=self.cotangents(mode)[place])
        alone = ", each layer alone" if feeds is not None else ""
        what = "forward and backward pass" if backward else f"forward pass{alone}"
        given = self.given(side, inputs)
        with self.watch.running(f"{FRAMEWORKS[side]}'s {what} ({mode}, {precision})", backward):
            return own.run(native, given, how)

    def settle_layouts(self, flax: PassResult, torch: PassResult) -> bool:
        """Take the layouts in which the results agree; whether the cotangents have to be drawn again for them."""
        found: dict[str, str | None] = {}
        before: dict[str, str | None] = {}
        for a, b in zip(*self.results("evaluation").floating, strict=True):
            ours, theirs = flax.outputs[a], torch.outputs[b]
            best = turned(ours, theirs)
            found[b], before[b] = None if best is None else best[0], self._first_turn(ours.shape, theirs.shape)
        self.result_turns = found
        if found == before:
            return False
        self._cotangents = {}
        return True

    @staticmethod
    def _first_turn(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str | None:
        return next((name for name, _ in turns(shape, wanted)), None)


def back(name: str, torch: NDArray, shape: tuple[int, ...]) -> NDArray:
    """PyTorch's array in the layout that the turn of that name makes it of."""
    turn = TURNS[name.removesuffix(RESHAPED)]
    places = turn(np.arange(int(np.prod(shape))).reshape(shape)).ravel()
    flat = np.empty(places.size)
    flat[places] = torch.ravel()
    return flat.reshape(shape)


@dataclass(frozen=True)
class BothSides:
    """What both sides showed in one mode: by precision."""

    flax: Mapping[Precision, PassResult]
    torch: Mapping[Precision, PassResult]


def look(
    couple: SidePair,
    match: WeightMap,
    torch: Arrays,
    mode: str,
    masks: "SharedMasks | None" = None,
    precisions: Sequence[Precision] = PRECISIONS,
) -> BothSides:
    """Both sides in those precisions; with masks, those are the dropout of both."""
    flax = draws.carry(match, torch, couple.flax.native)
    seen = look_at_torch(couple, torch, mode, masks, precisions)
    ours = {p: couple.look("flax", flax, mode, p, mask=masks.flax if masks else None) for p in precisions}
    return BothSides(ours, seen)


def look_at_torch(
    couple: SidePair,
    torch: Arrays,
    mode: str,
    masks: "SharedMasks | None" = None,
    precisions: Sequence[Precision] = PRECISIONS,
) -> dict[Precision, PassResult]:
    """PyTorch's side in those precisions."""
    return {p: couple.look("torch", torch, mode, p, mask=masks.torch if masks else None) for p in precisions}


class SharedMasks:
    """Masks for dropout, the n-th use of PyTorch's and the n-th of Flax's alike; PyTorch has to run first.

    Args:
        seed: of the masks.
        images: whether arrays of four axes that fit as they are and with channels moved too are images.
    """

    def __init__(self, seed: int, images: bool) -> None:
        self._seed, self._images = seed, images
        self._shapes: dict[int, tuple[int, ...]] = {}

    def torch(self, number: int, used: Dropped) -> NDArray:
        """The mask of a use of PyTorch's."""
        self._shapes[number] = used.shape
        return self._mask(number, used)

    def flax(self, number: int, used: Dropped) -> NDArray:
        """The same in the layout of Flax's use, or as it is where Flax has one for several places of PyTorch's; one of
        its own where PyTorch has none."""
        wanted = self._shapes.get(number, used.shape)
        fit = [name for name, _ in turns(used.shape, wanted)]
        if spread(used.shape, wanted):
            return self._mask(number, Dropped(wanted, used.rate))
        if not fit:
            return self._mask(number, used)
        moved = "channels last to first"
        turn = moved if self._images and len(wanted) == 4 and moved in fit else fit[0]
        return back(turn, self._mask(number, Dropped(wanted, used.rate)), used.shape)

    def _mask(self, number: int, used: Dropped) -> NDArray:
        rng = np.random.default_rng([self._seed, 4, number])
        return (rng.random(used.shape) >= used.rate) / (1.0 - used.rate) if used.rate < 1 else np.zeros(used.shape)


def joints(match: WeightMap, views: BothSides) -> list[CallPairing]:
    """The calls that are compared, in PyTorch's order."""
    flax, torch, low = views.flax["float64"], views.torch["float64"], views.torch["float32"]
    layers = pair_layers(match, flax.calls, torch.calls)

    def agreeing(a: int, b: int) -> bool:
        return _leaves(flax, torch, low, a, b)[1]

    blocks = pair_blocks(match, flax.calls, torch.calls, layers, agreeing)
    found = []
    for pair in sorted([*layers, *blocks], key=lambda pair: pair.torch):
        (a, b), _ = _leaves(flax, torch, low, pair.flax, pair.torch)
        ours, theirs = floating(flax.calls[pair.flax].outputs), floating(torch.calls[pair.torch].outputs)
        if ours and theirs:
            turn = turned(ours[a], theirs[b], inside=True)
            found.append(CallPairing(pair, a, b, None if turn is None else turn[0]))
    return found


def _leaves(flax: PassResult, torch: PassResult, low: PassResult, a: int, b: int) -> tuple[tuple[int, int], bool]:
    """The places of two floating results that agree, the first ones if none do; and whether any do."""
    ours, theirs = floating(flax.calls[a].outputs)[:3], floating(torch.calls[b].outputs)[:3]
    lows = floating(low.calls[b].outputs)[:3] if b < len(low.calls) else []
    for j, (array, small) in enumerate(zip(theirs, lows, strict=False)):
        for i, mine in enumerate(ours):
            if agree(mine, array, small, inside=True):
                return (i, j), True
    return (0, 0), False


def turn_by(name: str | None, flax: NDArray, wanted: tuple[int, ...]) -> NDArray:
    """Flax's array by the turn of that name; as it is if there is none."""
    if name is None:
        return flax
    if name == ONE_FOR_ALL:
        return one_for_all(flax, wanted)
    array = TURNS[name.removesuffix(RESHAPED)](flax)
    return array.reshape(wanted) if array.size == np.prod(wanted, dtype=int) else array
