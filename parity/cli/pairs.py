"""The commands on pairs that a user brings."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from safetensors import numpy as safetensors_numpy

from parity.backends.processes.configuration import keep_compiled_programs
from parity.cli.files import ONE_REPORT, require_places, write
from parity.errors import UsageError
from parity.files import require_writable, write_atomically
from parity.pair.arrays import target
from parity.pair.causes.conventions import KNOWN
from parity.pair.passes.progress import Progress
from parity.pair.process import child as worker
from parity.pair.process import parent as isolated
from parity.report import pair_terminal, terminal
from parity.report.exit_codes import exit_code
from parity.report.pair import Report


def check(arguments: argparse.Namespace, progress: Callable[[str], None]) -> int:
    """Check the pair that a function in a file makes; the exit code.

    Raises:
        UsageError: the target, an option of it, or a place to write to is not what it should be.
    """
    places = require_places(arguments, len(arguments.names), single=(*ONE_REPORT, "json"))
    for form, path in {"map-out": arguments.map_out, "repro": arguments.repro}.items():
        require_writable(f"--{form}", path)
    asked = _asked(arguments)
    if arguments.in_process:
        reports = [worker.checked(name, asked, _noting(name, progress)) for name in arguments.names]
    else:
        reports = isolated.check(arguments.names, asked, progress)
    write(reports, places, lambda reports, path: reports[0].to_json(path))
    if arguments.repro and _only(reports, "repro").repro_script:
        reports[0].repro(arguments.repro)
    out = terminal.console()
    for report in reports:
        pair_terminal.show(out, report, show_map=arguments.show_map)
    return exit_code(report.verdict for report in reports)


def _only(reports: list[Report], form: str) -> Report:
    if len(reports) != 1:
        raise UsageError(f"--{form} got {len(reports)} pairs; name one")
    return reports[0]


def _noting(name: str, progress: Callable[[str], None]) -> Progress:
    return Progress(lambda text: progress(f"{name}: {text}"))


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options that were given, by the names that `parity.compare` has for them."""
    given = {name: getattr(arguments, name) for name in ("accept", "dropout", "map", "map_out")}
    asked = {name: value for name, value in given.items() if value}
    return {**asked, **({"probes": False} if arguments.no_probes else {}), "seed": arguments.seed}


def convert(arguments: argparse.Namespace, progress: Callable[[str], None]) -> int:
    """Write one network's weights as the other's; the exit code.

    Raises:
        UsageError: the networks do not agree with any map, or the file cannot be written.
    """
    from parity.pair.api import converted

    require_writable("--out", arguments.out)
    keep_compiled_programs()
    progress("making the networks")
    flax, torch, inputs, options = target.load(arguments.target)
    adapters = {key: options[key] for key in ("to_flax", "to_torch") if key in options}
    progress("mapping weights")
    side, native = converted(flax, torch, inputs, arguments.direction, map=arguments.map, **adapters)
    arrays = {name: np.require(array.astype(np.float32), requirements="C") for name, array in _floating(native).items()}
    metadata = {"format": "netparity", "layout": side.framework, "direction": arguments.direction}
    write_atomically(arguments.out, safetensors_numpy.save(arrays, metadata=metadata))
    terminal.console().print(
        f"{len(arrays)} arrays of {side.framework} written to {Path(arguments.out)}", soft_wrap=True
    )
    return 0


def _floating(native: dict[str, Any]) -> dict[str, Any]:
    return {name: array for name, array in native.items() if np.issubdtype(array.dtype, np.floating)}


def conventions(arguments: argparse.Namespace) -> int:
    """List the conventions that can be accepted by name."""
    del arguments
    table = Table("name", "what differs", "mend", box=None)
    for name, one in KNOWN.items():
        table.add_row(name, one.text, one.mend)
    terminal.console().print(table)
    return 0
