"""Downloading, by torchvision, which verifies what it fetched."""

from pathlib import Path
from urllib.parse import urlsplit

from parity.errors import UsageError


def fetch(dataset: str, root: Path) -> None:
    """Download one of torchvision's data sets into a folder, which is made if it does not exist.

    Args:
        dataset: the class in torchvision.datasets, "CIFAR10" or "FashionMNIST".
        root: the folder; torchvision makes its own folder in it.

    Raises:
        UsageError: torchvision is not installed, the download failed or did not match its checksum, or the folder
            cannot be written to.
    """
    from parity.torchvision_ import load_torchvision

    source = getattr(load_torchvision().datasets, dataset)
    wanted = source.__new__(source)  # its constructor would unpickle what is in the folder
    wanted.root = str(root)
    try:
        wanted.download()
    except (OSError, RuntimeError) as error:
        host = urlsplit(getattr(source, "url", None) or source.mirrors[0]).netloc
        raise UsageError(
            f"cannot download {dataset} from {host} to {root}: {error}; "
            "check the network and the folder, or name a folder that has the data with --data-dir DIR"
        ) from error
