"""A stretch of a training run, from the checkpoint where the last one ended, with its energy.

    python -m benchmarks.gpu.training jax vgg --seed 0 --epochs 10 --run FOLDER --device gpu --out FILE

It is `parity train`; what it says of itself goes to the standard error.
"""

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.speed.energy import Energy
from parity.cli.main import main as parity
from parity.errors import UsageError
from parity.files import write_atomically
from parity.training import checkpoint, journal
from parity.training.folder import METRICS, SUMMARY

KEPT = ("recipe", "backend", "device", "precision", "data", "seed", "steps", "resumed_at", "training", "test")
"""Entries of a run's summary that the record keeps, besides its times."""
TIMES = ("seconds", "samples_per_second")


def words(arguments: argparse.Namespace) -> list[str]:
    """The words of `parity train` that begin the run, or go on with it where its folder has a checkpoint."""
    run = Path(arguments.run)
    length = ["--steps", str(arguments.steps)] if arguments.steps else ["--epochs", str(arguments.epochs)]
    images = ["--data-dir", arguments.images] if arguments.images else []
    begun = bool(checkpoint.files(run / checkpoint.CHECKPOINTS))
    data = ["--data", "folder"] if images and not begun else []
    place = ["--resume", str(run)] if begun else ["--out", str(run), "--seed", str(arguments.seed)]
    command = ["train", arguments.recipe, "--backend", arguments.framework, "--device", arguments.device, "--quiet"]
    return [*command, *length, *place, *data, *images]


def trained(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train the stretch; return the run's summary so far, its evaluations, and the joules of this stretch.

    Raises:
        UsageError: the run failed; it has said why.
    """
    energy, command = Energy(arguments.device), words(arguments)
    with contextlib.redirect_stdout(sys.stderr):
        code = parity(command)
    if code:
        raise UsageError(f"parity {' '.join(command)} ended with {code}")
    joules, run = energy.joules(), Path(arguments.run)
    summary = json.loads((run / SUMMARY).read_text())
    lines = [line for line in journal.read(run / METRICS) if line["kind"] == "evaluation"]
    kept = {name: summary[name] for name in (*KEPT, *TIMES) if name in summary}
    return {**kept, "joules": joules, "evaluations": lines}


def main(argv: list[str]) -> int:
    """Train, and write what came out; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.training", description=__doc__.splitlines()[0])
    parser.add_argument("framework", choices=("jax", "torch"))
    parser.add_argument("recipe")
    parser.add_argument("--seed", type=int, default=0)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--steps", type=int, help="of the run up to the end of the stretch")
    length.add_argument("--epochs", type=int)
    parser.add_argument("--run", required=True, metavar="FOLDER", help="checkpoints and metrics of the run")
    parser.add_argument("--images", metavar="PLACE", help="folder or zip of images to train on")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="gpu")
    parser.add_argument("--out", required=True, metavar="FILE")
    arguments = parser.parse_args(argv)
    try:
        Path(arguments.run).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(arguments.out, json.dumps(trained(arguments), indent=1) + "\n")
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
