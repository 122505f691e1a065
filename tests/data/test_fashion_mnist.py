import numpy as np
import pytest

from parity.data import load_images
from parity.data.fashion_mnist import DEBIAN, load_fashion_mnist
from parity.data.idx import read_idx
from parity.errors import UsageError
from tests.data.made import fashion_folder


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("inner", ["", "FashionMNIST/raw"])
def test_made_files_are_padded_and_split(tmp_path, compressed, inner):
    folder = tmp_path / inner
    folder.mkdir(parents=True, exist_ok=True)
    data = load_fashion_mnist(tmp_path, checksums=fashion_folder(folder, compressed=compressed))
    assert {name: len(split.labels) for name, split in data.splits.items()} == {"train": 27, "validation": 3, "test": 8}
    raw = read_idx(folder / f"t10k-images-idx3-ubyte{'.gz' if compressed else ''}")
    images = data.splits["test"].images
    assert images.shape == (8, 32, 32, 3)
    assert all(np.array_equal(images[:, 2:30, 2:30, channel], raw) for channel in range(3))
    assert images.sum() == 3 * raw.sum(dtype=np.int64)


def test_an_altered_missing_or_truncated_file_is_named(tmp_path):
    checksums = fashion_folder(tmp_path)
    victim = tmp_path / "t10k-images-idx3-ubyte"
    good = victim.read_bytes()
    victim.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(UsageError, match=f"{victim} is truncated or altered: the MD5"):
        load_fashion_mnist(tmp_path, checksums=checksums)
    victim.write_bytes(good[:1000])
    with pytest.raises(UsageError, match=f"{victim} is truncated or altered"):
        load_fashion_mnist(tmp_path, checksums=checksums)
    victim.unlink()
    with pytest.raises(UsageError, match=f"cannot read {victim}.gz: No such file"):
        load_fashion_mnist(tmp_path, checksums=checksums)


def test_missing_data_says_how_to_get_them_and_writes_nothing(tmp_path):
    with pytest.raises(UsageError, match=r"apt install dataset-fashion-mnist, .*--data-dir DIR, .*--download") as error:
        load_images("fashion-mnist", folder=tmp_path)
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_real_set():
    data = load_images("fashion-mnist")
    sizes = {name: split.images.shape for name, split in data.splits.items()}
    assert sizes == {
        "train": (54_000, 32, 32, 3),
        "validation": (6_000, 32, 32, 3),
        "test": (10_000, 32, 32, 3),
    }
    counts = [np.bincount(data.splits[name].labels) for name in ("train", "validation", "test")]
    assert (counts[0] + counts[1]).tolist() == [6000] * 10
    assert counts[2].tolist() == [1000] * 10
