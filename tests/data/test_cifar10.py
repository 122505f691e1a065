import pickle
import warnings

import numpy as np
import pytest

from parity.data import load_images
from parity.data.cifar10 import MD5, load_cifar10
from parity.errors import UsageError
from tests.data.made import cifar_batch, cifar_folder, md5


@pytest.mark.parametrize("python2", [True, False])
@pytest.mark.parametrize("inner", ["", "cifar-10-batches-py"])
def test_made_files_are_read_and_split(tmp_path, python2, inner):
    folder = tmp_path / inner
    folder.mkdir(exist_ok=True)
    checksums, pixels = cifar_folder(folder, python2=python2)
    data = load_cifar10(tmp_path, checksums=checksums)
    sizes = {name: split.images.shape for name, split in data.splits.items()}
    assert sizes == {"train": (54, 32, 32, 3), "validation": (6, 32, 32, 3), "test": (12, 32, 32, 3)}
    image, row = data.splits["test"].images[4], pixels["test_batch"][4]
    assert all(image[y, x, c] == row[1024 * c + 32 * y + x] for c, y, x in np.ndindex(3, 32, 32))
    together = {i.transpose(2, 0, 1).tobytes() for s in ("train", "validation") for i in data.splits[s].images}
    assert together == {row.tobytes() for name, rows in pixels.items() if name != "test_batch" for row in rows}


def test_the_made_files_are_what_python_itself_reads(tmp_path):
    pixels = np.arange(2 * 3072).reshape(2, -1).astype(np.uint8)
    for python2 in (True, False):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy 2.4 deprecates how NumPy 1 pickled a dtype
            entry = pickle.loads(cifar_batch(pixels, [3, 4], python2=python2), encoding="bytes")
        assert np.array_equal(entry[b"data"], pixels) and entry[b"labels"] == [3, 4]
        assert set(entry) == {b"data", b"labels", b"batch_label", b"filenames"}


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_malicious_pickle_is_not_executed_even_if_its_checksum_matches(tmp_path):
    checksums, _ = cifar_folder(tmp_path)
    mark = tmp_path / "executed"
    evil = pickle.dumps({b"data": Bomb(mark), b"labels": [1]})
    (tmp_path / "data_batch_3").write_bytes(evil)
    with pytest.raises(UsageError, match=r"data_batch_3 is no batch of CIFAR-10: it asks for .*open"):
        load_cifar10(tmp_path, checksums=checksums | {"data_batch_3": md5(evil)})
    assert not mark.exists()
    pickle.loads(evil)[b"data"].close()
    assert mark.exists()  # so the bomb was live


def test_nothing_is_unpickled_before_its_checksum_is_verified(tmp_path, monkeypatch):
    checksums, _ = cifar_folder(tmp_path)
    monkeypatch.setattr("parity.data.cifar10.ArrayUnpickler", _never)
    with pytest.raises(UsageError, match="data_batch_1 is truncated or altered: the MD5 of its content"):
        load_cifar10(tmp_path, checksums=checksums | {"data_batch_1": MD5["data_batch_1"]})


def _never(*_args, **_keywords):
    raise AssertionError("unpickled")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps([1, 2]), "is no batch of CIFAR-10"),
        (pickle.dumps({b"labels": [1]}), "is no batch of CIFAR-10: b'data'"),
        (pickle.dumps({b"data": b"xyz", b"labels": [1]}), "its data are bytes; expected uint8"),
        (cifar_batch(np.zeros((2, 3072), np.uint8), [1], python2=True), r"shape \(2, 3072\); .* \(1, 3072\)"),
        (cifar_batch(np.zeros((1, 3072), np.int16), [1], python2=False), "its data are int16"),
        (cifar_batch(np.zeros((1, 3072), np.uint8), [1], python2=True)[:-40], "is no batch of CIFAR-10"),
        (b"", "is no batch of CIFAR-10"),
        (b"not a pickle", "is no batch of CIFAR-10"),
        (b"\x80\x02cnumpy\ndtype\nX\xff", "is no batch of CIFAR-10"),
    ],
)
def test_a_file_of_another_kind_is_described(tmp_path, content, message):
    checksums, _ = cifar_folder(tmp_path)
    (tmp_path / "test_batch").write_bytes(content)
    with pytest.raises(UsageError, match=f"test_batch.*{message}"):
        load_cifar10(tmp_path, checksums=checksums | {"test_batch": md5(content)})


def test_labels_out_of_range_are_named(tmp_path):
    checksums, _ = cifar_folder(tmp_path)
    content = cifar_batch(np.zeros((1, 3072), np.uint8), [10], python2=True)
    (tmp_path / "test_batch").write_bytes(content)
    with pytest.raises(UsageError, match="cifar10, split 'test': got labels from 10 to 10; expected 0 to 9"):
        load_cifar10(tmp_path, checksums=checksums | {"test_batch": md5(content)})


def test_missing_files(tmp_path):
    checksums, _ = cifar_folder(tmp_path)
    (tmp_path / "data_batch_2").unlink()
    with pytest.raises(UsageError, match=r"cannot read .*data_batch_2: No such file"):
        load_cifar10(tmp_path, checksums=checksums)


def test_missing_data_say_how_to_get_them_and_write_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("NETPARITY_DATA", str(tmp_path / "cache"))
    with pytest.raises(UsageError, match=r"CIFAR-10 is not in .*cache; .*--data-dir DIR, or give --download"):
        load_images("cifar10")
    assert list(tmp_path.iterdir()) == []
