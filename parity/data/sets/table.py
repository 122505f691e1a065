"""The table of the data sets: what each takes, what it can be evaluated on, and its opener."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from parity.data.folder.source import FOLDER, is_folder
from parity.data.image_sets import IMAGE_NAMES
from parity.data.points import POINTS
from parity.data.sets import openers
from parity.data.sets.openers import Opened, Opener, Request
from parity.data.text.documentation import windows
from parity.data.text.lines import lines
from parity.errors import UsageError, unknown_name


@dataclass(frozen=True)
class DataSet:
    """A data set.

    Args:
        opener: opens a split of it.
        evaluated: splits that a network can be evaluated on.
        has_length, has_encoding, is_augmented: whether the arguments of that name of `parity.data.open_stream` are for
            this set.
    """

    opener: Opener
    evaluated: tuple[str, ...] = ("train", "test")
    has_length: bool = False
    has_encoding: bool = False
    is_augmented: bool = False

    def open(self, request: Request) -> Opened:
        """Open a split.

        Raises:
            UsageError: what is asked for does not go with the set, or the data are missing or damaged.
        """
        name, length, encoding = request.name, request.length, request.encoding
        if length is not None and not self.has_length:
            raise UsageError(f"{name} take no length, got {length}; only palindromes, text and noise have one")
        if encoding is not None and not self.has_encoding:
            raise UsageError(f"{name} take no encoding, got {encoding!r}; only palindromes have one")
        if request.augment and not self.is_augmented:
            raise UsageError(f"{name} cannot be augmented; only {', '.join((*IMAGE_NAMES, FOLDER))} can")
        return self.opener(request)


IMAGES = DataSet(openers.open_images, ("train", "validation", "test"), is_augmented=True)
DATA_SETS: Mapping[str, DataSet] = {
    **dict.fromkeys(POINTS, DataSet(openers.open_points)),
    "palindromes": DataSet(openers.open_palindromes, ("test",), has_length=True, has_encoding=True),
    **dict.fromkeys(IMAGE_NAMES, IMAGES),
    "python-docs": DataSet(partial(openers.open_text, samples=windows), has_length=True),
    "python-docs-lines": DataSet(partial(openers.open_text, samples=lines), has_length=True),
    "python-docs-masked": DataSet(openers.open_masked_text, has_length=True),
    "latent-digits": DataSet(openers.open_latent, has_length=True),
    "noised-digits": DataSet(partial(openers.open_noised, labelled=False)),
    "noised-labelled-digits": DataSet(partial(openers.open_noised, labelled=True)),
    "digit-graphs": DataSet(openers.open_graphs),
    "cartpole": DataSet(openers.open_rollout, ("train",)),
}
"""Name → data set; an image folder, whose name is its own, is one of `IMAGES`."""
DATA_NAMES = tuple(DATA_SETS)


def data_set(name: str) -> DataSet:
    """The data set of a name.

    Raises:
        UsageError: there is none.
    """
    if is_folder(name):
        return IMAGES
    if name not in DATA_SETS:
        raise unknown_name("data set", name, (*DATA_NAMES, FOLDER))
    return DATA_SETS[name]
