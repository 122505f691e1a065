"""What a probe gives both networks: inputs and weights beyond the user's, of the kind that the user's are."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from parity.interface.observation import Call, Inputs
from parity.interface.trace import Arrays
from parity.pair.arrays.domain import SIZED, domain_of, resized
from parity.pair.arrays.inputs import changed, with_arrays
from parity.pair.passes.sides import SidePair
from parity.pair.rungs.probing.borders import at_borders, at_halves, beyond_limits, written_numbers
from parity.pair.rungs.probing.rows import TINY, TINY_ROWS, ZERO_ROWS, with_rows, without_biases
from parity.pair.rungs.probing.sizes import Resized, other_sizes
from parity.pair.rungs.probing.written_sizes import written_sizes
from parity.pair.weightmap import random_weights as weights
from parity.pair.weightmap.pairing.pairings import WeightMap

Rows = list[tuple[NDArray, int]]
"""Whole numbers that index tables, each with the number of rows of the smallest table that it indexes."""
MOST_DRAWS = 3
"""So often are other ids drawn, at most, until each has been there once."""
AT_BORDERS = "values at borders"
"""The name of the probes of numbers that the networks compare with."""
MOST_ROWS = 2**24
"""More numbers than that between a user's smallest and largest are no ids."""


@dataclass(frozen=True)
class Probe:
    """What is tried.

    Args:
        name: a few words that say what is tried.
        inputs: the inputs that both networks get.
        torch: PyTorch's arrays.
        parts: what is tried in its place where the networks refuse it, or do not agree on it.
        is_guess: whether nothing is to be said where neither network takes it.
        grows: whether its samples are larger than the user's, so that a network may read past the end of its tables.
        is_small: whether no number of it is large, so that what is not finite on one side alone has not overflowed.
    """

    name: str
    inputs: Inputs
    torch: Arrays
    parts: tuple["Probe", ...] = ()
    is_guess: bool = False
    grows: bool = False
    is_small: bool = False


def probes(weight_map: WeightMap, sides: SidePair, torch: Arrays, calls: tuple[Call, ...] = ()) -> Iterator[Probe]:
    """Other sizes of inputs and weights, the user's own weights, other ids and masks, another batch, odd and even
    sizes; and other inputs where the user's hide what a network does.

    Args:
        weight_map: the map.
        sides: the pair.
        torch: PyTorch's arrays.
        calls: PyTorch's calls on the user's inputs, which say what indexes which table.
    """
    inputs, rng = sides.inputs, np.random.default_rng([sides.seed, 8])
    domains = {domain_of(array) for array in floating_arrays(inputs)}
    if not all(map(_telling, floating_arrays(inputs))) or domains & {"unit"}:
        yield Probe("normal inputs", changed(inputs, lambda array: _anew(array, rng)), torch)
    if domains & SIZED:
        yield Probe("inputs × 0.01", resized(inputs, lambda a: (0.01 * a).astype(a.dtype)), torch)
        yield Probe("inputs × 30", resized(inputs, lambda a: (30.0 * a).astype(a.dtype)), torch)
        yield Probe("inputs + 10", resized(inputs, lambda a: (a + 10.0).astype(a.dtype)), torch)
    yield Probe("kernels × 3", inputs, weights.random_weights(weight_map, sides.torch.native, sides.seed + 1, 3.0))
    yield Probe("kernels × 30", inputs, weights.random_weights(weight_map, sides.torch.native, sides.seed + 2, 30.0))
    yield Probe("PyTorch's own weights", inputs, dict(sides.torch.native))
    yield from _ids(inputs, torch, list(_rows(weight_map, torch, calls)), rng)
    yield from _masks(inputs, torch)
    yield from _borders(weight_map, sides, torch, list(_rows(weight_map, torch, calls)))
    yield from _small_rows(inputs, without_biases(weight_map, torch))
    for other in other_sizes(inputs, written_sizes([*sides.flax.functions, *sides.torch.functions])):
        yield _of_size(other, torch)


