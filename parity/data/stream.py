"""The same batches for every framework: each a pure function of names and numbers, so any of them can be had again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from parity.data import points
from parity.data.arguments import SEED_LIMIT, generator, integer
from parity.data.batch import Batch
from parity.data.digits import load_small_digits
from parity.data.folder.source import FOLDER
from parity.data.graphs import digits as graphs
from parity.data.latent import digits as latent
from parity.data.noised.digits import SPLITS as NOISED_SPLITS
from parity.data.noised.digits import Noised
from parity.data.palindromes import DIGITS, TEST_SAMPLES, Encoding, check_encoding, check_length, palindromes
from parity.data.registry import (
    DATA_NAMES,
    GRAPH_NAMES,
    IMAGE_NAMES,
    LATENT_NAMES,
    NOISED_NAMES,
    ROLLOUT_NAMES,
    TEXT_NAMES,
    is_images,
    load_images,
)
from parity.data.rollouts.collect import Experience, random_rollout
from parity.data.sources import Arrays, Endless, Finite, Images, Key
from parity.data.text import documentation as text
from parity.data.text.lines import lines
from parity.data.text.masked import MaskedLines
from parity.errors import UsageError, unknown_name


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
    if name not in DATA_NAMES and not is_images(name):
        raise unknown_name("data set", name, (*DATA_NAMES, FOLDER))
    batch_size = integer("batch size", batch_size, least=1)
    seed = integer("seed", seed, least=0, below=SEED_LIMIT)
    _require_fitting(name, length, encoding, augment)
    key: Key = (name, split, seed)
    source: Finite | Endless
    most, classes = classes, 2
    if name == "palindromes":
        length = check_length(length)
        key, classes = (*key, length), DIGITS
        source = _open_palindromes(split, length, check_encoding(encoding), key)
    elif name in TEXT_NAMES:
        key, classes = (*key, integer("length of the text", length, least=1)), text.BYTES  # type: ignore[arg-type] # as above
        source = _open_text(name, split, length)
    elif name in LATENT_NAMES:
        source = _open_latent(name, split, length)
        key, classes = (*key, integer("length of the noise", length, least=1)), DIGITS  # type: ignore[arg-type] # as above
    elif is_images(name):
        name, source, classes = _open_images(name, split, folder, download, augment)
        key = (name, split, seed)
        if most is not None and classes > most:
            raise UsageError(f"{folder} has {classes} classes, and the network tells {most} apart; give at most {most}")
    elif name in NOISED_NAMES:
        source, classes = _open_noised(name, split, key), DIGITS
    elif name in GRAPH_NAMES:
        source, classes = _open_graphs(split), graphs.CLASSES
    elif name in ROLLOUT_NAMES:
        source, classes = _open_rollout(split, seed), 2
    else:
        source = _open_points(name, split, seed)
    if isinstance(source, Endless):
        return Stream(name, split, batch_size, seed, classes, None, source, key)
    batch_size = min(batch_size, source.size)
    return Stream(name, split, batch_size, seed, classes, -(-source.size // batch_size), source, key)


def _require_fitting(name: str, length: int | None, encoding: str | None, augment: bool | None) -> None:
    """Require that the arguments go with the data set."""
    if length is not None and name not in ("palindromes", *TEXT_NAMES, *LATENT_NAMES):
        raise UsageError(f"{name} take no length, got {length}; only palindromes, text and noise have one")
    if encoding is not None and name != "palindromes":
        raise UsageError(f"{name} take no encoding, got {encoding!r}; only palindromes have one")
    if augment and not is_images(name):
        raise UsageError(f"{name} cannot be augmented; only {', '.join((*IMAGE_NAMES, FOLDER))} can")


def _open_points(name: str, split: str, seed: int) -> Arrays:
    if split not in points.SPLITS:
        raise unknown_name(f"split of {name}", split, points.SPLITS)
    inputs, labels = points.POINTS[name](seed)
    part = points.SPLITS[split]
    return Arrays(Batch(inputs[part], labels[part]), shuffle=split == "train")


def _open_text(name: str, split: str, length: int | None) -> Arrays | MaskedLines:
    if split not in text.SPLITS:
        raise unknown_name("split of text", split, text.SPLITS)
    if name == "python-docs-masked":
        return MaskedLines(split, length)
    whole = text.windows if name == "python-docs" else lines
    return Arrays(whole(split, length), shuffle=split == "train")


def _open_latent(name: str, split: str, length: int | None) -> latent.LatentDigits:
    if split not in latent.SPLITS:
        raise unknown_name(f"split of {name}", split, latent.SPLITS)
    return latent.LatentDigits(split, length)


def _open_noised(name: str, split: str, key: Key) -> Noised:
    if split not in NOISED_SPLITS:
        raise unknown_name(f"split of {name}", split, NOISED_SPLITS)
    return Noised(load_small_digits().splits[split], key, shuffle=split == "train", labelled=name == NOISED_NAMES[1])


def _open_graphs(split: str) -> Arrays:
    if split not in graphs.SPLITS:
        raise unknown_name("split of graphs", split, graphs.SPLITS)
    return Arrays(graphs.digit_graphs(split), shuffle=split == "train")


def _open_rollout(split: str, seed: int) -> Experience:
    if split != "train":
        raise unknown_name("split of a rollout", split, ("train",))
    return Experience(random_rollout("CartPole-v1", seed))


def _open_palindromes(split: str, length: int, encoding: Encoding, key: Key) -> Arrays | Endless:
    match split:
        case "train":
            return Endless(length, encoding)
        case "test":
            return Arrays(palindromes(TEST_SAMPLES, length, generator(*key), encoding=encoding), shuffle=False)
    raise unknown_name("split of palindromes", split, ("train", "test"))


def _open_images(
    name: str, split: str, folder: str | Path | None, download: bool, augment: bool | None
) -> tuple[str, Images, int]:
    data = load_images(name, folder=folder, download=download)
    if split not in data.splits:
        raise unknown_name(f"split of {name}", split, data.splits)
    train = split == "train"
    images = Images(data.splits[split], shuffle=train, augment=train if augment is None else augment)
    return data.name, images, data.num_classes
