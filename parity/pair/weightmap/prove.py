"""Proves a weight map: with random numbers in all of it the networks agree in float64, or other readings are tried."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import prod

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import PassResult
from parity.interface.trace import Arrays
from parity.pair.arrays.layout import agree, floating
from parity.pair.weightmap import random_weights as draws
from parity.pair.weightmap.align import CallPair, pair_layers
from parity.pair.weightmap.match import ArrayPairing, LayerPairing, WeightMap, bond, holder

BUDGET = 48
"""Readings that are tried at most: passes of the Flax network, which is compiled once for all of them."""
MOST_IN_GROUP = 4
"""Equal layers with equal inputs whose orders are all tried; more are too many orders."""


@dataclass(frozen=True)
class ProofPass:
    """One evaluation pass of both networks with the same numbers: Flax in float64, PyTorch in both precisions; and the
    names of the results that belong together."""

    flax: PassResult
    torch: PassResult
    low: PassResult
    names: tuple[tuple[str, str], ...] = ()

    def layer(self, pair: CallPair) -> tuple[bool, bool]:
        """Whether the inputs, and the outputs, of two calls agree."""
        return self._agree(pair, "inputs"), self._agree(pair, "outputs")

    def same_outputs(self, match: WeightMap) -> bool:
        """Whether what the networks return agrees: the floating numbers; where there are none the others, or, as they
        may be undecided where scores are equal, the layers inside."""
        every = [(self.flax.outputs[a], self.torch.outputs[b], self.low.outputs[b]) for a, b in self.names]
        floats = [arrays for arrays in every if len(floating(arrays)) == len(arrays)]
        if floats or not every:
            return bool(floats) and all(agree(*arrays) for arrays in floats)
        if all(np.array_equal(ours, theirs) for ours, theirs, _ in every):
            return True
        layers = pair_layers(match, self.flax.calls, self.torch.calls)
        return bool(layers) and all(self.layer(pair)[1] for pair in layers)

    def _agree(self, pair: CallPair, what: str) -> bool:
        ours, theirs, low = (
            floating(getattr(seen.calls[place], what))
            for seen, place in ((self.flax, pair.flax), (self.torch, pair.torch), (self.low, pair.torch))
        )
        if not ours or not theirs:
            return not ours and not theirs  # integers: nothing to go by
        return any(agree(a, b, c, inside=True) for b, c in zip(theirs, low, strict=True) for a in ours[:2])


@dataclass(frozen=True)
class Proof:
    """What was found.

    Args:
        match: the map, as far as it could be decided.
        flax, torch: the native arrays that it was tried with.
        sight: the pass with them.
        agrees: whether the networks agree with it.
        undecided: readings that were left when the budget was spent; the first difference may be the map's fault.
        tried: passes that it took.
    """

    match: WeightMap
    flax: Arrays
    torch: Arrays
    sight: ProofPass
    agrees: bool
    undecided: tuple[str, ...]
    tried: int


Run = Callable[[Mapping[str, NDArray]], PassResult]


class Prover:
    """Tries maps until the networks agree.

    Args:
        flax, torch, torch_low: one evaluation pass with given native arrays, in float64 and (PyTorch) float32.
        own_flax, own_torch: the users' own arrays, for what is not mapped.
        seed: of the numbers.
        budget: readings that are tried at most; 1 is the given one alone.
        names: Flax's and PyTorch's of the results that belong together.
    """

    def __init__(
        self,
        flax: Run,
        torch: Run,
        torch_low: Run,
        own_flax: Arrays,
        own_torch: Arrays,
        seed: int,
        budget: int = BUDGET,
        names: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._names = names
        self._flax, self._torch, self._low = flax, torch, torch_low
        self._own_flax, self._own_torch, self._seed = own_flax, own_torch, seed
        self._tried, self._budget = 0, budget

    def prove(self, match: WeightMap) -> Proof:
        """The map itself if the networks agree with it, else the reading with which they agree longest."""
        torch = draws.draw(match, self._own_torch, self._seed)
        seen, low = self._torch(torch), self._low(torch)
        best, sight = match, self._look(match, torch, seen, low)
        undecided: tuple[str, ...] = ()
        while self._budget > 1 and not sight.same_outputs(best):
            failing = first_failing(best, sight)
            options = list(alternatives(best, sight, failing, self._own_torch, self._own_flax))
            found = None
            for place, (name, option) in enumerate(options):
                if self._tried >= self._budget:
                    undecided = tuple(name for name, _ in options[place:])
                    break
                other = self._look(option, torch, seen, low)
                if other.same_outputs(option) or first_failing(option, other) > failing:
                    found = option, other
                    break
            if found is None:
                break
            best, sight = found
        flax = draws.carry(best, torch, self._own_flax)
        return Proof(best, flax, torch, sight, sight.same_outputs(best), undecided, self._tried)

    def _look(self, match: WeightMap, torch: Arrays, seen: PassResult, low: PassResult) -> ProofPass:
        self._tried += 1
        return ProofPass(self._flax(draws.carry(match, torch, self._own_flax)), seen, low, self._names)


def first_failing(match: WeightMap, sight: ProofPass) -> int:
    """Place in Flax's order of calls of the first paired layer that does not agree; beyond all of them if all do."""
    pairs = sorted(pair_layers(match, sight.flax.calls, sight.torch.calls), key=lambda pair: pair.flax)
    return next((pair.flax for pair in pairs if not all(sight.layer(pair))), len(sight.flax.calls))


