"""Random cotangents of what the networks return, the same on both sides."""

from collections.abc import Mapping

import numpy as np

from parity.interface.random import moved, single
from parity.interface.trace import Arrays
from parity.pair.passes.results import Results, Turns


class Cotangents:
    """The cotangents of both sides by mode and leaf, each in its side's own layout: float64 arrays of float32 numbers.

    Args:
        seed: The seed of the draw.
        results: What the networks return.
        torch: The cotangents of PyTorch's leaves, by mode, where they are not to be drawn.
    """

    def __init__(self, seed: int, results: Results, torch: Mapping[str, Arrays] | None = None) -> None:
        self._seed, self._results, self._torch = seed, results, dict(torch or {})
        self._flax: dict[str, tuple[Turns, Arrays]] = {}

    def torch(self, mode: str) -> Arrays:
        """The cotangents of PyTorch's floating leaves that are compared in a mode, by name, of the leaves' shapes."""
        if mode not in self._torch:
            generator, pairs = np.random.default_rng([self._seed, 3]), self._results.of(mode)
            shapes = {name: pairs.torch.leaves[name].shape for name in pairs.floating[1]}
            self._torch[mode] = {name: single(generator.standard_normal(shape)) for name, shape in shapes.items()}
        return self._torch[mode]

    def flax(self, mode: str) -> Arrays:
        """The cotangents of Flax's leaves, by name; made again where the layouts of the results have changed."""
        turns = self._results.turns(mode)
        if mode not in self._flax or self._flax[mode][0] != turns:
            self._flax[mode] = turns, self._results.in_flax(self.torch(mode), mode)
        return self._flax[mode][1]

    def moved(self, generator: np.random.Generator, mode: str) -> "Cotangents":
        """The same with every number of a mode's moved by one float64 ulp, up or down at random.

        Args:
            generator: Decides which way each number goes.
            mode: "evaluation" or "training"; the cotangents of the other mode stay.
        """
        torch = {name: moved(array, generator) for name, array in self.torch(mode).items()}
        return Cotangents(self._seed, self._results, {**self._torch, mode: torch})

    def of(self, results: Results) -> "Cotangents":
        """The same cotangents for a changed pair of networks, which returns leaves of the same shapes."""
        return Cotangents(self._seed, results, self._torch)
