"""What both sides showed in one mode, compared layer by layer and result by result."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import rule_exact
from parity.checks.verdict import Finding, Verdict
from parity.interface.observation import PassResult, Returned
from parity.interface.trace import Arrays, Precision, call_names
from parity.pair.arrays.layout import ONE_FOR_ALL, RESHAPED, compare, floating, turn_by, turned, turns
from parity.pair.passes.both_sides import BothSides
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.noise import paired_draws
from parity.pair.passes.result_pairs import ResultPairs, steps
from parity.pair.passes.sides import PRECISIONS
from parity.report.records import Layer

VALUES, ENTRIES, KIND, SHAPE, RANDOM = "result", "set of results", "kind of number", "shape", "repetition"
SIZE = "size"
COMPUTED = "computed dtype"
"""Quantities of the findings on what the networks return, the last on the dtype in which they compute it."""
KINDS = {"floating": "floating numbers", "whole": "whole numbers", "truth": "truth values"}
MOST_PLACES = 3
"""Places at which numbers are drawn that are named."""


@dataclass(frozen=True)
class Compared:
    """One mode.

    Args:
        layers: those that are compared; they say where a difference begins, and convict nobody.
        results: findings on what the networks return, which convict.
        otherwise: layers that differ though the results agree: one side computes there what the other computes
            elsewhere (a norm of all tokens, or of the first one only), which is no difference of function.
    """

    layers: tuple[Layer, ...]
    results: tuple[Finding, ...]
    otherwise: tuple[Layer, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether numbers were compared and all that the networks return agree."""
        values = [finding for finding in self.results if finding.quantity == VALUES]
        return bool(values) and all(finding.verdict.passes for finding in values)

    @property
    def same(self) -> bool:
        """Whether nothing differs: no result, no layer, and no gradient of a layer."""
        layers = [f for layer in self.layers for f in (layer.finding, layer.gradient) if f is not None]
        return self.agrees and not self.otherwise and all(f.verdict.passes for f in (*self.results, *layers))


def compare_layers(pairings: Sequence[CallPairing], both: BothSides, pairs: ResultPairs, mode: str) -> Compared:
    """Compare every paired call's output and its gradient, and the results.

    Where a side is random nothing is compared: the one finding says that it is, and where it draws.

    Args:
        pairings: The calls that belong together, with the layout in which they fit.
        both: The passes of the mode, in both precisions.
        pairs: Which results belong together.
        mode: "evaluation" or "training".
    """
    returned = tuple(_results(both, pairs, mode))
    if pairs.noisy:
        return Compared((), returned)
    called = [call_names([c.path for c in seen["float64"].calls]) for seen in (both.flax, both.torch)]
    shown = [
        _layer(pairing, both, (called[0][pairing.pair.flax], called[1][pairing.pair.torch]), mode)
        for pairing in pairings
    ]
    return agreed(Compared(tuple(shown), returned))


def agreed(compared: Compared) -> Compared:
    """The comparison, with the layers that differ moved to `otherwise` if the results agree."""
    apart = [layer for layer in compared.layers if compared.agrees and not layer.finding.verdict.passes]
    layers = tuple(layer for layer in compared.layers if layer not in apart)
    return replace(compared, layers=layers, otherwise=(*compared.otherwise, *apart))


def first_apart(layers: Sequence[Layer]) -> int | None:
    """The place of the first layer that differs; None if none does. One whose output only has another shape, as it is
    padded here and cut afterwards there, or repeated over the batch, is passed over where what comes after it agrees
    and something differs later."""
    odd = [place for place, layer in enumerate(layers) if layer.finding.verdict is Verdict.DIFFERENT]
    for place, following in pairwise(odd):
        between = layers[place + 1 : following]
        if not (layers[place].finding.is_shape and any(layer.finding.verdict.passes for layer in between)):
            return place
    return odd[-1] if odd else None


def _layer(pairing: CallPairing, both: BothSides, names: tuple[str, str], mode: str) -> Layer:
    a, b = both.flax["float64"].calls[pairing.pair.flax], both.torch["float64"].calls[pairing.pair.torch]
    arrays = {p: _outputs(both, pairing, p) for p in PRECISIONS}
    finding = compare(
        "output",
        names[1] or "network",
        *arrays["float64"],
        arrays["float32"][1],
        arrays["float32"][0],
        mode=mode,
    )
    return Layer(
        *names,
        f"{a.type} / {b.type}",
        mode,
        arrays["float64"][1].shape,
        finding,
        _inherited(a.inputs, b.inputs),
        _gradient(pairing, both, names[1] or "network", mode),
    )


