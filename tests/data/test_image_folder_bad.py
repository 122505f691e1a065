"""Bad image folders and zips: one clear line, and nothing is kept."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from parity.data.folder import cache as image_cache
from parity.data.folder import paths as image_paths
from parity.data.folder.source import load_image_folder
from parity.errors import UsageError
from tests.data.pictures import lay, pack, picture, pictures

PNG = picture(0)
Files = dict[str, bytes]
CASES: list[tuple[str, Callable[[Files], object], str]] = [
    ("no image", lambda f: f.update({"train/cat/2.png": b"hello"}), r"train/cat/2\.png is no image that Pillow reads"),
    ("an empty file", lambda f: f.update({"train/cat/2.png": b""}), r"train/cat/2\.png is no image"),
    ("a truncated file", lambda f: f.update({"test/dog/0.png": PNG[:-40]}), r"test/dog/0\.png is a damaged image"),
    ("a class in one split", lambda f: f.update({"train/emu/0.png": PNG}), "class emu in train but not in test"),
    ("a class val lacks", lambda f: f.update({"val/cat/0.png": PNG}), "class dog in train but not in val"),
    ("two sizes", lambda f: f.update({"test/dog/1.png": picture(1, size=(9, 8))}), "1.png has 9×8 pixels, .* has 8×8"),
    ("a file beside classes", lambda f: f.update({"train/labels.csv": b"1"}), r"labels\.csv is in no class's folder"),
    ("a folder in a class", lambda f: f.update({"train/cat/more/0.png": PNG}), "lies below a class's folder"),
    ("no test", lambda f: [f.pop(n) for n in list(f) if n.startswith("test")], "holds no test/CLASS"),
    ("no train", lambda f: [f.pop(n) for n in list(f) if n.startswith("train")], "holds no train/CLASS"),
    ("a script", lambda f: f.update({"train/cat/2.png": b"%!PS-Adobe-3.0 EPSF-3.0\n"}), "is no image"),
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(image_cache, "_latest", {})
    return tmp_path / "cache" / "netparity" / "images"


def _refused(place: Path, cache: Path, message: str, size: int | None = None) -> None:
    with pytest.raises(UsageError, match=message) as found:
        load_image_folder(place, size=size)
    assert "\n" not in str(found.value) and str(place) in str(found.value)
    assert not cache.exists() or not list(cache.iterdir())


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("change", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_one_line_names_the_fault(
    tmp_path: Path, cache: Path, change: Callable[[Files], object], message: str, packed: bool
) -> None:
    files = pictures()
    change(files)
    _refused(pack(tmp_path / "pets.zip", files) if packed else lay(tmp_path / "pets", files), cache, message)


def test_an_empty_class_is_named(tmp_path: Path, cache: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / "pets" / split / "emu").mkdir(parents=True)
    _refused(lay(tmp_path / "pets", pictures()), cache, "train/emu holds no image")
    path = pack(tmp_path / "pets.zip", {**pictures(), "train/emu/": b"", "test/emu/": b""})
    _refused(path, cache, "train/emu holds no image")


@pytest.mark.parametrize(
    "name", ["../evil.png", "train/cat/../../../evil.png", "/etc/evil.png", "C:/evil.png", "train\\cat\\..\\evil.png"]
)
def test_a_zip_whose_paths_leave_it_is_refused(tmp_path: Path, cache: Path, name: str) -> None:
    _refused(pack(tmp_path / "pets.zip", {**pictures(), name: PNG}), cache, "whose path leaves it")
    assert not (tmp_path / "evil.png").exists() and not (tmp_path.parent / "evil.png").exists()


@pytest.mark.parametrize(("side", "said"), [(12_000, "12000×12000 pixels, more"), (30_000, "far more than")])
def test_a_decompression_bomb_is_refused(tmp_path: Path, cache: Path, side: int, said: str) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = PNG[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    _refused(lay(tmp_path / "pets", {**pictures(), "train/cat/0.png": bomb}), cache, said)
    _refused(tmp_path / "pets", cache, said, size=32)


@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_entry_that_swells_is_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, lies: bool
) -> None:
    monkeypatch.setattr(image_paths, "MOST_BYTES", 5_000)
    path = pack(tmp_path / "pets.zip", {**pictures(), "train/cat/0.png": PNG + bytes(100_000)})
    if lies:  # about how much is in it
        size, wrong = struct.pack("<I", len(PNG) + 100_000), struct.pack("<I", len(PNG))
        path.write_bytes(path.read_bytes().replace(size, wrong))
    _refused(path, cache, r"train/cat/0\.png")


def test_damaged_and_other_files_are_no_zip(tmp_path: Path, cache: Path) -> None:
    path = pack(tmp_path / "pets.zip", pictures())
    data = path.read_bytes()
    path.write_bytes(data[:-30])
    _refused(path, cache, "is no zip that can be read")
    path.write_bytes(b"")
    _refused(path, cache, "is no zip that can be read")
    place = data.index(PNG[-20:]) if PNG[-20:] in data else 60
    path.write_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])
    _refused(path, cache, r"cannot read .*zip|is a damaged image")


def test_an_encrypted_zip_is_refused(tmp_path: Path, cache: Path) -> None:
    path = pack(tmp_path / "pets.zip", pictures())
    with zipfile.ZipFile(path) as archive:
        archive.getinfo("train/cat/0.png")
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    data[6] |= 1
    path.write_bytes(bytes(data))
    _refused(path, cache, "encrypted")


def test_two_top_folders_are_refused(tmp_path: Path, cache: Path) -> None:
    files = {f"{top}/{name}": content for top in ("a", "b") for name, content in pictures().items()}
    _refused(pack(tmp_path / "pets.zip", files), cache, "holds a and b, both with images")


def test_a_place_that_is_not_there_is_named(tmp_path: Path, cache: Path) -> None:
    _refused(tmp_path / "nowhere", cache, "cannot read .*nowhere: No such file or directory")
    with pytest.raises(UsageError, match=r"images of your own need their place; .*--data-dir"):
        load_image_folder(None)


def test_a_stop_in_the_middle_leaves_nothing(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def stopped(data: bytes, path: str, size: int | None) -> object:
        seen.append(path)
        if len(seen) == 9:
            raise KeyboardInterrupt
        return decode(data, path, size)

    decode = image_cache.decode
    monkeypatch.setattr(image_cache, "decode", stopped)
    with pytest.raises(KeyboardInterrupt):
        load_image_folder(lay(tmp_path / "pets", pictures()))
    assert not list(cache.iterdir())


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot keep the decoded images in .*XDG_CACHE_HOME"):
        load_image_folder(lay(tmp_path / "pets", pictures()))


def test_an_image_of_many_frames_gives_its_first(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    data = load_image_folder(lay(tmp_path / "pets", {**pictures(), "test/cat/0.png": buffer.getvalue()}))
    assert data.splits["test"].images[0, 0, 0].tolist() == [255, 0, 0]
