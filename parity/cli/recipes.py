"""`parity check` on recipes: the project's own networks, proven against each other and against NumPy."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from parity import recipes, weights
from parity.backends import Devices
from parity.checks.devices import NUMBER
from parity.checks.ladder import RUNGS, parse_rungs
from parity.cli import interrupt
from parity.cli.files import require_places, say, write
from parity.data.image_sets import is_images, unknown_images
from parity.errors import UsageError
from parity.pair.causes.conventions import known_names
from parity.report import json_, terminal
from parity.report.exit_codes import exit_code
from parity.report.listener import Listener
from parity.twins.side_by_side import check_side_by_side


def check(arguments: argparse.Namespace, chosen: Sequence[recipes.Recipe], listener: Listener) -> int:
    """Check recipes, those that `chosen` gives; return the exit code.

    Raises:
        UsageError: an option, the data or a place to write to is not what it should be.
    """
    rungs, devices, device = _rungs(arguments), _devices(arguments), _device(arguments)
    known_names(arguments.accept)
    trained = weights.load(arguments.weights) if arguments.weights else None
    places = require_places(arguments, len(chosen))
    settings = {
        "rungs": rungs,
        "seed": arguments.seed,
        "device": device,
        "folder": arguments.data_dir,
        "download": arguments.download,
        "weights": trained,
        "devices": devices,
        "accept": arguments.accept,
    }
    if devices:
        interrupt.gently()  # which ends the processes of the devices too
    alone = device != "cpu" or bool(devices) or arguments.download  # nobody else may use the device, or fetch the same
    reports = check_side_by_side(chosen, settings, listener, 1 if alone else None)
    written = write(reports, places, json_.write)
    terminal.show_results(terminal.console(), reports, quiet=arguments.quiet)
    say(written, arguments.quiet)
    return exit_code(report.verdict for report in reports)


def _rungs(arguments: argparse.Namespace) -> Sequence[int]:
    """The rungs to climb: by default the ladder's, and that of the devices where there are several."""
    if arguments.rungs is None:
        return (*RUNGS, NUMBER) if arguments.devices else RUNGS
    chosen = parse_rungs(arguments.rungs)
    if (NUMBER in chosen) != bool(arguments.devices):
        raise UsageError(f"rung {NUMBER} (devices) and --devices N[,N…] go together; give both or neither")
    return chosen


def _device(arguments: argparse.Namespace) -> str:
    place = arguments.device or "cpu"
    if place not in ("cpu", "gpu"):
        raise UsageError(f"got --device {place}; recipes are checked on cpu or gpu")
    return place


def _devices(arguments: argparse.Namespace) -> list[Devices]:
    apart = arguments.batch_norm == "per-device"
    if apart and not arguments.devices:
        raise UsageError("--batch-norm says what BatchNorm does on several devices; give --devices too")
    return [Devices(count, count if apart else 1) for count in arguments.devices]


def chosen(arguments: argparse.Namespace) -> list[recipes.Recipe]:
    """The recipes that the command line names, all if it names none, with the data and the length of its options.

    Raises:
        UsageError: a name is unknown, or an option fits none of them.
    """
    chosen = [recipes.load(name) for name in recipes.chosen(arguments.names)]
    if not (arguments.full or arguments.weights):
        chosen = [recipe.at_check_size for recipe in chosen]
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
