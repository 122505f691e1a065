"""The data sets by name, and what each is made of."""

from pathlib import Path

from parity.data.folder.source import FOLDER, is_folder, load_image_folder
from parity.data.images import ImageSet
from parity.errors import UsageError, unknown_name

POINT_NAMES = ("blobs", "moons", "circles")
IMAGE_NAMES = ("digits", "fashion-mnist", "cifar10")
TEXT_NAMES = ("python-docs", "python-docs-lines", "python-docs-masked")
LATENT_NAMES = ("latent-digits",)
NOISED_NAMES = ("noised-digits", "noised-labelled-digits")
GRAPH_NAMES = ("digit-graphs",)
ROLLOUT_NAMES = ("cartpole",)
DATA_NAMES = (
    *POINT_NAMES,
    "palindromes",
    *IMAGE_NAMES,
    *TEXT_NAMES,
    *LATENT_NAMES,
    *NOISED_NAMES,
    *GRAPH_NAMES,
    *ROLLOUT_NAMES,
)
SIDE = 32
"""Height and width of the images of every set, and so of those that the image networks take."""


def is_images(name: str) -> bool:
    """Whether a data set is one of images: one of the named ones, or an image folder."""
    return name in IMAGE_NAMES or is_folder(name)


def unknown_images(name: str) -> UsageError:
    """Make the error for a set of images that is not known."""
    return unknown_name("set of images", name, (*IMAGE_NAMES, FOLDER))


def evaluation_splits(name: str) -> tuple[str, ...]:
    """Splits of a data set that a network can be evaluated on; palindromes to train on have no end."""
    if is_images(name):
        return ("train", "validation", "test")
    if name in ROLLOUT_NAMES:
        return ("train",)
    return ("test",) if name == "palindromes" else ("train", "test")


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
    from parity.data.cifar10 import load_cifar10
    from parity.data.digits import load_digits
    from parity.data.fashion_mnist import load_fashion_mnist

    if is_folder(name):
        return load_image_folder(folder, name=name, size=SIDE)
    match name:
        case "digits":
            return load_digits()
        case "fashion-mnist":
            return load_fashion_mnist(folder, fetch=download)
        case "cifar10":
            return load_cifar10(folder, fetch=download)
    raise unknown_images(name)
