"""The same batches for every framework: each a pure function of names and numbers, so any of them can be had again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from parity.data.arguments import SEED_LIMIT, integer
from parity.data.batch import Batch
from parity.data.sets.openers import Request
from parity.data.sets.table import data_set
from parity.data.sources import Endless, Finite, Key
from parity.errors import UsageError


@dataclass(frozen=True)
class Stream:
    """Batches of one split of a data set; made by `open_stream`.

    Attributes:
        name, split, seed: the arguments of `open_stream`; an image folder has its full name.
        batch_size: examples in a batch, at most as many as the split has.
        num_classes: number of classes; labels run from 0 to one below.
        steps_per_epoch: batches in an epoch, the last of which may be smaller; None if the stream has no end.
    """

    name: str
    split: str
    batch_size: int
    seed: int
    num_classes: int
    steps_per_epoch: int | None
    _source: Finite | Endless
    _key: Key

    def batch(self, epoch: int, step: int) -> Batch:
        """The batch of one step, a function of epoch and step alone.

        In split "train" each epoch has an order of its own. No sample is left out: if the batch size does not divide
        the split, the last batch of an epoch is smaller.

        Args:
            epoch: number of the epoch, counted from 0.
            step: number of the step in the epoch, counted from 0, below `steps_per_epoch`.

        Raises:
            UsageError: epoch or step is negative, or there is no such step in an epoch.
        """
        epoch = integer("epoch", epoch, least=0)
        step = integer("step", step, least=0, below=self.steps_per_epoch)
        key = (*self._key, epoch)
        if isinstance(self._source, Endless):
            return self._source.draw(key, step, self.batch_size)
        start = step * self.batch_size
        return self._source.train(key, start, min(start + self.batch_size, self._source.size))

    def iterate(self, epoch: int = 0, step: int = 0) -> Iterator[Batch]:
        """Batches without end, from a step on, epoch after epoch; started anywhere, it goes on as if never stopped.

        Raises:
            UsageError: epoch or step is negative, or there is no such step in an epoch; before the first batch.
        """
        epoch = integer("epoch", epoch, least=0)
        return self._iterate(epoch, integer("step", step, least=0, below=self.steps_per_epoch))

    def passes(self) -> Iterator[Batch]:
        """One pass for evaluation: every sample once, in the split's order, never augmented; the last may be smaller.

        Raises:
            UsageError: the stream has no end.
        """
        if isinstance(self._source, Endless):
            raise UsageError(f"{self.name} in split {self.split!r} have no end to evaluate on; use split 'test'")
        return self._pass(self._source)

    def _iterate(self, epoch: int, step: int) -> Iterator[Batch]:
        while True:
            yield self.batch(epoch, step)
            step += 1
            if step == self.steps_per_epoch:
                epoch, step = epoch + 1, 0

    def _pass(self, source: Finite) -> Iterator[Batch]:
        for start in range(0, source.size, self.batch_size):
            yield source.evaluate(start, min(start + self.batch_size, source.size))


def open_stream(
    name: str,
    *,
    split: str = "train",
    batch_size: int,
    seed: int,
    length: int | None = None,
    encoding: str | None = None,
    folder: str | Path | None = None,
    download: bool = False,
    augment: bool | None = None,
    classes: int | None = None,
) -> Stream:
    """Open a split of a data set.

    Args:
        name: "blobs", "moons", "circles", "palindromes", "digits", "fashion-mnist", "cifar10", "python-docs",
            "python-docs-lines", "python-docs-masked", "latent-digits", "noised-digits", "noised-labelled-digits",
            "digit-graphs", "cartpole" (steps of a random policy) or "folder", which the stream then calls by its own
            name: see `parity.data.folder.source`.
        split: "train" or "test"; image sets also have "validation".
        batch_size: examples in a batch, at least 1; a number larger than the split means the whole split in one batch.
        seed: seed (0 to 2³² - 1) of all that is drawn: order, augmentation, and points and palindromes themselves.
            Which images a split holds does not depend on it.
        length: T of the palindromes, bytes of a text, or numbers of a digit's noise; for them only. Split "train" of
            palindromes is endless and fresh at every step; split "test" is a set of 2,000, drawn apart from it (short
            palindromes are few: some may be in both).
        encoding: "digits" (also None) or "one-hot" inputs of the palindromes; for them only.
        folder: folder of the images' files, as `load_images` takes it; sets that need no file ignore it.
        download: whether to fetch the files if they are not there.
        augment: whether `Stream.batch` augments images; None means in split "train" only.
        classes: the most that an image folder may have, since the network tells no more apart; None takes any number.

    Raises:
        UsageError: a name or split is unknown, a number is out of range, an argument does not go with the data set,
            or the data are missing or damaged.
    """
    data = data_set(name)
    batch_size = integer("batch size", batch_size, least=1)
    seed = integer("seed", seed, least=0, below=SEED_LIMIT)
    opened = data.open(Request(name, split, seed, length, encoding, folder, download, augment, classes))
    source, steps = opened.source, None
    if not isinstance(source, Endless):
        batch_size = min(batch_size, source.size)
        steps = -(-source.size // batch_size)
    return Stream(opened.name, split, batch_size, seed, opened.num_classes, steps, source, opened.key)
