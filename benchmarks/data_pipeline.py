"""Training images a second: this project's NumPy stream against torchvision transforms and a DataLoader.

    python -m benchmarks.data_pipeline [--json FILE] [--seconds S] [--repeats N]

Both make normalised, randomly cropped and flipped float32 batches of 128 from the same real images, shuffled, with
labels: Fashion-MNIST's training split if it is there, else the digits. The NumPy stream runs in this one process. The
peer is what tutorials show: PIL images through RandomCrop(32, padding=4), RandomHorizontalFlip, ToTensor, Normalize, in
a DataLoader with two workers. The two take turns. Starting the workers and laying out the images is not timed.

Run it on an idle machine: anything else that runs slows the two workers more than the one process, and the ratio is
then too high. The record says how loaded the machine was.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median
from typing import Any

from torch.utils.data import DataLoader, Dataset

from parity.data import ImageSet, load_images, open_stream
from parity.data.augment import MEAN, PAD, STD
from parity.data.images import Split
from parity.errors import UsageError
from parity.files import write_atomically
from parity.report.environment import hardware
from parity.torchvision_ import load_torchvision

BATCH, WORKERS, WARM_UP = 128, 2, 5
DEMANDED = 20.0  # the ratio the project promises


def numpy_batches(name: str) -> Iterator[int]:
    """Yield the sizes of the stream's batches, without end."""
    for batch in open_stream(name, batch_size=BATCH, seed=0).iterate():
        yield len(batch.labels)


def torchvision_batches(split: Split) -> Iterator[int]:
    """Yield the sizes of the DataLoader's batches, without end; its workers are started once."""
    loader: DataLoader = DataLoader(
        PilImages(split), batch_size=BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True
    )
    while True:
        for _, labels in loader:
            yield len(labels)


class PilImages(Dataset[tuple[Any, int]]):
    """A data set like torchvision's own: a PIL image through the transforms, and its label."""

    def __init__(self, split: Split) -> None:
        from PIL.Image import fromarray

        transforms = load_torchvision().transforms
        side = split.images.shape[1]
        steps = [
            transforms.RandomCrop(side, padding=PAD),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN.tolist(), STD.tolist()),
        ]
        self._images, self._labels = split.images, split.labels.tolist()
        self._to_pil, self._transform = fromarray, transforms.Compose(steps)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self._transform(self._to_pil(self._images[index])), self._labels[index]


def rate(batches: Iterator[int], seconds: float) -> float:
    """The images a second over at least `seconds`."""
    images, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        images += next(batches)
    return images / elapsed


def measure(name: str, split: Split, seconds: float, repeats: int) -> dict[str, list[float]]:
    """Pipeline → images a second of each of its turns; the two pipelines take turns."""
    makers: dict[str, Callable[[], Iterator[int]]] = {
        "numpy": lambda: numpy_batches(name),
        "torchvision": lambda: torchvision_batches(split),
    }
    rates: dict[str, list[float]] = {pipeline: [] for pipeline in makers}
    for repeat in range(repeats):
        for pipeline, make in makers.items():
            batches = make()  # anew, so that one's idle workers do not disturb the other
            for _ in range(WARM_UP):
                next(batches)
            rates[pipeline].append(rate(batches, seconds))
            print(f"{repeat + 1}/{repeats} {pipeline}: {rates[pipeline][-1]:,.0f} images/s", file=sys.stderr)
            del batches
    return rates


def summary(rates: dict[str, list[float]]) -> dict[str, Any]:
    """The medians and extremes of both pipelines, and the ratio of the medians and of each turn."""
    pairs = [ours / theirs for ours, theirs in zip(rates["numpy"], rates["torchvision"], strict=True)]
    figures: dict[str, Any] = {
        pipeline: {"median": median(values), "min": min(values), "max": max(values), "all": values}
        for pipeline, values in rates.items()
    }
    ratio = median(rates["numpy"]) / median(rates["torchvision"])
    return {"images_per_second": figures, "ratio": ratio, "ratio_min": min(pairs), "ratio_max": max(pairs)}


def environment() -> dict[str, Any]:
    """The circumstances that the figures depend on: hardware, versions, date."""
    return {
        **hardware(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "torch", "torchvision", "pillow")},
        "date": datetime.now(UTC).date().isoformat(),
    }


def real_images() -> tuple[str, ImageSet]:
    """Fashion-MNIST, or the digits where it is not installed."""
    try:
        return "fashion-mnist", load_images("fashion-mnist")
    except UsageError as error:
        print(f"{error}; using the digits", file=sys.stderr)
        return "digits", load_images("digits")


def report(record: dict[str, Any]) -> str:
    """The record in a few lines."""
    lines = [f"{record['data']}, {record['images']:,} images, batch {BATCH}, {record['cpu']}, {record['cores']} cores"]
    for pipeline, figures in record["images_per_second"].items():
        spread = f"{figures['min']:,.0f} to {figures['max']:,.0f}"
        lines.append(f"{pipeline:12} {figures['median']:>9,.0f} images/s ({spread})")
    lines.append(f"ratio        {record['ratio']:9.1f} ({record['ratio_min']:.1f} to {record['ratio_max']:.1f})")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Run the comparison; return 0 if the ratio is as demanded, 1 if it is lower, 2 for bad arguments."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data_pipeline", description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the record there")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn (default: 3)")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each pipeline (default: 5)")
    arguments = parser.parse_args(argv)
    if not (arguments.seconds > 0 and arguments.repeats > 0):
        parser.error("--seconds and --repeats must be above 0")
    load = os.getloadavg()[0]  # other work on the machine slows the two workers more than the one process
    command = f"{parser.prog} --seconds {arguments.seconds:g} --repeats {arguments.repeats}"
    try:
        load_torchvision()
        name, data = real_images()
        train = data.splits["train"]
        rates = measure(name, train, arguments.seconds, arguments.repeats)
        setting = {"data": name, "images": len(train.labels), "batch": BATCH, "workers": WORKERS}
        record = {"command": command, **setting, "seconds_per_turn": arguments.seconds}
        record |= {**summary(rates), "demanded_ratio": DEMANDED, **environment(), "load_average_before": load}
        if arguments.json:
            write_atomically(arguments.json, json.dumps(record, indent=2) + "\n")
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    print(report(record))
    return 0 if record["ratio"] >= DEMANDED else 1


if __name__ == "__main__":
    sys.exit(main())
