"""Both networks' backward passes as programs, and the first gradient, from the end, that differs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import AGREED, NUDGE
from parity.interface.programs.backward import Backward
from parity.interface.programs.operations import Edit
from parity.interface.programs.program import Program
from parity.interface.trace import spoken
from parity.pair.arrays.layout import ONE_FOR_ALL, turns
from parity.pair.causes.search.piece import SIDES, Half, Piece, Turn, distance
from parity.pair.causes.search.places import Numbers, Target, leaf_of, programs_of
from parity.pair.causes.search.several.following import Following
from parity.pair.passes.check_state import CheckState


@dataclass(frozen=True)
class Gradient(Target):
    """A gradient: the numbers of Flax's and of PyTorch's in the backward programs.

    Args:
        numbers: the numbers.
        turns: what may bring Flax's into PyTorch's layout.
        name: what it is the gradient of.
    """

    numbers: tuple[int, int] = (0, 0)
    turns: Sequence[Turn] = ()
    name: str = ""

    def value(self, program: Program, side: str) -> int:
        """The number of the gradient in a side's backward program."""
        return self.numbers[SIDES.index(side)]


@dataclass
class Derived:
    """The backward passes of one pass of both networks, with the same numbers.

    Args:
        state: what is known of the pair.
        numbers: what the operations are given.
        programs: each side's backward pass, with all that is undone so far.
        gradients: all gradients that both sides have, the last calls' first.
    """

    state: CheckState
    numbers: Numbers
    programs: dict[str, Program] = field(default_factory=dict)
    gradients: list[Gradient] = field(default_factory=list)
    _agreeing: list[Gradient] = field(default_factory=list)

    def __post_init__(self) -> None:
        forward = programs_of(self.state, self.numbers, derivatives=True)
        backward = {side: Backward(program, self._seeds(side, program)) for side, program in forward.items()}
        self.gradients = [*self._calls(backward), *self._parameters(backward), *self._inputs(backward)]
        self.programs = {**backward}

    def _seeds(self, side: str, forward: Program) -> Mapping[int, NDArray]:
        sides = self.state.sides
        if sides.objectives is not None and forward.named.loss is not None:
            scale = sides.objectives[SIDES.index(side)].scale
            return {forward.named.loss: np.full_like(forward.compute([forward.named.loss])[0], scale)}
        cotangents = sides.cotangents(self.numbers.mode)[SIDES.index(side)]
        seeds: dict[int, NDArray] = {}
        for name, array in cotangents.items():
            value = forward.named.results.get(name)
            if value is not None:
                seeds[value] = seeds.get(value, 0.0) + np.asarray(array, np.float64)
        return seeds

    def _calls(self, backward: Mapping[str, Backward]) -> Iterator[Gradient]:
        both = self.state.passes[self.numbers.mode]
        for pairing in reversed(self.state.calls[self.numbers.mode]):
            if pairing.turn in (None, ONE_FOR_ALL):
                continue
            values, stopped = [], False
            for side, place in (("flax", pairing.leaf_flax), ("torch", pairing.leaf_torch)):
                number = getattr(pairing.pair, side)
                call = getattr(both, side)["float64"].calls[number]
                leaf = leaf_of(call, place)
                stopped = stopped or not call.gradients or call.gradients[leaf] is None
                values.append(backward[side].forward.calls[number].outputs[leaf])
            if stopped:
                continue  # what is made under no_grad has no gradient to compare: those before it are
            name = spoken(both.torch["float64"].calls[pairing.pair.torch].path)
            yield from _paired(backward, values, f"what {name} gives")

    def _parameters(self, backward: Mapping[str, Backward]) -> Iterator[Gradient]:
        numbers = {
            side: {name: v for v, (kind, name) in program.forward.origins.items() if kind == "array"}
            for side, program in backward.items()
        }
        trained = self.state.parameters
        for layer, array in self.state.weight_map.arrays:
            ours, theirs = array.flax.names, array.torch.names
            known = f"flax:{ours[0]}" in trained and f"torch:{theirs[0]}" in trained
            if len(ours) == len(theirs) == 1 and known and ours[0] in numbers["flax"] and theirs[0] in numbers["torch"]:
                values = [numbers["flax"][ours[0]], numbers["torch"][theirs[0]]]
                yield from _paired(backward, values, layer.array_name(array), any_order=True)

    def _inputs(self, backward: Mapping[str, Backward]) -> Iterator[Gradient]:
        inputs = [
            {name: v for v, (kind, name) in backward[side].forward.origins.items() if kind == "input"} for side in SIDES
        ]
        for name in inputs[0].keys() & inputs[1].keys():
            yield from _paired(backward, [values[name] for values in inputs], f"the input {name}")

    def piece(self, target: Target, agreeing: Sequence[object]) -> Piece:
        """The piece of both backward passes before a gradient, starting from those that agree."""
        del agreeing
        assert isinstance(target, Gradient)
        halves = {}
        for side, program in self.programs.items():
            number = target.value(program, side)
            starts = list(dict.fromkeys(g.value(program, side) for g in self._agreeing))
            starts = [value for value in starts if value != number]
            program.start_from(dict(zip(starts, program.compute(starts), strict=True)))
            halves[side] = Half(program, number)
        return Piece(halves["flax"], halves["torch"], target.turns)

    def undo(self, side: str, edits: Sequence[Edit]) -> None:
        """Undo a cause for good."""
        self.programs[side].start_from({})
        self.programs[side] = self.programs[side].undone(edits)

    def following(self) -> Following | None:
        """The gradient that differs and that the fewest operations make; None if all agree."""
        arrays = {}
        for side, program in self.programs.items():
            program.start_from({})
            arrays[side] = program.compute([g.value(program, side) for g in self.gradients])
        largest = max((float(np.abs(a).max(initial=0.0)) for a in arrays["torch"]), default=0.0)
        odd: list[Gradient] = []
        self._agreeing = []
        for gradient, flax, torch in zip(self.gradients, arrays["flax"], arrays["torch"], strict=True):
            if (
                max(float(np.abs(a).max(initial=0.0)) for a in (flax, torch)) <= NUDGE * largest
            ):  # rounding: zero in exact arithmetic
                continue
            agree = min((distance(turn(flax), torch) for turn in gradient.turns), default=np.inf) <= AGREED
            (self._agreeing if agree else odd).append(gradient)
        if not odd:
            return None
        return Following(
            min(odd, key=lambda g: sum(len(p.needed([g.value(p, s)])) for s, p in self.programs.items())), ()
        )

    def like(self, shown: "Derived") -> "Derived":
        """The same passes, cut at the gradients that agree in those that show the difference."""
        self._agreeing = shown._agreeing
        return self


def _paired(
    backward: Mapping[str, Backward], values: Sequence[int], name: str, *, any_order: bool = False
) -> Iterator[Gradient]:
    """The gradient of a value of each side, if some layout makes them one."""
    shapes = [backward[side].forward.compute([value])[0] for side, value in zip(SIDES, values, strict=True)]
    if any(array.dtype.kind != "f" for array in shapes):
        return
    flax, torch = (array.shape for array in shapes)
    fitting: list[Turn] = [turn for _, turn in turns(flax, torch)]
    if any_order and len(flax) == len(torch) < 5:
        orders = (axes for axes in permutations(range(len(flax))) if tuple(flax[a] for a in axes) == torch)
        fitting = [partial(np.transpose, axes=axes) for axes in orders] or fitting
    if fitting:
        numbers = [backward[side].gradient(value) for side, value in zip(SIDES, values, strict=True)]
        yield replace(Gradient("gradient", "", ""), numbers=(numbers[0], numbers[1]), turns=fitting, name=name)
