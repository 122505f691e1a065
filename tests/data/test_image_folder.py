"""Image folders and zips as a data source: what comes out, and that it is decoded once."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from parity.data import load_images, open_stream
from parity.data.folder import cache as image_cache
from parity.data.folder.decode import decode
from parity.data.folder.source import load_image_folder
from parity.data.image_sets import title
from parity.errors import UsageError
from tests.data.pictures import lay, pack, picture, pictures


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(image_cache, "_latest", {})
    return tmp_path / "cache" / "netparity" / "images"


def _pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_images_come_in_the_order_of_names_with_their_classes(tmp_path: Path) -> None:
    files = pictures(val=1)
    data = load_image_folder(lay(tmp_path / "pets", files))
    assert data.name.startswith("folder:pets:") and title(data.name) == "pets" and data.num_classes == 2
    for split, folder in (("train", "train"), ("validation", "val"), ("test", "test")):
        own = sorted(name for name in files if name.startswith(folder))
        assert np.array_equal(data.splits[split].images, [_pixels(files[name]) for name in own])
        assert data.splits[split].labels.tolist() == [int("/dog/" in name) for name in own]


def test_a_tenth_is_held_out_where_there_is_no_val(tmp_path: Path) -> None:
    data = load_image_folder(lay(tmp_path / "pets", pictures(train=20)))
    assert {name: len(split.labels) for name, split in data.splits.items()} == {
        "train": 36,
        "validation": 4,
        "test": 4,
    }
    again = load_image_folder(tmp_path / "pets")
    assert np.array_equal(data.splits["validation"].images, again.splits["validation"].images)


@pytest.mark.parametrize("top", ["", "pets"])
def test_a_zip_is_what_its_folder_is(tmp_path: Path, top: str) -> None:
    files = pictures()
    folder = load_image_folder(lay(tmp_path / "pets", files))
    packed = load_image_folder(pack(tmp_path / "pets.zip", files, top))
    assert packed.name == folder.name
    assert all(np.array_equal(packed.splits[s].images, folder.splits[s].images) for s in folder.splits)


def test_what_systems_leave_is_passed_over(tmp_path: Path) -> None:
    files = pictures()
    plain = load_image_folder(pack(tmp_path / "plain.zip", files, "pets"))
    left = {".DS_Store": b"x", "train/.DS_Store": b"x", "train/cat/Thumbs.db": b"x", "test/dog/._1.png": b"x"}
    folder = load_image_folder(lay(tmp_path / "pets", {**files, **left, "README.txt": b"x"}))
    macos = {**{f"pets/{name}": content for name, content in files.items()}, "__MACOSX/pets/train/cat/._0.png": b"x"}
    assert folder.name == plain.name == load_image_folder(pack(tmp_path / "mac.zip", macos)).name


def test_images_are_decoded_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_image_folder(lay(tmp_path / "pets", pictures()))
    monkeypatch.setattr(image_cache, "decode", lambda *a: pytest.fail("decoded again"))
    image_cache._latest.clear()
    assert np.array_equal(load_image_folder(tmp_path / "pets").splits["test"].images, first.splits["test"].images)
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("change", ["time", "size asked for", "name"])
def test_they_are_decoded_anew_when_something_changed(tmp_path: Path, cache: Path, change: str) -> None:
    folder = lay(tmp_path / "pets", pictures())
    load_image_folder(folder)
    if change == "time":
        os.utime(folder / "train" / "cat" / "0.png", ns=(1, 1))
    if change == "name":
        (folder / "train" / "cat" / "0.png").rename(folder / "train" / "cat" / "00.png")
    load_image_folder(folder, size=4 if change == "size asked for" else None)
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut", "changed", "no about", "about"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, cache: Path, damage: str) -> None:
    whole = load_image_folder(lay(tmp_path / "pets", pictures()))
    [kept] = cache.iterdir()
    data = (kept / "train.npy").read_bytes()
    if damage == "cut":
        (kept / "train.npy").write_bytes(data[:-5])
    elif damage == "changed":
        (kept / "train.npy").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "about":
        (kept / "about.json").write_text("[1]")
    else:
        (kept / "about.json").unlink()
    image_cache._latest.clear()
    again = load_image_folder(tmp_path / "pets")
    assert again.name == whole.name and [path.name for path in cache.iterdir()] == [kept.name]


def test_progress_is_told_where_it_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(image_cache, "EVERY", -1.0)
    load_image_folder(lay(tmp_path / "pets", pictures()))
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1] == "decoding pets: 16 of 16 images" and captured.out == ""


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", mode) for mode in ("P", "L", "RGBA", "1")]
    + [("GIF", "P"), ("BMP", "RGB"), ("TIFF", "RGB"), ("WEBP", "RGB"), ("JPEG", "CMYK")],
)
def test_any_format_becomes_rgb(kind: str, mode: str) -> None:
    data = picture(3, kind=kind, mode=mode)
    assert np.array_equal(decode(data, "it", None), _pixels(data))


def test_the_upper_bits_of_sixteen_stay() -> None:
    grey = np.array([[0, 255, 256], [0x1234, 0x8000, 0xFFFF]], np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    assert np.array_equal(decode(buffer.getvalue(), "it", None)[..., 1], grey >> 8)


def test_orientation_is_undone() -> None:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(_pixels(picture(1, size=(6, 4)))).save(buffer, "PNG", exif=exif)
    assert np.array_equal(decode(buffer.getvalue(), "it", None), np.rot90(_pixels(picture(1, size=(6, 4))), -1))


def test_reduction_is_antialiased_and_keeps_proportions() -> None:
    stripes = np.zeros((64, 128, 3), np.uint8)
    stripes[:, 32:96:2] = 255  # of the centred square every other column is white
    buffer = io.BytesIO()
    Image.fromarray(stripes).save(buffer, "PNG")
    small = decode(buffer.getvalue(), "it", 8)
    assert small.shape == (8, 8, 3) and small[:, 1:-1].min() > 110 and small[:, 1:-1].max() < 145


def test_the_stream_calls_it_by_its_name_and_brings_it_to_the_networks_size(tmp_path: Path) -> None:
    folder = str(lay(tmp_path / "pets", {**pictures(size=(40, 50)), "train/cat/wide.png": picture(9, size=(90, 30))}))
    stream = open_stream("folder", batch_size=4, seed=0, folder=folder)
    assert stream.batch(0, 0).inputs.shape == (4, 32, 32, 3) and title(stream.name) == "pets"
    again = open_stream(stream.name, batch_size=4, seed=0, folder=folder)
    assert again.batch(3, 1).digest() == stream.batch(3, 1).digest()


def test_a_run_does_not_go_on_with_other_images(tmp_path: Path) -> None:
    name = load_images("folder", folder=lay(tmp_path / "pets", pictures())).name
    (tmp_path / "pets" / "test" / "cat" / "0.png").write_bytes(picture(99))
    with pytest.raises(UsageError, match=r"holds pets:\w{8}, not pets:\w{8}; name the images that the run began with"):
        load_images(name, folder=tmp_path / "pets")


def test_a_folder_never_takes_the_name_of_a_verified_set(tmp_path: Path) -> None:
    assert title(load_image_folder(lay(tmp_path / "cifar10", pictures())).name) == "cifar10-folder"
    assert title("cifar10") == "cifar10"
