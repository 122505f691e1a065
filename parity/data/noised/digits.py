"""Digits with noise in them, and that noise: what a diffusion model learns from.

The steps and the noise are drawn here and are part of the batch, so that every framework is fed the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import generator
from parity.data.batch import Batch
from parity.data.images import Split
from parity.data.sources import Key, Order

STEPS = 1000
FIRST, LAST = 1e-4, 0.02
"""Variance of the noise that the first and the last of 1,000 steps add, in equal steps between: DDPM's."""
WHITE = 16
NO_CLASS_SHARE = 0.1
"""Part of the training images whose class is withheld, as DiT does, so that the network can do without."""
REPEATS = 8
"""Times that a test image is seen, at steps and with noise of its own: the error differs much from step to step."""
SPLITS = ("train", "test")


def signal() -> NDArray[np.float64]:
    """The part of an image's variance that is left after each step, (1000,), falling from almost 1 to almost 0.

    Source: https://arxiv.org/abs/2006.11239, the product of 1 − β.
    """
    return np.cumprod(1 - np.linspace(FIRST, LAST, STEPS), dtype=np.float64)


@dataclass(frozen=True)
class Draw:
    """What is drawn for some images: numbers of the steps, int64 (N,), noise of the images' shape, and whether each
    image's class is withheld, (N,)."""

    steps: NDArray[np.int64]
    noise: NDArray[np.float64]
    withheld: NDArray[np.bool_]


class Noised:
    """A source of images √s · x + √(1 − s) · noise with the numbers of their steps; the label is the noise.

    Images are from −1 to 1, float32 (B, H, W, C); steps are int64 (B,) from 0 to 999; the signal s falls with the step.

    Args:
        split: the images, uint8 (N, H, W, C) from 0 to 16.
        key: names the random streams of the split.
        shuffle: whether each epoch has an order, steps and noise of its own.
        labelled: whether the classes, int64 (B,), come too; 10 stands for none.
    """

    def __init__(self, split: Split, key: Key, *, shuffle: bool, labelled: bool) -> None:
        self._images = (split.images / (WHITE / 2) - 1).astype(np.float64)
        self._classes = split.labels
        self._labelled = labelled
        self._order = Order(len(split.labels), shuffle=shuffle)
        self._draws: dict[Key, Draw] = {}
        self._key = (*key, "evaluation")
        self.size = len(split.labels) * (1 if shuffle else REPEATS)

    def train(self, key: Key, start: int, stop: int) -> Batch:
        """Samples `start` to `stop` of the epoch named by `key`."""
        return self._noised(self._order.of(key)[np.arange(start, stop) % len(self._classes)], key, slice(start, stop))

    def evaluate(self, start: int, stop: int) -> Batch:
        """Samples `start` to `stop` in the set's own order; the steps are spread evenly over all that there are."""
        return self._noised(np.arange(start, stop) % len(self._classes), self._key, slice(start, stop))

    def _noised(self, indices: NDArray[np.int64], key: Key, cut: slice) -> Batch:
        drawn = self._drawn(key)
        steps, noise = drawn.steps[cut], drawn.noise[cut].astype(np.float32)
        kept = signal()[steps][:, None, None, None]
        images = (np.sqrt(kept) * self._images[indices] + np.sqrt(1 - kept) * noise).astype(np.float32)
        if not self._labelled:
            return Batch((images, steps), noise)
        return Batch((images, steps, np.where(drawn.withheld[cut], 10, self._classes[indices])), noise)

    def _drawn(self, key: Key) -> Draw:
        """What is drawn for the epoch named by `key`, kept for its other batches; evaluation withholds no class."""
        if key not in self._draws:
            evaluates, rng = key == self._key, generator(*key, "noise")
            even = rng.permutation(np.arange(self.size) * STEPS // self.size)
            steps = even if evaluates else rng.integers(0, STEPS, self.size)
            noise = rng.standard_normal((self.size, *self._images.shape[1:]))
            withheld = np.zeros(self.size, bool) if evaluates else rng.random(self.size) < NO_CLASS_SHARE
            self._draws = {key: Draw(steps, noise, withheld)}
        return self._draws[key]
