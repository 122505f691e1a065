"""`parity doctor`, the command."""

import argparse
import os
from collections.abc import Mapping
from typing import Any

from parity.cli import options
from parity.errors import counted

FORMAT = "netparity-doctor/1"
PREFIXES = ("JAX_", "XLA_", "TORCH", "PYTORCH_", "OMP_", "MKL_", "CUDA_", "NVIDIA_TF32", "NETPARITY_", "XDG_CACHE_HOME")
"""Beginnings of the environment variables that change what is computed."""


def add(commands: Any) -> None:
    """Declare the command and its options."""
    doctor = commands.add_parser(
        "doctor", help="show versions, devices and settings, and known faults of what is installed"
    )
    options.add_json(doctor)
    doctor.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from parity.files import require_writable

    require_writable("--json", arguments.json)
    from parity.cli.shown.progress import ShownProgress

    with ShownProgress() as progress:
        progress.note("asking the frameworks")
        document = _asked()
    if arguments.json:
        import json

        from parity.files import write_atomically

        write_atomically(arguments.json, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    _show(document)
    return 0


def _asked() -> dict[str, Any]:
    """All that is known of the machine, as values that JSON can hold."""
    from dataclasses import asdict
    from importlib.metadata import PackageNotFoundError, version

    from parity.backends.processes import machine
    from parity.cli.doctor import faults
    from parity.files import cache_folder
    from parity.report.environment import commit, hardware, versions

    installed = versions()
    for package in ("jaxlib", "scipy", "safetensors", "pydantic"):
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            installed[package] = "not installed"
    return {
        "format": FORMAT,
        "versions": installed,
        "commit": commit(),
        "hardware": {name: str(value) for name, value in hardware().items()},
        "frameworks": machine.frameworks(),
        "environment": {n: value for n, value in sorted(os.environ.items()) if n.startswith(PREFIXES)},
        "cache": {str(cache_folder()): _size(str(cache_folder()))},
        "faults": [asdict(fault) for fault in faults.faults_of(installed)],
    }


def _size(folder: str) -> str:
    """The size of all files below a folder, in words."""
    sizes = [entry.stat().st_size for place, _, _ in os.walk(folder) for entry in os.scandir(place) if entry.is_file()]
    return f"{sum(sizes) / 2**20:,.0f} MiB in {counted(len(sizes), 'file')}"


def _show(document: Mapping[str, Any]) -> None:
    """Print everything, a section each, then the faults."""
    from rich.markup import escape
    from rich.table import Table

    from parity.errors import printable
    from parity.report import terminal

    out = terminal.console()
    sections = {name: document[name] for name in ("versions", "hardware", "environment", "cache")}
    for title, lines in {**sections, **document["frameworks"]}.items():
        table = Table(title, "", box=None, header_style="bold")
        for label, words in lines.items():
            table.add_row(*(escape(printable(text)) for text in (label, words)))
        out.print(table, "")
    if not document["faults"]:
        out.print("no known faults of these versions")
    for fault in document["faults"]:
        versions = f"{fault['package']} {document['versions'][fault['package']]}"
        out.print(f"[bold red]known fault[/] of {versions}: {fault['what']}", soft_wrap=True)
        out.print(f"  mend: {fault['mend']}", *(f"\n  {link}" for link in fault["links"]), soft_wrap=True, sep="")
