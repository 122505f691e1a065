"""`parity reproduce`: train the study again and judge its claims."""

import argparse
from importlib.util import find_spec
from typing import Any

from parity.cli import options
from parity.errors import UsageError


def add(commands: Any) -> None:
    """Declare the command and its options."""
    study = commands.add_parser("reproduce", help="train the study again and judge each of its claims")
    study.add_argument(
        "experiments", nargs="*", metavar="EXPERIMENT", help="points, circles, palindromes, beyond, images; or all"
    )
    study.add_argument("--scale", choices=("full", "quick"), default="full", help="how much is trained (full)")
    study.add_argument("--out", metavar="DIR", help="for record, figures and runs; what is there is not done again")
    study.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="device of JAX and PyTorch (cpu)")
    study.add_argument("--data", metavar="NAME", help="images for the image networks; the study's if they are there")
    study.add_argument("--data-dir", metavar="DIR", help="folder that holds the images' files")
    study.add_argument("--so-far", action="store_true", help="images: train nothing, judge the epochs that are there")
    options.add_quiet(study)
    study.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if find_spec("matplotlib") is None:
        raise UsageError("parity reproduce draws figures and found no matplotlib; pip install 'netparity[study]'")
    from parity.cli import study
    from parity.cli.shown.progress import ShownProgress

    with ShownProgress(arguments.quiet) as progress:
        return study.run(arguments, progress.note)