def _small_rows(inputs: Inputs, torch: Arrays) -> Iterator[Probe]:
    """A sample of zeros and one of tiny numbers, by which it is told what is done to the zeros; that one alone where
    both networks are undefined for zeros. Biases are zero."""
    zero, tiny = with_rows(inputs, 0.0, TINY), with_rows(inputs, TINY)
    if zero is None or tiny is None:
        return
    alone = Probe(TINY_ROWS, tiny, torch, is_guess=True, is_small=True)
    yield Probe(ZERO_ROWS, zero, torch, (alone,), is_guess=True, is_small=True)


def _of_size(resized: Resized, torch: Arrays) -> Probe:
    parts = tuple(_of_size(part, torch) for part in resized.parts)
    return Probe(resized.name, resized.inputs, torch, parts, resized.is_guess, resized.grows)


def floating_arrays(inputs: Inputs) -> list[NDArray]:
    """The floating arrays among inputs, in order."""
    seen: list[NDArray] = []
    changed(inputs, lambda a: seen.append(a) or a)  # type: ignore[func-returns-value]
    return seen


def _anew(array: NDArray, rng: Generator) -> NDArray:
    """Normal numbers, or such as the domain has; what is 0 and 1 alone, or sums to one, stays."""
    domain = domain_of(array)
    if domain in ("mask", "shares"):
        return array
    drawn = rng.uniform(size=array.shape) if domain == "unit" else rng.standard_normal(array.shape)
    return (np.abs(drawn) if domain == "positive" and np.ptp(array) else drawn).astype(array.dtype)


def _telling(array: NDArray) -> bool:
    """Whether numbers are neither all alike nor of a size at which functions are flat or linear."""
    numbers = array[np.isfinite(array)].astype(np.float64)
    return bool(numbers.size) and bool(numbers.min() < numbers.max()) and 0.1 <= float(np.abs(numbers).max()) <= 100.0


def _rows(weight_map: WeightMap, torch: Arrays, calls: tuple[Call, ...]) -> Iterator[tuple[NDArray, int]]:
    """The whole numbers that PyTorch's embeddings were called with, and how many rows their tables have."""
    tables = {
        layer.torch.path: array.torch.names[0] for layer, array in weight_map.arrays if layer.torch.kind == "embedding"
    }
    for path, ids in indexing(calls, tables):
        yield ids, torch[tables[path]].shape[0]


def indexing(calls: Sequence[Call], paths: Collection[str]) -> Iterator[tuple[str, NDArray]]:
    """The whole numbers that layers were called with, with the paths of the layers.

    Args:
        calls: PyTorch's calls.
        paths: Paths of embeddings.
    """
    for call in calls:
        if call.path in paths and call.inputs and call.inputs[0].dtype.kind in "iu":
            yield call.path, call.inputs[0]


