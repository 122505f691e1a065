from pathlib import Path

import pytest

from parity.data import cifar10, download, fashion_mnist, folders, load_images
from parity.errors import UsageError
from parity.torchvision_ import load_torchvision
from tests.data.made import cifar_folder, fashion_folder


@pytest.fixture
def datasets():
    try:
        return load_torchvision().datasets
    except UsageError as error:
        pytest.skip(str(error))


def test_torchvision_imports_beside_any_torch_and_names_the_same_checksums(datasets):
    published = dict(datasets.CIFAR10.train_list + datasets.CIFAR10.test_list)
    assert published == cifar10.MD5
    assert {name.removesuffix(".gz") for name, _ in datasets.FashionMNIST.resources} == set(fashion_mnist.MD5)


def test_a_failed_download_is_one_clear_error(tmp_path, datasets, monkeypatch):
    def fail(self):
        raise OSError("no route to host")

    monkeypatch.setattr(datasets.CIFAR10, "download", fail)
    monkeypatch.setattr(datasets.CIFAR10, "url", "https://example.org/cifar.tar.gz")
    with pytest.raises(UsageError, match=r"cannot download CIFAR10 from example.org to .*no route to host.*--data-dir"):
        load_images("cifar10", folder=tmp_path, download=True)


def test_a_download_is_then_loaded(tmp_path, datasets, monkeypatch):
    checksums = {}

    def make(self):
        folder = Path(self.root) / self.base_folder
        folder.mkdir(parents=True)
        checksums.update(cifar_folder(folder)[0])

    monkeypatch.setattr(datasets.CIFAR10, "download", make)
    monkeypatch.setenv("NETPARITY_DATA", str(tmp_path / "data"))
    checksums.update(dict.fromkeys(cifar10.MD5, ""))
    assert len(cifar10.load_cifar10(fetch=True, checksums=checksums).splits["test"].labels) == 12


@pytest.mark.parametrize("name", ["FashionMNIST", "CIFAR10"])
def test_a_download_reads_nothing_that_was_in_the_folder(tmp_path, datasets, monkeypatch, name):
    """An old torchvision left pickles beside the files, which its constructor still reads, whatever they are."""
    kind = getattr(datasets, name)
    legacy = tmp_path / name / "processed"
    legacy.mkdir(parents=True)
    for file in ("training.pt", "test.pt"):
        (legacy / file).write_bytes(b"no pickle")
    monkeypatch.setattr(kind, "download", lambda self: None)
    download.fetch(name, tmp_path)


def test_nothing_is_downloaded_when_it_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr("parity.data.download.fetch", lambda *_: pytest.fail("downloaded"))
    checksums = fashion_folder(tmp_path)
    assert fashion_mnist.load_fashion_mnist(tmp_path, fetch=True, checksums=checksums).num_classes == 10


def test_without_torchvision_the_error_says_what_to_install(monkeypatch):
    load_torchvision.cache_clear()
    monkeypatch.setattr("parity.torchvision_.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install netparity\[download\]"):
        load_torchvision()


def test_the_data_folder(monkeypatch):
    monkeypatch.setenv("NETPARITY_DATA", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert folders.data_folder() == Path("/a")
    monkeypatch.delenv("NETPARITY_DATA")
    assert folders.data_folder() == Path("/b/netparity/data")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/c")
    assert folders.data_folder() == Path("/c/.cache/netparity/data")
