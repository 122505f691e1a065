"""Random cotangents of what the networks return, the same on both sides."""

import numpy as np

from parity.interface.random import moved, single
from parity.interface.trace import Arrays
from parity.pair.passes.results import Results


class Cotangents:
    """The cotangents of both sides by leaf, each in its side's own layout, float64 arrays of float32's numbers.

    Args:
        seed: The seed of the draw.
        results: What the networks return.
        torch: The cotangents of PyTorch's leaves, where they are not to be drawn.
    """

    def __init__(self, seed: int, results: Results, torch: Arrays | None = None) -> None:
        self._seed, self._results, self._torch = seed, results, torch
        self._flax: tuple[tuple[str | None, ...], Arrays] | None = None

    @property
    def torch(self) -> Arrays:
        """Those of PyTorch's leaves."""
        if self._torch is None:
            generator = np.random.default_rng([self._seed, 3])
            shapes = self._results.shapes[1]
            self._torch = {name: single(generator.standard_normal(shape)) for name, shape in shapes.items()}
        return self._torch

    @property
    def flax(self) -> Arrays:
        """Those of Flax's leaves; made again where the layouts of the results have changed."""
        turns = self._results.turns
        if self._flax is None or self._flax[0] != turns:
            self._flax = turns, self._results.in_flax(self.torch)
        return self._flax[1]

    def moved(self, generator: np.random.Generator) -> "Cotangents":
        """The same with every number moved by one float64 ulp, up or down at random."""
        torch = {name: moved(array, generator) for name, array in self.torch.items()}
        return Cotangents(self._seed, self._results, torch)

    def of(self, results: Results) -> "Cotangents":
        """The same cotangents for a changed pair of networks, which returns leaves of the same shapes."""
        return Cotangents(self._seed, results, self._torch)
