"""Gradients of the inputs, told of the user's own arrays, whatever order and layout each side is given them in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from numpy.typing import NDArray

from parity.checks.verdict import Finding
from parity.pair.arrays.layout import compare
from parity.pair.arrays.origins import Origins, origins, spans
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.sides import PRECISIONS, SidePair

Span = tuple[int, int, tuple[int, ...]]


@dataclass(frozen=True)
class SharedInputs:
    """What both sides are given of the user's floating numbers.

    Args:
        flax, torch: the numbers of the user that each side's inputs come from.
        judged: name of an input → its first place, the one after its last, and its shape; only inputs whose gradients
            can be compared.
        size: number of all floating numbers of the user.
        notes: a sentence for each input whose gradient cannot be compared.
    """

    flax: Origins = field(default_factory=Origins)
    torch: Origins = field(default_factory=Origins)
    judged: Mapping[str, Span] = field(default_factory=dict)
    size: int = 0
    notes: tuple[str, ...] = ()


def given_of(sides: SidePair, both: BothSides) -> SharedInputs:
    """What the adapters of a pair do with the inputs, as far as there are gradients of what they make.

    Args:
        sides: The two sides with the user's inputs and adapters.
        both: The passes of one mode with gradients, from which it is read what of the inputs has one.
    """
    every = spans(sides.inputs)
    pair = sides.pair_inputs
    ours, theirs = origins(pair.shared, pair.to_flax), origins(pair.shared, pair.to_torch)
    if ours is None or theirs is None:
        side = "to_flax" if ours is None else "to_torch"
        return SharedInputs(notes=(f"the gradients of the inputs are not compared: {side} cannot be followed",))
    ours = ours.among(both.flax["float64"].input_gradients)
    theirs = theirs.among(both.torch["float64"].input_gradients)
    judged, notes = {}, []
    for number, (name, span) in enumerate(every.items()):
        if why := _hindrance(number, span, {"to_flax": ours, "to_torch": theirs}):
            notes.append(f"the gradient of the input {name} is not compared: {why}")
        else:
            judged[name] = span
    return SharedInputs(ours, theirs, judged, sum(stop - start for start, stop, _ in every.values()), tuple(notes))


def _hindrance(number: int, span: Span, sides: Mapping[str, Origins]) -> str:
    """Why an input cannot be compared, if so."""
    for name, side in sides.items():
        if number in side.computed:
            return f"{name} computes with it"
        if not side.gives(*span[:2]):
            return f"{name} leaves it out"
    return ""


def input_gradients(both: BothSides, shared: SharedInputs, mode: str) -> Iterator[Finding]:
    """The gradient with respect to every input that both sides are given, in the user's own order and layout.

    Args:
        both: The passes of one mode, with gradients.
        shared: What each side's inputs come from; its `judged` says which are compared.
        mode: "evaluation" or "training", for the findings.
    """
    if not shared.judged:
        return
    flat = {
        (side, p): origin.gather(getattr(both, side)[p].input_gradients, shared.size)
        for side, origin in (("flax", shared.flax), ("torch", shared.torch))
        for p in PRECISIONS
    }
    for name, (start, stop, shape) in shared.judged.items():
        parts: dict[tuple[str, str], NDArray] = {key: a[start:stop].reshape(shape) for key, a in flat.items()}
        a, b, low_a, low_b = (parts[side, p] for p in PRECISIONS for side in ("flax", "torch"))
        yield compare("gradient of input", name, a, b, low_b, low_a, mode=mode, smooth=False)