Option = tuple[str, WeightMap]


def alternatives(
    match: WeightMap, sight: ProofPass, failing: int, torch: Mapping[str, NDArray], flax: Mapping[str, NDArray]
) -> Iterator[Option]:
    """Other readings that might make the failing call agree, the likeliest first, each with its name."""
    pairs = pair_layers(match, sight.flax.calls, sight.torch.calls)
    here = next((pair for pair in pairs if pair.flax == failing), None)
    if here is not None and here.bond is not None:
        yield from _flattened(match, sight, here)
        yield from _partners(match, sight, here, pairs, torch, flax)
        yield from _readings(match, [here.bond])
    verified = {pair.bond for pair in pairs if pair.flax < failing and all(sight.layer(pair))}
    open_ = [number for number in range(len(match.bonds)) if number not in verified]
    yield from _readings(match, [number for number in open_ if here is None or number != here.bond])
    yield from _exchanged(match, sight, pairs, verified, torch, flax)


def _readings(match: WeightMap, numbers: Sequence[int]) -> Iterator[Option]:
    """Other packings of the arrays of some pairs."""
    for number in numbers:
        for place, link in enumerate(match.bonds[number].links):
            for other in link.others:
                links = list(match.bonds[number].links)
                rest = tuple(o for o in link.others if o is not other)
                links[place] = replace(link, torch=other, others=(link.torch, *rest))
                yield (
                    f"{draws.name_of(match.bonds[number], link)} read otherwise",
                    _with(match, {number: replace(match.bonds[number], links=tuple(links))}),
                )


def _flattened(match: WeightMap, sight: ProofPass, here: CallPair) -> Iterator[Option]:
    """Rows of a dense kernel in the order of a flattened channels-first activation."""
    bond_ = match.bonds[here.bond]  # type: ignore[index] # the caller has looked
    kernel = next((link for link in bond_.links if link.role == "kernel" and len(link.shape) == 2), None)
    ours, theirs = (floating(s.calls[p].inputs) for s, p in ((sight.flax, here.flax), (sight.torch, here.torch)))
    if bond_.flax.kind != "dense" or kernel is None or not ours or not theirs:
        return
    low = floating(sight.low.calls[here.torch].inputs)[0]
    shapes = (a.shape[1:] for call in sight.torch.calls[: here.torch][::-1] for a in floating(call.outputs))
    for inner in dict.fromkeys(shape for shape in shapes if len(shape) > 1 and prod(shape) == kernel.shape[0]):
        moved, moved_low = (_channels_last(array, inner) for array in (theirs[0], low))
        if moved.shape == ours[0].shape and agree(ours[0], moved, moved_low):
            flat = _flat(kernel, inner)
            links = tuple(flat if link is kernel else link for link in bond_.links)
            yield "rows of a flattened activation", _with(match, {here.bond: replace(bond_, links=links)})  # type: ignore[dict-item]


