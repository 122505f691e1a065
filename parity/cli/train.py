"""`parity train`: train a network in one framework."""

import argparse
from typing import Any

from parity.cli import options

TIMEOUT = 300
"""Seconds that one device waits for another unless the command line says otherwise."""


def add(commands: Any) -> None:
    """Declare the command and its options."""
    train = commands.add_parser(
        "train",
        help="train a network in one framework",
        epilog="exit codes: 0 done, 1 diverged, 2 usage, 75 a device was lost or stood still: --resume goes on, "
        "130 Ctrl-C",
    )
    train.add_argument("name", metavar="RECIPE", help="see parity list")
    train.add_argument("--backend", choices=("jax", "torch", "numpy"), required=True, help="who trains")
    train.add_argument("--steps", type=options.count, metavar="N", help="of the whole run; the recipe's if left out")
    train.add_argument("--epochs", type=options.count, metavar="N", help="instead of steps")
    train.add_argument(
        "--device", choices=("cpu", "gpu", "tpu"), default="cpu", help="of JAX and PyTorch; tpu: JAX only (cpu)"
    )
    train.add_argument("--compile", action="store_true", help="let PyTorch compile its step first (JAX always does)")
    train.add_argument("--out", metavar="DIR", help="new folder for metrics, checkpoints and summary")
    train.add_argument("--resume", metavar="RUN", help="go on with a run (its folder, or one of its checkpoints)")
    train.add_argument("--data-dir", metavar="DIR", help="folder that holds the images' files")
    train.add_argument("--download", action="store_true", help="let torchvision download the images")
    options.add_quiet(train)
    _add_devices(train.add_argument_group("on several devices"))
    anew = train.add_argument_group("only for a new run; a resumed one keeps its own")
    anew.add_argument("--data", metavar="NAME", help="other images than the recipe's")
    anew.add_argument("--length", type=int, metavar="T", help="length of the palindromes")
    anew.add_argument("--seed", type=options.seed, metavar="N", help="of initial weights and data (0)")
    anew.add_argument(
        "--init", choices=("default", "randn", "orthogonal"), help="initial weights; the recipe's if left out"
    )
    anew.add_argument("--precision", choices=("float32", "float64"), help="float32; numpy has float64 only")
    anew.add_argument("--learning-rate", type=options.rate, metavar="X", help="the recipe's if left out")
    options.add_batch_norm(anew)
    anew.add_argument("--batch-size", type=options.count, metavar="N", help="the recipe's if left out")
    anew.add_argument("--evaluate-every", type=options.count, metavar="N", help="steps; the recipe's, or an epoch")
    anew.add_argument(
        "--checkpoint-every", type=options.count, metavar="N", help="steps; at every evaluation if left out"
    )
    anew.add_argument("--keep", type=options.count, metavar="K", help="how many checkpoints stay (3)")
    train.set_defaults(run=_run)


def _add_devices(group: Any) -> None:
    group.add_argument(
        "--devices", type=options.devices, metavar="N", help="train on so many (as many as were launched, else 1)"
    )
    group.add_argument(
        "--timeout",
        type=options.seconds,
        default=TIMEOUT,
        metavar="S",
        help=f"longest wait for another device ({TIMEOUT})",
    )
    group.add_argument(
        "--distributed",
        action="store_true",
        help="let JAX find the other processes by itself: Slurm, Kubernetes, MPI, Cloud TPU",
    )


def _run(arguments: argparse.Namespace) -> int:
    from parity.cli import training

    return training.run(arguments)
