"""A data set of your own: image files in `train/CLASS/` and `test/CLASS/`, as a folder or as a zip of it.

It is called `folder` where it is asked for, and `folder:NAME:DIGEST` where it is kept: by the folder's name, and the
beginning of a digest of its pixels, so that a run never goes on with other images than it began with.
"""

import re
from pathlib import Path

from parity.data.folder.cache import Decoded, cached
from parity.data.folder.paths import opened
from parity.data.folder.tree import LAYOUT
from parity.data.images import ImageSet, Split, hold_out_tenth
from parity.errors import UsageError

FOLDER = "folder"
KEPT = re.compile(r"folder:([\w.-]+):([0-9a-f]{8})")


def is_folder(name: str) -> bool:
    """Whether a data set is an image folder: "folder", or that with its name and digest."""
    return name == FOLDER or KEPT.fullmatch(name) is not None


def load_image_folder(place: str | Path | None, *, name: str = FOLDER, size: int | None = None) -> ImageSet:
    """The images of a folder or a zip, uint8 (N, H, W, 3); see `parity.data.folder.decode.decode` for what is done.

    Splits: "train", "test" and "validation". The last is `val/` if it is there, else a tenth of `train/`, drawn alike
    in every run. Images are in the order of their classes' and files' names; labels are the classes' places among
    their names in order.

    Args:
        place: the folder or the zip.
        name: "folder", or the full name of the data set that it must hold.
        size: height and width in pixels that all images are brought to; None takes them as they are, all of one size.

    Raises:
        UsageError: no place is given, something is wrong there, or its images are not those of that name.
    """
    if place is None:
        raise UsageError(f"images of your own need their place; name {LAYOUT} with --data-dir")
    with opened(Path(place)) as files:
        decoded = cached(files, size)
        label = re.sub(r"[^\w.-]", "_", files.name, flags=re.ASCII)[:60] or "images"
    whole = f"{FOLDER}:{label}:{decoded.digest[:8]}"
    if name not in (FOLDER, whole):
        raise UsageError(
            f"{place} holds {whole.removeprefix('folder:')}, not {name.removeprefix('folder:')}; name the images that "
            "the run began with, with --data-dir"
        )
    return ImageSet(whole, _splits(decoded), num_classes=len(decoded.classes))


def _splits(decoded: Decoded) -> dict[str, Split]:
    train, val = decoded.splits["train"], decoded.splits.get("val")
    if val is None:
        train, val = hold_out_tenth(train)
    return {"train": train, "validation": val, "test": decoded.splits["test"]}
