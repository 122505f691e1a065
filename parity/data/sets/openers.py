"""The openers of the data sets: each turns what was asked for into a source of batches."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from parity.data import points
from parity.data.arguments import generator, integer
from parity.data.batch import Batch
from parity.data.digits import load_small_digits
from parity.data.graphs import digits as graphs
from parity.data.image_sets import load_images
from parity.data.latent import digits as latent
from parity.data.noised import digits as noised
from parity.data.palindromes import DIGITS, TEST_SAMPLES, check_encoding, check_length, palindromes
from parity.data.rollouts.collect import Experience, random_rollout
from parity.data.sources import Arrays, Endless, Finite, Images, Key
from parity.data.text import documentation as text
from parity.data.text.masked import MaskedLines
from parity.errors import UsageError, unknown_name

CLASSES = 2
"""Classes of the points, and actions of the cart's agent."""


@dataclass(frozen=True)
class Request:
    """What `parity.data.open_stream` is asked for, as far as it is for the opener of a set.

    Args:
        name, split, seed, length, encoding, folder, download, augment, classes: its arguments.
    """

    name: str
    split: str
    seed: int
    length: int | None = None
    encoding: str | None = None
    folder: str | Path | None = None
    download: bool = False
    augment: bool | None = None
    classes: int | None = None

    @property
    def key(self) -> Key:
        """Name of the random streams of a set that has no further number."""
        return self.name, self.split, self.seed

    @property
    def trains(self) -> bool:
        """Whether the split is the one to train on, whose order is another one in every epoch."""
        return self.split == "train"


@dataclass(frozen=True)
class Opened:
    """An opened split of a data set.

    Args:
        name: the set's name; an image folder has its full name.
        source: the source of the batches.
        num_classes: number of classes.
        key: name of the random streams.
    """

    name: str
    source: Finite | Endless
    num_classes: int
    key: Key


Opener = Callable[[Request], Opened]


def _require_split(request: Request, known: Iterable[str], owner: str = "") -> None:
    """Require that the split is one of those that are known; the error names the set, or another owner of splits."""
    if request.split not in known:
        raise unknown_name(f"split of {owner or request.name}", request.split, known)


def open_points(request: Request) -> Opened:
    """Open blobs, moons or circles."""
    _require_split(request, points.SPLITS)
    inputs, labels = points.POINTS[request.name](request.seed)
    part = points.SPLITS[request.split]
    source = Arrays(Batch(inputs[part], labels[part]), shuffle=request.trains)
    return Opened(request.name, source, CLASSES, request.key)


def open_palindromes(request: Request) -> Opened:
    """Open palindromes: without end to train on, and a set of them for the test."""
    length, encoding = check_length(request.length), check_encoding(request.encoding)
    _require_split(request, ("train", "test"))
    key = (*request.key, length)
    if request.trains:
        return Opened(request.name, Endless(length, encoding), DIGITS, key)
    samples = palindromes(TEST_SAMPLES, length, generator(*key), encoding=encoding)
    return Opened(request.name, Arrays(samples, shuffle=False), DIGITS, key)


def open_text(request: Request, samples: Callable[[str, int | None], Batch]) -> Opened:
    """Open a text.

    Args:
        request: what is asked for.
        samples: gives the windows or the lines of a split, each of a length.
    """
    key = _text_key(request)
    return Opened(request.name, Arrays(samples(request.split, request.length), shuffle=request.trains), text.BYTES, key)


def open_masked_text(request: Request) -> Opened:
    """Open lines of a text of which some bytes are hidden."""
    key = _text_key(request)
    return Opened(request.name, MaskedLines(request.split, request.length), text.BYTES, key)


def _text_key(request: Request) -> Key:
    length = integer("length of the text", request.length, least=1)  # type: ignore[arg-type] # None gives the same error
    _require_split(request, text.SPLITS, "text")
    return *request.key, length


def open_latent(request: Request) -> Opened:
    """Open digits with noise beside them."""
    _require_split(request, latent.SPLITS)
    source = latent.LatentDigits(request.split, request.length)
    length = integer("length of the noise", request.length, least=1)  # type: ignore[arg-type] # None gave an error above
    return Opened(request.name, source, DIGITS, (*request.key, length))


def open_noised(request: Request, *, labelled: bool) -> Opened:
    """Open digits with noise in them; `labelled` says whether their classes come too."""
    _require_split(request, noised.SPLITS)
    split = load_small_digits().splits[request.split]
    source = noised.Noised(split, request.key, shuffle=request.trains, labelled=labelled)
    return Opened(request.name, source, DIGITS, request.key)


def open_graphs(request: Request) -> Opened:
    """Open digits as graphs."""
    _require_split(request, graphs.SPLITS, "graphs")
    source = Arrays(graphs.digit_graphs(request.split), shuffle=request.trains)
    return Opened(request.name, source, graphs.CLASSES, request.key)


def open_rollout(request: Request) -> Opened:
    """Open the steps of a random policy."""
    _require_split(request, ("train",), "a rollout")
    return Opened(request.name, Experience(random_rollout("CartPole-v1", request.seed)), CLASSES, request.key)


def open_images(request: Request) -> Opened:
    """Open a set of images, or an image folder.

    Raises:
        UsageError: the folder has more classes than are asked for.
    """
    images = load_images(request.name, folder=request.folder, download=request.download)
    _require_split(request, images.splits)
    most, count = request.classes, images.num_classes
    if most is not None and count > most:
        raise UsageError(
            f"{request.folder} has {count} classes, and the network tells {most} apart; give at most {most}"
        )
    augment = request.trains if request.augment is None else request.augment
    source = Images(images.splits[request.split], shuffle=request.trains, augment=augment)
    return Opened(images.name, source, count, (images.name, request.split, request.seed))
