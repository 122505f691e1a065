"""Proves a weight map: with random numbers in all of it the networks agree in float64, or other readings are tried."""

from collections.abc import Iterator
from dataclasses import replace

from parity.interface.trace import Arrays
from parity.pair.weightmap import random_weights as weights
from parity.pair.weightmap.alternatives import NativeArrays, Option, alternatives
from parity.pair.weightmap.flattened_use import flattened_by_use
from parity.pair.weightmap.inside import Inside
from parity.pair.weightmap.pairing.pairings import WeightMap, crossed_names
from parity.pair.weightmap.proof import Proof, ProofPass, Runs, Standing
from parity.pair.weightmap.use import turned_by_use

BUDGET = 48
"""Readings that are tried at most until a better one is met: passes of the Flax network, which is compiled once for all
of them."""
OTHERS = 80
"""Readings of each other map that are tried at most. Where they do not suffice, the map itself has been decided on."""


class Prover:
    """Tries readings of a weight map until the networks agree.

    Args:
        runs: How passes are run.
        native: The users' own native arrays, which what is not mapped keeps.
        seed: The seed of the random numbers.
        budget: How many readings are tried at most; with 1 the given one alone.
    """

    def __init__(self, runs: Runs, native: NativeArrays, seed: int, budget: int = BUDGET) -> None:
        self._runs, self._native, self._seed = runs, native, seed
        self._tried, self._budget = 0, budget
        self._undecided: tuple[str, ...] = ()
        self._inside: Inside | None = None

    def prove(self, weight_map: WeightMap) -> Proof:
        """The proof of the map itself if the networks agree with it, else of the reading with which they agree
        longest."""
        torch = weights.random_weights(weight_map, self._native.torch, self._seed)
        native = weights.to_flax(weight_map, torch, self._native.flax)
        passed = ProofPass(
            self._runs.flax(native), self._runs.torch(torch), self._runs.torch_low(torch), self._runs.names
        )
        self._tried, self._undecided = self._tried + 1, ()
        if self._budget > 1 and not passed.same_outputs(weight_map) and self._runs.operations is not None:
            self._inside = Inside(*self._runs.operations, self._native.flax, torch)
            passed = self._with_inside(passed, native)
        best = self._read_better(weight_map, passed, torch)
        undecided, others = self._undecided, weight_map.others.values() if self._budget > 1 else ()
        for other in others:
            if best[1].same_outputs(best[0]):
                break
            self._budget = self._tried + OTHERS
            start = replace(other, others={})
            read = self._read_better(start, self._again(passed, start, torch), torch)
            if _is_better(read[0], read[1].standing(read[0]), best[0], best[1].standing(best[0])):
                best = read
        weight_map, passed = self._as_used(best, torch)
        flax_arrays, agrees = weights.to_flax(weight_map, torch, self._native.flax), passed.same_outputs(weight_map)
        self._undecided = () if agrees else undecided
        return Proof(weight_map, flax_arrays, torch, passed, agrees, self._undecided, self._tried)

    def _as_used(self, best: tuple[WeightMap, ProofPass], torch: Arrays) -> tuple[WeightMap, ProofPass]:
        """The map with its square arrays and what follows a flatten read as both networks use them, if the networks
        agree no less with it."""
        weight_map, passed = best
        programs = None if self._inside is None or passed.same_outputs(weight_map) else self._inside.programs
        used = weight_map if programs is None else flattened_by_use(turned_by_use(weight_map, *programs), *programs)
        if used is weight_map:
            return best
        again = self._again(passed, used, torch)
        return (used, again) if again.standing(used) >= passed.standing(weight_map) else best

    def _read_better(self, weight_map: WeightMap, passed: ProofPass, torch: Arrays) -> tuple[WeightMap, ProofPass]:
        """The map and its pass, with other readings of it as long as one of them is better."""
        step = self._budget - self._tried
        while self._budget > 1 and not passed.same_outputs(weight_map):
            better = self._better(weight_map, passed, torch)
            if better is None:
                break
            self._budget = self._tried + step
            weight_map, passed = better
        return weight_map, passed

    def _better(self, weight_map: WeightMap, passed: ProofPass, torch: Arrays) -> tuple[WeightMap, ProofPass] | None:
        """The first reading with which the networks agree longer than in the pass given, and its own pass."""
        standing = passed.standing(weight_map)
        options = [
            *weight_map.others.items(),
            *alternatives(weight_map, passed, standing.failing, self._native),
        ]
        for option, other in self._tried_out(options, passed, torch):
            if _is_better(option, other.standing(option), weight_map, standing):
                return replace(option, others={}), other
        return None

    def _tried_out(
        self, options: list[Option], passed: ProofPass, torch: Arrays
    ) -> Iterator[tuple[WeightMap, ProofPass]]:
        """Each reading with its pass, until the budget is spent; the names of the rest are kept as undecided."""
        for place, (_, option) in enumerate(options):
            if self._tried >= self._budget:
                self._undecided = tuple(name for name, _ in options[place:])
                return
            yield option, self._again(passed, option, torch)

    def _again(self, passed: ProofPass, weight_map: WeightMap, torch: Arrays) -> ProofPass:
        """The pass with Flax's side run again, with that map."""
        self._tried += 1
        native = weights.to_flax(weight_map, torch, self._native.flax)
        again = replace(passed, flax=self._runs.flax(native))
        return again if again.same_outputs(weight_map) else self._with_inside(again, native)

    def _with_inside(self, passed: ProofPass, native: Arrays) -> ProofPass:
        """The pass with the operations that agree with these native arrays of Flax's, counted."""
        if self._inside is None:
            return passed
        try:
            count = self._inside.agreeing(native)
        except Exception:  # what cannot be recorded operation by operation is told apart by its layers alone
            self._inside, count = None, 0
        return replace(passed, inside=count)


def _is_better(weight_map: WeightMap, standing: Standing, known: WeightMap, known_standing: Standing) -> bool:
    """Whether the networks agree longer with one map than with a known one, and not only because it pairs fewer
    arrays, nor by pairing layers against their names, which may only bring them together at the end."""
    decides = standing.same or (standing.near and not known_standing.near)
    against_names = len(crossed_names(weight_map)) > len(crossed_names(known))
    pairs_as_many = _arrays(weight_map) >= _arrays(known)
    return standing > known_standing and (decides or (pairs_as_many and not against_names))


def _arrays(weight_map: WeightMap) -> int:
    """How many arrays of both sides are paired: a map that pairs fewer has fewer layers that can fail to agree, which
    is no merit of it."""
    return sum(len(names) for names in _paired(weight_map))


def _paired(weight_map: WeightMap) -> tuple[set[str], set[str]]:
    arrays = [array for _, array in weight_map.arrays]
    return {name for a in arrays for name in a.flax.names}, {name for a in arrays for name in a.torch.names}
