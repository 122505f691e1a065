"""What the words of the command's options mean, and the options that several commands have."""

import argparse
from typing import Any

DIGITS = 300  # of a seed: what a run says of itself is JSON, where a larger number is none for many readers
LARGEST_RATE = 1e30  # float32 ends at 3e38, and PyTorch raises an error where its optimizers pass that
LONGEST = 24 * 60 * 60
MOST = 100_000


def seed(text: str) -> int:
    """The seed that a word says."""
    if not text.isdecimal() or len(text) > DIGITS:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 0, of at most {DIGITS} digits")
    return int(text)


def count(text: str) -> int:
    """The number that a word says of something that there is at least one of."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 1")
    return int(text)


def counts(text: str) -> list[int]:
    """Numbers of devices, in rising order."""
    return sorted({several(part.strip()) for part in text.split(",")})


def several(text: str) -> int:
    """A number of devices beyond one."""
    if (number := count(text)) < 2:
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected a whole number from 2: it is compared with one device"
        )
    return number


def devices(text: str) -> int:
    """A number of devices."""
    return _up_to(MOST, text)


def seconds(text: str) -> int:
    """How long something may take."""
    return _up_to(LONGEST, text)


def _up_to(most: int, text: str) -> int:
    if not text.isdecimal() or len(text) > len(str(most)) or not 0 < int(text) <= most:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 1 to {most}")
    return int(text)


def rate(text: str) -> float:
    """A learning rate."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= LARGEST_RATE:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from 0 to {LARGEST_RATE:g}")
    return number


def add_batch_norm(parser: Any) -> None:
    """The option of what BatchNorm sees on several devices."""
    parser.add_argument(
        "--batch-norm",
        choices=("synchronised", "per-device"),
        help="what its statistics are of on several devices: the global batch, or each device's part (synchronised)",
    )


def add_json(parser: Any) -> None:
    """The option that writes everything as JSON."""
    parser.add_argument("--json", metavar="FILE", help="write everything there too")


def add_seed(parser: Any) -> None:
    """The option of the seed."""
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="seed of weights, data and cotangents (0)")
