"""Image folders and zips of them, mutated: their bytes, and where their files lie."""

from pathlib import Path

import numpy as np

from tests.data.pictures import lay, pack, picture, pictures
from tests.fuzz.mutate import mutated

KINDS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "ICO", "PPM", "TGA", "PCX")
NAMES = (
    "../out.png", "/out.png", "C:\\out.png", "train", "train/", "train/cat", "train/cat/0.png/more", "train//0.png",
    "train/cat/sub/0.png", "train/emu/0.png", "test/emu/", "val/cat/0.png", "val/", "top/train/cat/0.png",
    "train/cat/\udcff.png", "train/cat/" + "x" * 200, "train/cat/a\nb.png", "./train/cat/9.png",
    "train/../train/cat/8.png", ".train/cat/0.png", "/",
)  # fmt: skip
FILES = {**pictures(train=2, test=1), **{f"train/cat/{k}.{k.lower()}": picture(7, kind=k) for k in KINDS}}


def zipped(place: Path, rng: np.random.Generator) -> Path:
    """A zip with a file of it, a name or its bytes changed."""
    files = changed(rng) if rng.random() < 0.5 else dict(FILES)
    if rng.random() < 0.4:
        files[NAMES[int(rng.integers(len(NAMES)))].replace("\udcff", "ÿ")] = picture(5)
    path = pack(place / "given.zip", files, "top" if rng.random() < 0.5 else "")
    if rng.random() < 0.6:
        data = path.read_bytes()
        start = data.index(b"PK\x01\x02") if rng.random() < 0.5 else 0  # what lies where stands at the end
        path.write_bytes(data[:start] + mutated(data[start:], rng))
    return path


def laid(place: Path, rng: np.random.Generator) -> Path:
    """A folder with a file of it, or where one lies, changed."""
    files = changed(rng)
    if rng.random() < 0.3:
        name = NAMES[int(rng.integers(len(NAMES)))].lstrip("./").replace("C:\\", "")
        files = {n: c for n, c in files.items() if not n.startswith(f"{name.rstrip('/')}/")}
        files = {n: c for n, c in files.items() if not name.startswith(f"{n}/")}
        if name and not name.endswith("/"):
            files[name] = picture(5)
    return lay(place / "given", files)


def changed(rng: np.random.Generator) -> dict[str, bytes]:
    """The files, one of them mutated, gone, or of another size."""
    files, names = dict(FILES), sorted(FILES)
    name, kind = names[int(rng.integers(len(names)))], int(rng.integers(6))
    if kind == 0:
        del files[name]
    elif kind == 1:
        files[name] = picture(6, size=(int(rng.integers(1, 40)), int(rng.integers(1, 40))))
    else:
        files[name] = mutated(files[name], rng)
    return files
