"""scikit-learn's handwritten digits, each with noise of its own: what a variational autoencoder is fed."""

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import generator, integer, require_package
from parity.data.batch import Batch
from parity.data.digits import TEST, VALIDATION, WHITE
from parity.data.images import Split, hold_out
from parity.data.sources import Key, Order

SPLITS = ("train", "validation", "test")


class LatentDigits:
    """The digits of a split, 8 × 8 pixels of 0 to 1, with noise that is drawn anew for each epoch, once for evaluation.

    Args:
        split: "train", "validation" or "test", of the same digits as those of the set "digits".
        length: numbers Z of noise for each digit, at least 1.

    Raises:
        UsageError: scikit-learn is not there, or the length is below 1.
    """

    def __init__(self, split: str, length: int | None) -> None:
        self._latents = integer("length of the noise", length, least=1)  # type: ignore[arg-type] # None gives the same error
        self._images = images(split)
        self.size = len(self._images)
        self._order = Order(self.size, shuffle=split == "train")
        self._noise: dict[Key, NDArray[np.float32]] = {}

    def train(self, key: Key, start: int, stop: int) -> Batch:
        """Digits `start` to `stop` of the epoch named by `key`."""
        return self._take(key, self._order.of(key)[start:stop])

    def evaluate(self, start: int, stop: int) -> Batch:
        """Digits `start` to `stop` in their own order, with the same noise each time."""
        return self._take(("evaluation",), np.arange(start, stop))

    def _take(self, key: Key, indices: NDArray[np.int64]) -> Batch:
        """Inputs: images (B, 8, 8, 1) and noise (B, Z); labels: the pixels (B, 64). All are float32."""
        if key not in self._noise:
            noise = generator(*key, "noise").standard_normal((self.size, self._latents))
            self._noise = {key: noise.astype(np.float32)}
        taken = self._images[indices]
        return Batch((taken, self._noise[key][indices]), taken.reshape(len(taken), -1))


def images(split: str) -> NDArray[np.float32]:
    """The digits of a split as they come, (N, 8, 8, 1), with 16 made 1."""
    require_package("sklearn", "the data set latent-digits")
    from sklearn import datasets

    bunch = datasets.load_digits()
    rest, test = hold_out(Split(bunch.images[..., None].astype(np.uint8), bunch.target.astype(np.int64)), TEST)
    train, validation = hold_out(rest, VALIDATION)
    part = {"train": train, "validation": validation, "test": test}[split]
    return (part.images / WHITE).astype(np.float32)