def _outputs(both: BothSides, pairing: CallPairing, precision: Precision) -> tuple[NDArray, NDArray]:
    ours = floating(both.flax[precision].calls[pairing.pair.flax].outputs)[pairing.leaf_flax]
    theirs = floating(both.torch[precision].calls[pairing.pair.torch].outputs)[pairing.leaf_torch]
    return turn_by(pairing.turn, ours, theirs.shape), theirs


def _gradient(pairing: CallPairing, both: BothSides, name: str, mode: str) -> Finding | None:
    gradients = []
    for precision in PRECISIONS if pairing.turn != ONE_FOR_ALL else ():
        ours = _gradients(both.flax[precision], pairing.pair.flax)[pairing.leaf_flax]
        theirs = _gradients(both.torch[precision], pairing.pair.torch)[pairing.leaf_torch]
        if ours is None or theirs is None:
            return None
        gradients.append((turn_by(pairing.turn, ours, theirs.shape), theirs))
    if not gradients:
        return None
    (a, b), (low_a, low_b) = gradients
    return compare("gradient of output", name, a, b, low_b, low_a, mode=mode, smooth=False)


def _gradients(seen: PassResult, place: int) -> list[NDArray | None]:
    call = seen.calls[place]
    if not call.gradients:
        return [None] * len(call.outputs)
    pairs = zip(call.outputs, call.gradients, strict=True)
    return [g for o, g in pairs if np.issubdtype(o.dtype, np.floating)]


def _inherited(ours: Sequence[NDArray], theirs: Sequence[NDArray]) -> float:
    """Gap between the first inputs, relative to their size; that between others if it is smaller. Whole numbers count
    where there are no others."""
    gaps = [_gap(a, b) for b in floating(theirs)[:2] for a in floating(ours)[:2]]
    whole = [_whole_gap(a, b) for b in theirs for a in ours if a.dtype.kind in "iu" and b.dtype.kind in "iu"]
    return min(gaps or whole, default=0.0)


def _whole_gap(a: NDArray, b: NDArray) -> float:
    """0 where whole numbers are equal, as one side may repeat them over the batch, or where they cannot be held against
    each other; else 1."""
    if a.size == b.size:
        return float(not np.array_equal(a.ravel(), b.ravel()))
    try:
        return float((a != b).any())
    except ValueError:
        return 0.0


def _gap(a: NDArray, b: NDArray) -> float:
    turn = turned(a, b, inside=True)
    if turn is None:
        return np.inf
    with np.errstate(all="ignore"):
        gap, size = float(np.linalg.norm((turn[1](a) - b).ravel())), float(np.linalg.norm(b.ravel()))
    return gap / size if size else gap


def _results(both: BothSides, pairs: ResultPairs, mode: str) -> Iterator[Finding]:
    """Whether the results are random, then what their trees look like, then their numbers."""
    yield from drawn(pairs, mode)
    if pairs.noisy:
        return
    yield from trees(pairs, mode)
    flax, torch = ({p: seen[p].outputs for p in PRECISIONS} for seen in (both.flax, both.torch))
    values = list(results(VALUES, pairs, flax, torch, mode))
    yield from values
    if not values:
        yield Finding(VALUES, "network", Verdict.INCONCLUSIVE, np.inf, reason=_nothing(pairs), mode=mode)


def drawn(pairs: ResultPairs, mode: str) -> Iterator[Finding]:
    """A finding that a network returns other numbers each time it is called, if one does.

    The networks are different if only one of them does so in evaluation. If both do, or if it happens in training,
    there is nothing to rule on, and the finding is inconclusive.
    """
    places = {"Flax": pairs.flax.random, "PyTorch": pairs.torch.random}
    random = {side: where for side, where in places.items() if where}
    if not random:
        return
    words = "; ".join(f"{side}'s network draws numbers at {_listed(where)}" for side, where in random.items())
    reason = f"random: {words}, and gives another result at each call in {mode}{_sharing(pairs)}"
    only = mode == "evaluation" and len(random) == 1
    if only:
        reason += f"; {next(side for side in places if side not in random)}'s does not"
    verdict = Verdict.DIFFERENT if only else Verdict.INCONCLUSIVE
    yield Finding(RANDOM, "network", verdict, np.inf, reason=reason, mode=mode)


