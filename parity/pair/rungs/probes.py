"""Inputs and weights beyond the user's, each of which shows what others hide, where the networks take them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from parity.checks.verdict import Finding
from parity.interface.observation import Inputs
from parity.interface.trace import Arrays, Precision
from parity.pair.arrays.inputs import changed
from parity.pair.arrays.layout import compare, turned
from parity.pair.passes.sides import SidePair
from parity.pair.rungs.decisions import nudged, ruled_again
from parity.pair.weightmap import random_weights as draws
from parity.pair.weightmap.match import WeightMap
from parity.pair.weightmap.ties import clashes

PROBED = "result with "
"""What the quantity of a probe's finding begins with; then comes its name."""


@dataclass(frozen=True)
class Probe:
    """What is tried.

    Args:
        name: in words.
        inputs: for both.
        torch: PyTorch's arrays.
    """

    name: str
    inputs: Inputs
    torch: Arrays


def probes(match: WeightMap, couple: SidePair, torch: Arrays) -> Iterator[Probe]:
    """Other sizes of inputs and weights, the user's own weights, another batch, odd and even sizes, masks; and normal
    inputs where the user's hide what a network does."""
    inputs, rng = couple.inputs, np.random.default_rng([couple.seed, 8])
    if floats := _floats(inputs):
        if not all(map(_telling, floats)):
            yield Probe("normal inputs", changed(inputs, lambda a: rng.standard_normal(a.shape).astype(a.dtype)), torch)
        yield Probe("inputs × 0.01", changed(inputs, lambda a: (0.01 * a).astype(a.dtype)), torch)
        yield Probe("inputs × 30", changed(inputs, lambda a: (30.0 * a).astype(a.dtype)), torch)
        yield Probe("inputs + 10", changed(inputs, lambda a: (a + 10.0).astype(a.dtype)), torch)
    yield Probe("kernels × 3", inputs, draws.draw(match, couple.torch.native, couple.seed + 1, 3.0))
    yield Probe("PyTorch's own weights", inputs, dict(couple.torch.native))
    yield from _masks(inputs, torch)
    for name, resized in _resized(inputs):
        yield Probe(name, resized, torch)


def try_probe(probe: Probe, match: WeightMap, couple: SidePair) -> list[Finding] | str:
    """The findings on what the networks return, or why it could not be tried. A network whose results are random, or
    differ already in shape or kind, has none that a probe adds to."""
    if clash := clashes(match, "torch", probe.torch):
        return f"{probe.name}: not tried, {clash[0]} hold different numbers and Flax ties them"
    runs = _Runs(probe, match, couple)
    theirs, ours = runs.outputs("torch", "float64"), runs.outputs("flax", "float64")
    if isinstance(ours, str) or isinstance(theirs, str):
        return f"{probe.name}: not tried, {_refused(isinstance(ours, str), isinstance(theirs, str))}"
    low = runs.outputs("torch", "float32")
    if isinstance(low, str):
        return f"{probe.name}: not tried, PyTorch's network does not take it in float32"
    if any(not np.isfinite(a).all() for outputs in (ours, theirs) for a in outputs.values() if a.dtype.kind == "f"):
        return f"{probe.name}: not ruled on, there are numbers that are not finite"
    found = list(_findings(probe.name, couple, ours, theirs, low))
    if all(finding.verdict.passes for finding in found):
        return found
    return list(_findings(probe.name, couple, ours, theirs, low, runs.outputs("flax", "float32"), runs.moved()))


@dataclass(frozen=True)
class _Runs:
    """Passes of both sides on a probe."""

    probe: Probe
    match: WeightMap
    couple: SidePair

    def outputs(self, side: Literal["flax", "torch"], precision: Precision) -> Arrays | str:
        """What a side returns, or what it raised."""
        torch = self.probe.torch
        native = torch if side == "torch" else draws.carry(self.match, torch, self.couple.flax.native)
        look = self.couple.look
        return _attempt(lambda: look(side, native, "evaluation", precision, self.probe.inputs, False).outputs)

    def moved(self) -> list[tuple[Arrays, Arrays]]:
        """What both return from starts moved by what passes for rounding, for whole numbers to be ruled on."""
        if not self.couple.results("evaluation").exact[0]:
            return []
        return list(nudged(self.couple, self.match, self.probe.torch, "evaluation", self.probe.inputs))


def _refused(flax: bool, torch: bool) -> str:
    if flax and torch:
        return "neither network takes it"
    return f"{'Flax' if flax else 'PyTorch'}'s network does not take it though the other does"


