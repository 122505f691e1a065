"""Parsers of the words after the command's options, and the options that several commands have."""

import argparse
from typing import Any

from parity.errors import UsageError
from parity.interface.devices import place_of

DIGITS = 300  # most digits of a seed: a run's record is JSON, in which many readers take no larger number
LARGEST_RATE = 1e30  # float32 ends at 3e38, and PyTorch raises an error where its optimizers pass that
LONGEST = 24 * 60 * 60
MOST = 100_000


def seed(text: str) -> int:
    """Parse a seed: a whole number from 0.

    Raises:
        argparse.ArgumentTypeError: The text is none, or has more than `DIGITS` digits.
    """
    if not text.isdecimal() or len(text) > DIGITS:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 0, of at most {DIGITS} digits")
    return int(text)


def count(text: str) -> int:
    """Parse a whole number from 1.

    Raises:
        argparse.ArgumentTypeError: The text is none.
    """
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 1")
    return int(text)


def device(text: str) -> str:
    """Parse the name of a device, such as gpu or gpu:1; cuda is gpu."""
    try:
        return str(place_of(text))
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def counts(text: str) -> list[int]:
    """Parse numbers of devices, separated by commas, into rising order without repetition.

    Raises:
        argparse.ArgumentTypeError: A part is no whole number from 2.
    """
    return sorted({several(part.strip()) for part in text.split(",")})


def several(text: str) -> int:
    """Parse a number of devices from 2.

    Raises:
        argparse.ArgumentTypeError: The text is none.
    """
    if (number := count(text)) < 2:
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected a whole number from 2: it is compared with one device"
        )
    return number


def devices(text: str) -> int:
    """Parse a number of devices from 1.

    Raises:
        argparse.ArgumentTypeError: The text is none, or above `MOST`.
    """
    return _up_to(MOST, text)


def seconds(text: str) -> int:
    """Parse a whole number of seconds, from 1 to a day.

    Raises:
        argparse.ArgumentTypeError: The text is none.
    """
    return _up_to(LONGEST, text)


def _up_to(most: int, text: str) -> int:
    if not text.isdecimal() or len(text) > len(str(most)) or not 0 < int(text) <= most:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 1 to {most}")
    return int(text)


def rate(text: str) -> float:
    """Parse a learning rate: a number from 0 to LARGEST_RATE.

    Raises:
        argparse.ArgumentTypeError: The text is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= LARGEST_RATE:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from 0 to {LARGEST_RATE:g}")
    return number


def add_batch_norm(parser: Any) -> None:
    """Declare the option that says which examples BatchNorm's statistics are of on several devices."""
    parser.add_argument(
        "--batch-norm",
        choices=("synchronised", "per-device"),
        help="what its statistics are of on several devices: the global batch, or each device's part (synchronised)",
    )


def add_json(parser: Any) -> None:
    """Declare the option that writes everything as JSON."""
    parser.add_argument("--json", metavar="FILE", help="write everything there too")


def add_quiet(parser: Any) -> None:
    """Declare the option that leaves out progress and details."""
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress; of a check one line for each network")


def add_seed(parser: Any) -> None:
    """Declare the option of the seed."""
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="seed of weights, data and cotangents (0)")
