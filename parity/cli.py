"""The command `parity`: results on stdout, progress on stderr.

Exit codes: 0 same, 1 different, 2 usage, 3 inconclusive, 130 Ctrl-C; of `parity train` 1 diverged, 75 device lost.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from parity import options, recipes
from parity.errors import UsageError, printable
from parity.files import require_writable
from parity.pair.target import is_target
from parity.report import json_, terminal
from parity.report.result import exit_code

if TYPE_CHECKING:
    from parity.backends import Devices

RECIPES_ONLY = ("rungs", "device", "devices", "batch_norm", "data", "length", "weights", "data_dir", "download")
PAIRS_ONLY = (
    "html",
    "junit",
    "markdown",
    "accept",
    "dropout",
    "no_probes",
    "map",
    "map_out",
    "show_map",
    "repro",
    "in_process",
)


def entry_point() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    arguments = _parser().parse_args(argv)
    arguments.words = list(argv)
    try:
        return arguments.run(arguments)
    except UsageError as error:
        print(f"parity: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("parity: stopped", file=sys.stderr)
        return 130


def _list(arguments: argparse.Namespace) -> int:
    del arguments
    terminal.show_recipes(terminal.console(), map(recipes.load, recipes.names()))
    return 0


def _check_pairs(arguments: argparse.Namespace) -> int:
    from parity.pair import command

    others = [name for name in arguments.names if not is_target(name)]
    if others:
        raise UsageError(f"got {', '.join(others)} beside path/to/file.py:function; check recipes by themselves")
    used = [o for o in RECIPES_ONLY if getattr(arguments, o) not in (None, False, "cpu", [])]
    if used:
        raise UsageError(f"--{used[0].replace('_', '-')} is for recipes; the file's function makes networks and inputs")
    with _Progress() as progress:
        return command.check(arguments, progress.note)


def _require_recipes_options(arguments: argparse.Namespace) -> None:
    used = [o for o in PAIRS_ONLY if getattr(arguments, o) not in (None, False, [])]
    if used:
        raise UsageError(
            f"--{used[0].replace('_', '-')} is for a pair of your own; name it as path/to/file.py:function"
        )


def _convert(arguments: argparse.Namespace) -> int:
    from parity.pair import command

    with _Progress() as progress:
        return command.convert(arguments, progress.note)


def _conventions(arguments: argparse.Namespace) -> int:
    from parity.pair import command

    return command.conventions(arguments)


def _check(arguments: argparse.Namespace) -> int:
    from parity import weights
    from parity.backends import keep_compiled_programs
    from parity.check import check

    if any(is_target(name) for name in arguments.names):
        return _check_pairs(arguments)
    _require_recipes_options(arguments)
    chosen = _chosen(arguments)
    rungs, devices = _rungs(arguments), _devices(arguments)
    given = weights.load(arguments.weights) if arguments.weights else None
    require_writable("--json", arguments.json)
    keep_compiled_programs()
    with _Progress() as progress:
        results = [
            check(
                recipe,
                rungs=rungs,
                seed=arguments.seed,
                device=arguments.device,
                folder=arguments.data_dir,
                download=arguments.download,
                weights=given,
                devices=devices,
                progress=progress.note,
            )
            for recipe in chosen
        ]
    if arguments.json:
        json_.write(results, arguments.json)
    terminal.show_results(terminal.console(), results)
    return exit_code(results)


def _rungs(arguments: argparse.Namespace) -> Sequence[int]:
    """The rungs that are asked for: the ladder's, and that of the devices where there are several."""
    from parity.check import RUNGS, parse_rungs
    from parity.checks.devices import NUMBER

    if arguments.rungs is None:
        return (*RUNGS, NUMBER) if arguments.devices else RUNGS
    chosen = parse_rungs(arguments.rungs)
    if (NUMBER in chosen) != bool(arguments.devices):
        raise UsageError(f"rung {NUMBER} (devices) and --devices N[,N…] go together; give both or neither")
    return chosen


def _devices(arguments: argparse.Namespace) -> "list[Devices]":
    from parity.backends import Devices

    apart = arguments.batch_norm == "per-device"
    if apart and not arguments.devices:
        raise UsageError("--batch-norm says what BatchNorm does on several devices; give --devices too")
    return [Devices(count, count if apart else 1) for count in arguments.devices]


def _chosen(arguments: argparse.Namespace) -> list[recipes.Recipe]:
    """The recipes named, with the data and the length asked for; an option that fits none of them is an error."""
    from parity.data.registry import is_images, unknown_images

    chosen = [recipes.load(name) for name in dict.fromkeys(arguments.names or recipes.names())]
    if arguments.data is not None:
        if not is_images(arguments.data):
            raise unknown_images(arguments.data)
        chosen = _changed(chosen, "--data", [is_images(r.data) for r in chosen], offline_data=arguments.data)
    if arguments.length is not None:
        fits = [r.length is not None for r in chosen]
        chosen = _changed(chosen, "--length", fits, length=arguments.length, check_length=None)
    if arguments.weights and len(chosen) != 1:
        raise UsageError(f"--weights got {len(chosen)} networks; name the one that the weights are of")
    return chosen


def _changed(chosen: list[recipes.Recipe], option: str, fits: list[bool], **change: Any) -> list[recipes.Recipe]:
    if not any(fits):
        names = ", ".join(recipe.name for recipe in chosen)
        raise UsageError(f"{option} fits none of {names}; see parity list for what each network is fed")
    return [replace(recipe, **change) if fit else recipe for recipe, fit in zip(chosen, fits, strict=True)]


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message)}; see {self.prog} --help\n")


def _train(arguments: argparse.Namespace) -> int:
    from parity.training import command

    return command.run(arguments)