def _ids(inputs: Inputs, torch: Arrays, rows: Rows, rng: Generator) -> Iterator[Probe]:
    """The user's whole numbers in other places, and others: of all rows of the tables that they index, or between the
    smallest and the largest of the user's, each as often as the others."""
    ids: list[NDArray] = []
    with_arrays(inputs, lambda name, a: ids.append(a) or a if _is_whole(name, a) else a)  # type: ignore[func-returns-value]
    if not ids:
        return

    def permuted(name: str, array: NDArray) -> NDArray:
        return rng.permutation(array.ravel()).reshape(array.shape) if _is_whole(name, array) else array

    yield Probe("permuted ids", with_arrays(inputs, permuted), torch)
    orders = {id(array): rng.permutation(np.arange(*_range(array, rows))) for array in ids}
    for turn in range(min(MOST_DRAWS, max(-(-orders[id(array)].size // array.size) for array in ids))):

        def other(name: str, array: NDArray, turn: int = turn) -> NDArray:
            if not _is_whole(name, array):
                return array
            return np.resize(np.roll(orders[id(array)], -turn * array.size), array.shape).astype(array.dtype)

        yield Probe("other ids", with_arrays(inputs, other), torch)
    yield from _negative(inputs, torch, rows)


def _negative(inputs: Inputs, torch: Arrays, rows: Rows) -> Iterator[Probe]:
    """Whole numbers below zero, in the place of those that index no table: what they count or measure may be signed."""

    def is_free(name: str, array: NDArray) -> bool:
        signed = array.dtype.kind == "i" and _is_whole(name, array) and array.min() >= 0
        return signed and not any(np.array_equal(ids, array) for ids, _ in rows)

    free: list[NDArray] = []
    below = with_arrays(inputs, lambda name, a: free.append(a) or -1 - a if is_free(name, a) else a)  # type: ignore[func-returns-value]
    if free:
        yield Probe("negative numbers", below, torch, is_guess=True, grows=True)


def _range(array: NDArray, rows: Rows) -> tuple[int, int]:
    """The first id and the one after the last: of the table that they index, else of an image's bytes, else of the
    user's own."""
    sizes = [size for ids, size in rows if np.array_equal(ids, array)]
    if not sizes and array.dtype == np.uint8 and array.max() > 1:
        return 0, 256
    return (0, min(sizes)) if sizes else (int(array.min()), int(array.max()) + 1)


def _is_whole(name: str, array: NDArray) -> bool:
    spread = array.dtype.kind in "iu" and array.size > 1 and int(array.max()) - int(array.min()) < MOST_ROWS
    return spread and not _is_mask(name, array)


def _masks(inputs: Inputs, torch: Arrays) -> Iterator[Probe]:
    """Masks that let everything through, and that hide the end of every second sequence."""
    masks: list[NDArray] = []
    with_arrays(inputs, lambda name, a: masks.append(a) or a if _is_mask(name, a) else a)  # type: ignore[func-returns-value]
    if not masks:
        return
    yield Probe("full masks", with_arrays(inputs, lambda n, a: _full(a) if _is_mask(n, a) else a), torch)
    yield Probe("padded masks", with_arrays(inputs, lambda n, a: _padded(a) if _is_mask(n, a) else a), torch)


def _is_mask(name: str, array: NDArray) -> bool:
    if array.dtype.kind == "f":
        return domain_of(array) == "mask"
    return array.dtype == np.bool_ or ("mask" in name and array.dtype.kind in "iu" and set(np.unique(array)) <= {0, 1})


def _borders(weight_map: WeightMap, sides: SidePair, torch: Arrays, rows: Rows) -> Iterator[Probe]:
    """The user's inputs with numbers at the borders that the networks compare with."""
    written = written_numbers(sides, weights.to_flax(weight_map, torch, sides.flax.native), torch)
    numbers = written.compared

    def range_of(array: NDArray) -> tuple[int, int]:
        sizes = [size for ids, size in rows if np.array_equal(ids, array)]
        return (0, min(sizes)) if sizes else (min(0, int(array.min())), max(int(array.max()), *map(int, numbers)) + 2)

    made = [
        *(at_borders(sides.inputs, numbers, range_of, _is_mask) if numbers else ()),
        *(beyond_limits(sides.inputs, written.limits) if written.limits else ()),
        *(at_halves(sides.inputs) if written.rounds else ()),
    ]
    for other in made:
        yield Probe(AT_BORDERS, other, torch, is_guess=True)


def _full(array: NDArray) -> NDArray:
    """The mask with what most of the user's numbers are in all of it: that lets through, be it 1 or 0."""
    return np.full_like(array, 2 * np.count_nonzero(array) >= array.size)


def _padded(array: NDArray) -> NDArray:
    mask = _full(array)
    if mask.ndim:
        end = mask[::2, ..., -max(1, array.shape[-1] // 3) :]
        end[...] = 1 - mask.astype(np.int8).max(initial=0)
    return mask
