"""`parity check`: prove that networks are the same function, recipes of the project's or pairs that a user brings."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from parity.cli import completion, options
from parity.errors import UsageError

if TYPE_CHECKING:
    from parity.cli.pairs.chosen import Pair

RECIPES_ONLY = ("rungs", "devices", "batch_norm", "data", "length", "weights", "data_dir", "download", "full")
PAIRS_ONLY = ("dropout", "no_probes", "training_flag", "map", "map_out", "show_map", "repro", "in_process", "github")


def add(commands: Any) -> None:
    """Declare the command and its options."""
    check = commands.add_parser("check", help="check networks: recipes, or pairs of your own")
    names = check.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a recipe (parity list), study or zoo for all of either, path/to/file.py:function that returns your pair "
        "and inputs, or a pair that parity.toml or pyproject.toml lists here; of none, all that are listed, else the "
        "study",
    )
    names.completer = completion.names  # where argcomplete looks
    _add_recipe_options(check)
    options.add_seed(check)
    options.add_quiet(check)
    _add_report_options(check)
    _add_pair_options(check)
    check.set_defaults(run=_run)


def _add_recipe_options(check: argparse.ArgumentParser) -> None:
    check.add_argument(
        "--rungs", metavar="LIST", help="rungs of the ladder, such as 2-4 or forward,update; all if left out"
    )
    check.add_argument(
        "--device",
        type=options.device,
        metavar="DEVICE",
        help="where JAX and PyTorch compute: cpu or gpu (cuda); a pair of your own also on tpu, or on one of several "
        "such as gpu:1 (cpu)",
    )
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
    check.add_argument("--full", action="store_true", help="networks of the zoo at the sizes that they are trained at")
    check.add_argument("--weights", metavar="FILE", help="canonical weights (safetensors) to check one network with")
    check.add_argument("--data-dir", metavar="DIR", help="folder that holds the images' files")
    check.add_argument("--download", action="store_true", help="let torchvision download the images")


def _add_report_options(check: argparse.ArgumentParser) -> None:
    reports = check.add_argument_group("reports")
    options.add_json(reports)
    reports.add_argument(
        "--html", metavar="FILE", help="write the report as one HTML file; of several, a folder of them"
    )
    reports.add_argument("--junit", metavar="FILE", help="write the rungs as JUnit's XML")
    reports.add_argument("--markdown", metavar="FILE", help="write a summary, such as $GITHUB_STEP_SUMMARY")
    reports.add_argument("--github", action="store_true", help="print what differs as annotations of your lines")
    reports.add_argument(
        "--accept", action="append", default=[], metavar="NAME", help="a convention that is no difference to you"
    )


def _add_pair_options(check: argparse.ArgumentParser) -> None:
    pair = check.add_argument_group("for a pair of your own, path/to/file.py:function")
    pair.add_argument("--repro", metavar="FILE", help="write a script that shows the first difference, if there is one")
    pair.add_argument("--dropout", choices=("off", "shared"), help="shared: the same draws on both sides (off)")
    pair.add_argument("--no-probes", action="store_true", help="your inputs only")
    pair.add_argument(
        "--training-flag",
        metavar="NAME",
        help='Flax\'s argument that says that it trains, where that is not a usual one ("not NAME": that it does not)',
    )
    pair.add_argument("--map", metavar="FILE", help="weight map to use as it is")
    pair.add_argument("--map-out", metavar="FILE", help="write the weight map")
    pair.add_argument("--show-map", action="store_true", help="print the weight map")
    pair.add_argument(
        "--in-process", action="store_true", help="compare in this process, for a debugger; its crash loses the report"
    )


def _run(arguments: argparse.Namespace) -> int:
    from parity.cli.pairs.chosen import split

    pairs, others = split(arguments.names)
    if pairs and others:
        raise UsageError(f"got {', '.join(others)} beside pairs of your own; check recipes by themselves")
    return _pairs(arguments, pairs) if pairs else _recipes(arguments)


def _pairs(arguments: argparse.Namespace, pairs: "Sequence[Pair]") -> int:
    if used := _used(arguments, RECIPES_ONLY):
        raise UsageError(f"--{used} is for recipes; the file's function makes networks and inputs")
    from parity.cli.pairs.check import check, require

    require(arguments, pairs)
    from parity.cli.shown.progress import ShownProgress

    names = {pair.target: pair.name for pair in pairs}
    with ShownProgress(arguments.quiet, names, arguments.words) as progress:
        return check(arguments, pairs, progress.listener)


def _recipes(arguments: argparse.Namespace) -> int:
    if used := _used(arguments, PAIRS_ONLY):
        raise UsageError(f"--{used} is for a pair of your own; name it as path/to/file.py:function")
    from parity.cli import recipes
    from parity.cli.shown.progress import ShownProgress

    chosen = recipes.chosen(arguments)
    names = {recipe.name: recipe.name for recipe in chosen}
    with ShownProgress(arguments.quiet, names, arguments.words) as progress:
        return recipes.check(arguments, chosen, progress.listener)


def _used(arguments: argparse.Namespace, names: tuple[str, ...]) -> str:
    """The first of these options that is set, as it is written on the command line; "" if none is."""
    used = (name for name in names if getattr(arguments, name) not in (None, False, []))
    return next(used, "").replace("_", "-")