def _channels_last(array: NDArray, inner: tuple[int, ...]) -> NDArray:
    split = array.reshape(*array.shape[:-1], *inner)
    return np.moveaxis(split, array.ndim - 1, -1).reshape(array.shape)


def _flat(kernel: ArrayPairing, inner: tuple[int, ...]) -> ArrayPairing:
    """The kernel with its rows as (*spatial, channels): the link's canonical shape has them apart."""
    last = (*inner[1:], inner[0], kernel.shape[1])
    order = (*range(1, len(inner)), 0, len(inner))
    return replace(
        kernel,
        shape=last,
        flax=replace(kernel.flax, reshaped=last),
        torch=replace(kernel.torch, reshaped=(*inner, kernel.shape[1]), transposed=order),
        others=(),
    )


def _partners(
    match: WeightMap,
    sight: ProofPass,
    here: CallPair,
    pairs: Sequence[CallPair],
    torch: Mapping[str, NDArray],
    flax: Mapping[str, NDArray],
) -> Iterator[Option]:
    """Later layers of PyTorch's, equal in kind and shapes, that are fed what the failing one of Flax is."""
    mine = match.bonds[here.bond].links  # type: ignore[index]
    for other in pairs:
        theirs = match.bonds[other.bond]  # type: ignore[index]
        same = other.bond != here.bond and [li.shape for li in theirs.links] == [li.shape for li in mine]
        if same and theirs.torch.kind == match.bonds[here.bond].torch.kind:  # type: ignore[index]
            crossed = CallPair(here.flax, other.torch, None)
            if sight.layer(crossed)[0]:
                yield "another equal layer", _swapped(match, [here.bond, other.bond], (1, 0), torch, flax)  # type: ignore[list-item]


def _exchanged(
    match: WeightMap,
    sight: ProofPass,
    pairs: Sequence[CallPair],
    verified: set[int | None],
    torch: Mapping[str, NDArray],
    flax: Mapping[str, NDArray],
) -> Iterator[Option]:
    """Other orders of equal layers that are fed the same, whose agreement proves nothing, and of those never called."""
    for numbers in _groups(match, sight, pairs, verified):
        for order in permutations(range(len(numbers))) if len(numbers) <= MOST_IN_GROUP else ():
            if list(order) != sorted(order):
                names = ", ".join(match.bonds[n].torch.path for n in numbers)
                yield f"another order of {names}", _swapped(match, numbers, order, torch, flax)


def _groups(
    match: WeightMap, sight: ProofPass, pairs: Sequence[CallPair], verified: set[int | None]
) -> Iterator[list[int]]:
    called = {pair.bond: pair.flax for pair in pairs}
    by: dict[object, list[int]] = {}
    for number, one in enumerate(match.bonds):
        shapes = (one.flax.kind, tuple((link.role, link.shape) for link in one.links))
        if number not in called:
            by.setdefault((shapes, one.torch.path.rpartition(".")[0]), []).append(number)
        elif floating(sight.flax.calls[called[number]].inputs):
            given = floating(sight.flax.calls[called[number]].inputs)[0]
            by.setdefault((shapes, given.shape, float(given.sum())), []).append(number)
    yield from (group for group in by.values() if len(group) > 1)


def _swapped(
    match: WeightMap,
    numbers: Sequence[int],
    order: Sequence[int],
    torch: Mapping[str, NDArray],
    flax: Mapping[str, NDArray],
) -> WeightMap:
    """The pairs with PyTorch's units in another order."""
    shapes = {name: array.shape for name, array in flax.items()}, {name: array.shape for name, array in torch.items()}
    ours = [holder(match.bonds[n].flax, shapes[0]) for n in numbers]
    theirs = [holder(match.bonds[numbers[place]].torch, shapes[1]) for place in order]
    return _with(match, {n: bond(a, b) for n, a, b in zip(numbers, ours, theirs, strict=True)})


def _with(match: WeightMap, changed: Mapping[int, LayerPairing]) -> WeightMap:
    return replace(match, bonds=tuple(changed.get(n, old) for n, old in enumerate(match.bonds)))