def _reproduce(arguments: argparse.Namespace) -> int:
    from parity.study import command

    with _Progress() as progress:
        return command.run(arguments, progress.note)


def _bugs(arguments: argparse.Namespace) -> int:
    from parity.backends import keep_compiled_programs
    from parity.bugs import run
    from parity.report import bugs as table

    require_writable("--json", arguments.json)
    keep_compiled_programs()
    with _Progress() as progress:
        outcomes = run.run(arguments.ids, seed=arguments.seed, progress=progress.note)
    if arguments.json:
        table.write(outcomes, arguments.json)
    table.show(terminal.console(), outcomes)
    return 0 if all(outcome.as_expected for outcome in outcomes) else 1


class _Progress:
    """What is being done, on stderr: a spinner at a terminal, lines elsewhere."""

    def __init__(self) -> None:
        self._console = terminal.console(stderr=True)
        self._status: Any = self._console.status("starting") if self._console.is_terminal else nullcontext()

    def __enter__(self) -> "_Progress":
        self._status.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._status.__exit__(*exception)

    def note(self, what: str) -> None:
        """Say what is being done."""
        if self._console.is_terminal:
            self._status.update(what)
        else:
            self._console.print(what)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="parity",
        description="Proves that a network in Flax and its twin in PyTorch are the same function, or names the first "
        "layer where they are not.",
        epilog="exit codes: 0 same, 1 different, 2 usage, 3 inconclusive",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="what can be checked")
    listing.set_defaults(run=_list)

    check = commands.add_parser("check", help="check networks, all if none is named")
    check.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a recipe (parity list), or path/to/file.py:function that returns your pair and inputs",
    )
    check.add_argument(
        "--rungs", metavar="LIST", help="rungs of the ladder, such as 2-4 or forward,update; all if left out"
    )
    check.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="of JAX and PyTorch (cpu)")
    check.add_argument(
        "--devices",
        type=options.counts,
        default=[],
        metavar="N[,N…]",
        help="train on so many too, and compare with one",
    )
    options.add_batch_norm(check)
    check.add_argument("--data", metavar="NAME", help="images for mlp, vgg: digits, fashion-mnist, cifar10 or folder")
    check.add_argument("--length", type=int, metavar="T", help="length of the palindromes, 2 or more")
    check.add_argument("--weights", metavar="FILE", help="canonical weights (safetensors) to check one network with")
    check.add_argument("--data-dir", metavar="DIR", help="folder that holds the images' files")
    check.add_argument("--download", action="store_true", help="let torchvision download the images")
    _add_pair_options(check)
    check.set_defaults(run=_check)

    convert = commands.add_parser("convert", help="carry weights from one network of a pair to the other")
    convert.add_argument("target", metavar="FILE.py:FUNCTION", help="makes the pair")
    convert.add_argument("--direction", choices=("torch->flax", "flax->torch"), default="torch->flax")
    convert.add_argument("--out", metavar="FILE", required=True, help="safetensors file to write")
    convert.add_argument("--map", metavar="FILE", help="weight map to use as it is")
    convert.set_defaults(run=_convert)

    known = commands.add_parser("conventions", help="differences of convention that can be accepted by name")
    known.set_defaults(run=_conventions)

    options.add_train(commands, _train)
    _add_reproduce(commands)

    bugs = commands.add_parser("bugs", help="plant known bugs, one at a time, and show which rung catches each")
    bugs.add_argument("ids", nargs="*", metavar="BUG", help="all if none is named")
    bugs.set_defaults(run=_bugs)

    for command in (check, bugs):
        command.add_argument(
            "--seed", type=options.seed, default=0, metavar="N", help="of weights, data and cotangents (0)"
        )
        command.add_argument("--json", metavar="FILE", help="write everything there too")
    return parser


def _add_pair_options(check: argparse.ArgumentParser) -> None:
    pair = check.add_argument_group("for a pair of your own, path/to/file.py:function")
    pair.add_argument("--html", metavar="FILE", help="write the report as one HTML file")
    pair.add_argument("--junit", metavar="FILE", help="write the rungs as JUnit's XML")
    pair.add_argument("--markdown", metavar="FILE", help="write a summary, such as $GITHUB_STEP_SUMMARY")
    pair.add_argument("--repro", metavar="FILE", help="write a script that shows the first difference, if there is one")
    pair.add_argument(
        "--accept", action="append", default=[], metavar="NAME", help="a convention that is no difference to you"
    )
    pair.add_argument("--dropout", choices=("off", "shared"), help="shared: the same masks on both sides (off)")
    pair.add_argument("--no-probes", action="store_true", help="your inputs only")
    pair.add_argument("--map", metavar="FILE", help="weight map to use as it is")
    pair.add_argument("--map-out", metavar="FILE", help="write the weight map")
    pair.add_argument("--show-map", action="store_true", help="print the weight map")
    pair.add_argument(
        "--in-process", action="store_true", help="compare in this process, for a debugger; its crash loses the report"
    )


def _add_reproduce(commands: Any) -> None:
    study = commands.add_parser("reproduce", help="train the study again and judge each of its claims")
    study.add_argument(
        "experiments", nargs="*", metavar="EXPERIMENT", help="points, circles, palindromes, beyond, images; or all"
    )
    study.add_argument("--scale", choices=("full", "quick"), default="full", help="how much is trained (full)")
    study.add_argument("--out", metavar="DIR", help="for record, figures and runs; what is there is not done again")
    study.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="of JAX and PyTorch (cpu)")
    study.add_argument("--data", metavar="NAME", help="images for the image networks; the study's if they are there")
    study.add_argument("--data-dir", metavar="DIR", help="folder that holds the images' files")
    study.add_argument("--so-far", action="store_true", help="images: train nothing, judge the epochs that are there")
    study.set_defaults(run=_reproduce)