def _sharing(pairs: ResultPairs) -> str:
    """What to do where both sides draw the same, so that they can be given the same numbers."""
    if not pairs.flax.draws or paired_draws(pairs.flax.draws, pairs.torch.draws) is None:
        return ""
    return '; dropout="shared" gives both the same numbers'


def _listed(places: Sequence[str]) -> str:
    rest = f" and {len(places) - MOST_PLACES} other places" if len(places) > MOST_PLACES else ""
    return ", ".join(places[:MOST_PLACES]) + rest


def trees(pairs: ResultPairs, mode: str) -> Iterator[Finding]:
    """How the results differ before their numbers are looked at: entries, kinds of numbers, shapes.

    Args:
        pairs: Which results belong together, and which have no partner.
        mode: "evaluation" or "training", for the findings.
    """
    lone = {"Flax": pairs.lone_flax, "PyTorch": pairs.lone_torch}
    if any(lone.values()):
        words = "; ".join(
            f"only {side} returns {', '.join(map(_entry, names))}" for side, names in lone.items() if names
        )
        yield Finding(ENTRIES, "network", Verdict.DIFFERENT, np.inf, reason=words, mode=mode)
    elif pairs.renamed and any(steps(a) != steps(b) and steps(a) and steps(b) for a, b in pairs.pairs):
        words = "; ".join(f"{_entry(a)} in Flax, {_entry(b)} in PyTorch" for a, b in pairs.pairs)
        yield Finding(ENTRIES, "network", Verdict.DIFFERENT, np.inf, reason=words, mode=mode)
    for a, b in pairs.other_kinds:
        words = f"{KINDS[pairs.flax.leaves[a].kind]} in Flax, {KINDS[pairs.torch.leaves[b].kind]} in PyTorch"
        yield Finding(KIND, b or "network", Verdict.DIFFERENT, np.inf, reason=words, mode=mode)
    for a, b in pairs.pairs:
        ours, theirs = pairs.flax.leaves[a].shape, pairs.torch.leaves[b].shape
        if not in_one_shape(ours, theirs):
            quantity = SHAPE if prod(ours) == prod(theirs) else SIZE
            yield Finding(quantity, b or "network", Verdict.DIFFERENT, np.inf, reason=shapes(ours, theirs), mode=mode)


def in_one_shape(flax: tuple[int, ...], torch: tuple[int, ...]) -> bool:
    """Whether results of these shapes are of one shape, up to the layout that each framework keeps them in."""
    return any(not name.endswith(RESHAPED) for name, _ in turns(flax, torch))


def _entry(name: str) -> str:
    return name or "an array"


def shapes(flax: tuple[int, ...], torch: tuple[int, ...]) -> str:
    """Both shapes of a result and, where the numbers are as many, what makes them one."""
    words = f"{flax} in Flax, {torch} in PyTorch"
    return f"{words}: reshape it in one of them" if prod(flax) == prod(torch) else words


def _nothing(pairs: ResultPairs) -> str:
    sides = {"Flax": pairs.flax, "PyTorch": pairs.torch}
    return f"nothing was compared: {', '.join(f'{side} returns {_returns(s)}' for side, s in sides.items())}"


def _returns(side: Returned) -> str:
    types = dict.fromkeys(leaf.type or "numbers" for leaf in side.leaves.values())
    return ", ".join(types) or "None"


def results(
    quantity: str, pairs: ResultPairs, flax: Mapping[Precision, Arrays], torch: Mapping[Precision, Arrays], mode: str
) -> Iterator[Finding]:
    """Findings on the numbers that the networks return, leaf by leaf, in PyTorch's layout.

    Whole numbers and truth values are to be equal, floating numbers equal to rounding.

    Args:
        quantity: What the leaves are called in the report.
        pairs: Which results belong together.
        flax, torch: Each side's results by precision and name.
        mode: "evaluation" or "training", for the findings.
    """
    exact = set(pairs.exact[1])
    for a, b in pairs.pairs:
        (ours, theirs), (ours_low, theirs_low) = ((flax[p][a], torch[p][b]) for p in PRECISIONS)
        turn = turned(ours, theirs)
        if turn is not None:
            ours, ours_low = turn[1](ours), turn[1](ours_low)
        if b in exact:
            yield rule_exact(quantity, b or "network", {"flax": ours, "torch": theirs}, mode=mode)
        else:
            yield compare(quantity, b or "network", ours, theirs, theirs_low, ours_low, mode=mode)
