"""Options of the command: what their words mean, and those of `parity train`."""

import argparse
from collections.abc import Callable
from typing import Any

DIGITS = 300  # of a seed: what a run says of itself is JSON, where a larger number is none for many readers
LARGEST_RATE = 1e30  # float32 ends at 3e38, and PyTorch raises an error where its optimizers pass that
LONGEST = 24 * 60 * 60
MOST = 100_000
TIMEOUT = 300


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


def add_train(commands: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """The options of `parity train`."""
    train = commands.add_parser(
        "train",
        help="train a network in one framework",
        epilog="exit codes: 0 done, 1 diverged, 2 usage, 75 a device was lost or stood still: --resume goes on, "
        "130 Ctrl-C",
    )
    train.add_argument("name", metavar="RECIPE", help="see parity list")
    train.add_argument("--backend", choices=("jax", "torch", "numpy"), required=True, help="who trains")
    train.add_argument("--steps", type=count, metavar="N", help="of the whole run; the recipe's if left out")
    train.add_argument("--epochs", type=count, metavar="N", help="instead of steps")
    train.add_argument(
        "--device", choices=("cpu", "gpu", "tpu"), default="cpu", help="of JAX and PyTorch; tpu: JAX only (cpu)"
    )
    train.add_argument("--compile", action="store_true", help="let PyTorch compile its step first (JAX always does)")
    train.add_argument("--out", metavar="DIR", help="new folder for metrics, checkpoints and summary")
    train.add_argument("--resume", metavar="RUN", help="go on with a run (its folder, or one of its checkpoints)")
    train.add_argument("--data-dir", metavar="DIR", help="folder that holds the images' files")
    train.add_argument("--download", action="store_true", help="let torchvision download the images")
    _add_devices(train.add_argument_group("on several devices"))
    anew = train.add_argument_group("only for a new run; a resumed one keeps its own")
    anew.add_argument("--data", metavar="NAME", help="other images than the recipe's")
    anew.add_argument("--length", type=int, metavar="T", help="length of the palindromes")
    anew.add_argument("--seed", type=seed, metavar="N", help="of initial weights and data (0)")
    anew.add_argument(
        "--init", choices=("default", "randn", "orthogonal"), help="initial weights; the recipe's if left out"
    )
    anew.add_argument("--precision", choices=("float32", "float64"), help="float32; numpy has float64 only")
    anew.add_argument("--learning-rate", type=rate, metavar="X", help="the recipe's if left out")
    add_batch_norm(anew)
    anew.add_argument("--batch-size", type=count, metavar="N", help="the recipe's if left out")
    anew.add_argument("--evaluate-every", type=count, metavar="N", help="steps; the recipe's, or an epoch")
    anew.add_argument("--checkpoint-every", type=count, metavar="N", help="steps; at every evaluation if left out")
    anew.add_argument("--keep", type=count, metavar="K", help="how many checkpoints stay (3)")
    train.set_defaults(run=run)


def _add_devices(group: Any) -> None:
    group.add_argument(
        "--devices", type=devices, metavar="N", help="train on so many (as many as were launched, else 1)"
    )
    group.add_argument(
        "--timeout", type=seconds, default=TIMEOUT, metavar="S", help=f"longest wait for another device ({TIMEOUT})"
    )
    group.add_argument(
        "--distributed",
        action="store_true",
        help="let JAX find the other processes by itself: Slurm, Kubernetes, MPI, Cloud TPU",
    )