def _findings(
    name: str,
    couple: SidePair,
    ours: Arrays,
    theirs: Arrays,
    low: Arrays,
    flax_low: Arrays | str = "",
    moved: Sequence[tuple[Arrays, Arrays]] = (),
) -> Iterator[Finding]:
    pairs = couple.results("evaluation")
    exact = set(pairs.exact[1])
    for a, b in pairs.pairs:
        if b in exact:
            found = ruled_again(b, ours[a], theirs[b], [(m[0][a], m[1][b]) for m in moved], None)
            yield replace(found, quantity=f"{PROBED}{name}", mode="evaluation")
            continue
        turn = turned(ours[a], theirs[b])
        flax, small = (ours[a], None if isinstance(flax_low, str) else flax_low[a])
        if turn is not None:
            flax, small = turn[1](flax), None if small is None else turn[1](small)
        found = compare("result", b or "network", flax, theirs[b], low[b], small, mode="evaluation")
        yield replace(found, quantity=f"{PROBED}{name}")


def _attempt(look: Callable[[], Mapping[str, NDArray]]) -> Arrays | str:
    """What a network returns, or what it raised: nobody knows what a user's network raises for other shapes."""
    try:
        return dict(look())
    except Exception as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__


def _floats(inputs: Inputs) -> list[NDArray]:
    seen: list[NDArray] = []
    changed(inputs, lambda a: seen.append(a) or a)  # type: ignore[func-returns-value]
    return seen


def _telling(array: NDArray) -> bool:
    """Whether numbers are neither all alike nor of a size at which functions are flat or linear."""
    found = array[np.isfinite(array)].astype(np.float64)
    return bool(found.size) and bool(found.min() < found.max()) and 0.1 <= float(np.abs(found).max()) <= 100.0


def _walk(tree: Any, change: Callable[[str, NDArray], NDArray], name: str = "") -> Any:
    if isinstance(tree, Mapping):
        return {key: _walk(item, change, str(key)) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_walk(item, change, name) for item in tree)
    return change(name, tree) if isinstance(tree, np.ndarray) else tree


def _every(inputs: Inputs, change: Callable[[str, NDArray], NDArray]) -> Inputs:
    return Inputs(_walk(inputs.args, change), _walk(dict(inputs.kwargs), change))


def _masks(inputs: Inputs, torch: Arrays) -> Iterator[Probe]:
    """Masks that let everything through, and that hide the end of every second sequence."""
    found: list[NDArray] = []

    def note(name: str, array: NDArray) -> NDArray:
        if _is_mask(name, array):
            found.append(array)
        return array

    _every(inputs, note)
    if not found:
        return
    yield Probe("full masks", _every(inputs, lambda n, a: np.ones_like(a) if _is_mask(n, a) else a), torch)
    yield Probe("padded masks", _every(inputs, lambda n, a: _padded(a) if _is_mask(n, a) else a), torch)


def _is_mask(name: str, array: NDArray) -> bool:
    return array.dtype == np.bool_ or ("mask" in name and array.dtype.kind in "iu" and set(np.unique(array)) <= {0, 1})


def _padded(array: NDArray) -> NDArray:
    mask = np.ones_like(array)
    mask[::2, ..., -max(1, array.shape[-1] // 3) :] = 0
    return mask


def _resized(inputs: Inputs) -> Iterator[tuple[str, Inputs]]:
    """One sample more, and images of one row and column less, so that even sizes become odd and odd ones even."""
    yield "one sample more", _every(inputs, lambda _, a: np.concatenate([a, a[:1]]) if a.ndim else a)
    images: list[NDArray] = []
    _every(inputs, lambda _, a: images.append(a) or a if _is_image(a) else a)  # type: ignore[func-returns-value]
    if images:
        parity = "odd" if images[0].shape[2] % 2 == 0 else "even"
        yield f"{parity} sizes", _every(inputs, lambda _, a: _cropped(a) if _is_image(a) else a)


def _is_image(array: NDArray) -> bool:
    return array.ndim == 4 and array.dtype.kind == "f" and array.shape[2] > 2


def _cropped(array: NDArray) -> NDArray:
    """Without the last row and column, whichever of the outer axes is the channels'."""
    last = array.shape[3] <= 4 or (array.shape[1] > 4 and array.shape[1] == array.shape[2])
    return array[:, :-1, :-1] if last else array[:, :, :-1, :-1]
