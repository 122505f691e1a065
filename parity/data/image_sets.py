"""The sets of images by name, an image folder among them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from parity.data.cifar10 import load_cifar10
from parity.data.digits import load_digits
from parity.data.fashion_mnist import load_fashion_mnist
from parity.data.folder.source import FOLDER, KEPT, is_folder, load_image_folder
from parity.data.images import ImageSet
from parity.errors import UsageError, unknown_name

SIDE = 32
"""Height and width of the images of every set, and so of those that the image networks take."""
Loader = Callable[[str | Path | None, bool], ImageSet]
LOADERS: Mapping[str, Loader] = {
    "digits": lambda folder, download: load_digits(),
    "fashion-mnist": lambda folder, download: load_fashion_mnist(folder, fetch=download),
    "cifar10": lambda folder, download: load_cifar10(folder, fetch=download),
}
"""Name of a set → what loads it from the folder of its files, and fetches them if it may."""
IMAGE_NAMES = tuple(LOADERS)


def is_images(name: str) -> bool:
    """Whether a data set is one of images: one of the named ones, or an image folder."""
    return name in LOADERS or is_folder(name)


def unknown_images(name: str) -> UsageError:
    """Make the error for a set of images that is not known."""
    return unknown_name("set of images", name, (*IMAGE_NAMES, FOLDER))


def title(name: str) -> str:
    """The name of a data set in records and figures: for an image folder the folder's, for another set its own.

    A folder that has the name of one of the sets that are verified is called NAME-folder.
    """
    match = KEPT.fullmatch(name)
    if match is None:
        return name
    return f"{match[1]}-folder" if match[1] in LOADERS else match[1]


def load_images(name: str, *, folder: str | Path | None = None, download: bool = False) -> ImageSet:
    """Load a set of images: "digits", "fashion-mnist", "cifar10", or "folder", whose images are brought to 32×32.

    Args:
        name: name of the set.
        folder: folder of its files; each loader says where it looks by default. The digits need no file; an image
            folder has no default.
        download: whether to fetch the files, if they are not there, into `folder` or the project's data folder.

    Raises:
        UsageError: there is no such set, or its files are missing, damaged or cannot be fetched.
    """
    if is_folder(name):
        return load_image_folder(folder, name=name, size=SIDE)
    if name not in LOADERS:
        raise unknown_images(name)
    return LOADERS[name](folder, download)
