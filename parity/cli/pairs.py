"""The commands on a user's own pairs: `parity check`, `parity convert` and `parity conventions`."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parity.errors import UsageError
from parity.pair.arrays import target

if TYPE_CHECKING:
    from parity.pair.process.child import Asked
    from parity.report.pair import Report


def check(arguments: argparse.Namespace, progress: Callable[[str], None]) -> int:
    """Check the pairs that functions in files make.

    Args:
        arguments: the parsed options of `parity check`.
        progress: called with a few words on what is being done.

    Returns:
        The exit code: 1 if any pair is different, else 3 if any is inconclusive, else 0.

    Raises:
        UsageError: a target, an option of it, or a place to write to is not what it should be. A missing file is
            reported before anything else is loaded.
    """
    for name in arguments.names:
        target.require_function(name)
    from parity.cli.files import ONE_REPORT, require_places, write
    from parity.files import require_writable
    from parity.report import pair_terminal, terminal
    from parity.report.exit_codes import exit_code

    places = require_places(arguments, len(arguments.names), single=(*ONE_REPORT, "json"))
    for option in ("map_out", "repro"):
        require_writable(f"--{option.replace('_', '-')}", getattr(arguments, option))
    reports = _reports(arguments, progress)
    write(reports, places, lambda reports, path: reports[0].to_json(path))
    if arguments.repro and _only(reports, "repro").repro_script:
        reports[0].repro(arguments.repro)
    out = terminal.console()
    for report in reports:
        pair_terminal.show(out, report, show_map=arguments.show_map)
    return exit_code(report.verdict for report in reports)


def _reports(arguments: argparse.Namespace, progress: Callable[[str], None]) -> "list[Report]":
    """The reports on the pairs, which are compared in this process or each in a process of its own."""
    from parity.pair.passes.progress import Progress
    from parity.pair.process import child, parent

    request = _request(arguments)
    if not arguments.in_process:
        return parent.check(arguments.names, request, progress)

    def noting(name: str) -> Progress:
        return Progress(lambda text: progress(f"{name}: {text}"))

    return [child.checked(name, request, noting(name)) for name in arguments.names]


def _only(reports: "Sequence[Report]", form: str) -> "Report":
    if len(reports) != 1:
        raise UsageError(f"--{form} got {len(reports)} pairs; name one")
    return reports[0]


def _request(arguments: argparse.Namespace) -> "Asked":
    """The request that the command line's options make of every pair."""
    from parity.pair.process.child import Asked

    checks = {name: value for name in ("accept", "dropout", "training_flag") if (value := getattr(arguments, name))}
    places = {name: value for name in ("map", "map_out") if (value := getattr(arguments, name))}
    return Asked(checks | ({"probes": False} if arguments.no_probes else {}), {**places, "seed": arguments.seed})


def convert(arguments: argparse.Namespace, progress: Callable[[str], None]) -> int:
    """Write one network's weights in the names and layouts of the other.

    Args:
        arguments: the parsed options of `parity convert`.
        progress: called with a few words on what is being done.

    Returns:
        The exit code, 0.

    Raises:
        UsageError: no map of the weights makes the networks agree, or the file cannot be written.
    """
    target.require_function(arguments.target)
    from parity.backends.processes.configuration import keep_compiled_programs
    from parity.files import require_writable
    from parity.pair.api import converted
    from parity.pair.options import Checks, Request
    from parity.report import terminal

    require_writable("--out", arguments.out)
    keep_compiled_programs()
    progress("making the networks")
    flax, torch, inputs, options = target.load(arguments.target)
    adapters = {key: options[key] for key in ("to_flax", "to_torch") if key in options}
    progress("mapping weights")
    request = Request(map=arguments.map, checks=Checks(accept=arguments.accept), **adapters)
    side, native = converted(flax, torch, inputs, arguments.direction, request)
    count = _save(native, arguments.out, {"layout": side.framework, "direction": arguments.direction})
    terminal.console().print(f"{count} arrays of {side.framework} written to {Path(arguments.out)}", soft_wrap=True)
    return 0


def _save(native: dict[str, Any], path: str, metadata: dict[str, str]) -> int:
    """Write the floating arrays as float32 to a safetensors file; return how many there are."""
    import numpy as np
    from safetensors import numpy as safetensors_numpy

    from parity.files import write_atomically

    if lost := [name for name, array in native.items() if np.iscomplexobj(array)]:
        raise UsageError(
            f"{', '.join(lost)} hold complex numbers, which a safetensors file cannot; use parity.convert in Python"
        )
    floating = {name: array for name, array in native.items() if np.issubdtype(array.dtype, np.floating)}
    arrays = {name: np.require(array.astype(np.float32), requirements="C") for name, array in floating.items()}
    write_atomically(path, safetensors_numpy.save(arrays, metadata={"format": "netparity", **metadata}))
    return len(arrays)


def conventions(arguments: argparse.Namespace) -> int:
    """Print the conventions that can be accepted by name; return the exit code, 0."""
    del arguments
    from rich.table import Table

    from parity.pair.causes.conventions import KNOWN
    from parity.report import terminal

    table = Table("name", "what differs", "mend", box=None)
    for name, convention in KNOWN.items():
        table.add_row(name, convention.text, convention.mend)
    terminal.console().print(table)
    return 0
