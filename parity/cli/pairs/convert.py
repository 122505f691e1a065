"""`parity convert` and `parity conventions`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from parity.cli import options


def add(commands: Any) -> None:
    """Declare the commands and their options."""
    convert = commands.add_parser("convert", help="carry weights from one network of a pair to the other")
    convert.add_argument("target", metavar="FILE.py:FUNCTION", help="makes the pair")
    convert.add_argument("--direction", choices=("torch->flax", "flax->torch"), default="torch->flax")
    convert.add_argument("--out", metavar="FILE", required=True, help="safetensors file to write")
    convert.add_argument("--map", metavar="FILE", help="weight map to use as it is")
    convert.add_argument(
        "--accept", action="append", default=[], metavar="NAME", help="a convention in which the networks may differ"
    )
    options.add_quiet(convert)
    convert.set_defaults(run=_convert)
    known = commands.add_parser("conventions", help="differences of convention that can be accepted by name")
    known.set_defaults(run=_conventions)


def _convert(arguments: argparse.Namespace) -> int:
    from parity.files import require_writable
    from parity.pair.arrays import target

    target.require_function(arguments.target)
    require_writable("--out", arguments.out)
    from parity.cli.shown.progress import ShownProgress

    with ShownProgress(arguments.quiet) as progress:
        return _write(arguments, progress.note)


def _write(arguments: argparse.Namespace, progress: Callable[[str], None]) -> int:
    """Write one network's weights in the names and layouts of the other; return the exit code, 0.

    Raises:
        UsageError: No map of the weights makes the networks agree, or the file cannot be written.
    """
    from parity.backends.processes.configuration import keep_compiled_programs
    from parity.errors import counted
    from parity.pair.api import converted
    from parity.pair.arrays import target
    from parity.pair.options import Checks, Request
    from parity.report import terminal

    keep_compiled_programs()
    progress("making the networks")
    flax, torch, inputs, options = target.load(arguments.target)
    adapters = {key: options[key] for key in ("to_flax", "to_torch") if key in options}
    progress("mapping weights")
    request = Request(map=arguments.map, checks=Checks(accept=arguments.accept), **adapters)
    side, native = converted(flax, torch, inputs, arguments.direction, request)
    count = _save(native, arguments.out, {"layout": side.framework, "direction": arguments.direction})
    message = f"{counted(count, 'array')} of {side.framework} written to {Path(arguments.out)}"
    terminal.console().print(message, soft_wrap=True)
    return 0


def _save(native: dict[str, Any], path: str, metadata: dict[str, str]) -> int:
    """Write the floating arrays as float32 to a safetensors file; return how many there are."""
    import numpy as np
    from safetensors import numpy as safetensors_numpy

    from parity.errors import UsageError
    from parity.files import write_atomically

    if lost := [name for name, array in native.items() if np.iscomplexobj(array)]:
        raise UsageError(
            f"{', '.join(lost)} hold complex numbers, which a safetensors file cannot; use parity.convert in Python"
        )
    floating = {name: array for name, array in native.items() if np.issubdtype(array.dtype, np.floating)}
    arrays = {name: np.require(array.astype(np.float32), requirements="C") for name, array in floating.items()}
    write_atomically(path, safetensors_numpy.save(arrays, metadata={"format": "netparity", **metadata}))
    return len(arrays)


def _conventions(arguments: argparse.Namespace) -> int:
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
