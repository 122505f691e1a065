"""Small image folders and zips of them."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("cat", "dog")


def picture(seed: int, *, size: tuple[int, int] = (8, 8), kind: str = "PNG", mode: str = "RGB") -> bytes:
    """An image file of random pixels; size is (width, height)."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def pictures(
    *, train: int = 6, test: int = 2, val: int = 0, classes: tuple[str, ...] = CLASSES, size: tuple[int, int] = (8, 8)
) -> dict[str, bytes]:
    """Path → content of the files of a sound data set, so many a class."""
    counts = {"train": train, "test": test, "val": val}
    paths = [f"{s}/{c}/{i}.png" for s, count in counts.items() for c in classes for i in range(count)]
    return {path: picture(seed, size=size) for seed, path in enumerate(paths)}


def lay(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder; the folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def pack(path: Path, files: Mapping[str, bytes], top: str = "") -> Path:
    """Zip files, all below one folder if it is named; the zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{top}/{name}" if top else name, content)
    return path
