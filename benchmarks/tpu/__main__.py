"""The TPU compiler's estimates of every train step; no TPU is needed, and nothing is measured.

python -m benchmarks.tpu [--workload …] [--chip …] [--precision …] [--effort fast|default] [--json FILE]
python -m benchmarks.tpu --pods [--chips N …] [--scaling weak|strong] [--json FILE]     the step on many chips
python -m benchmarks.tpu --export [--workload …]     does every step lower for TPUs? needs no libtpu
python -m benchmarks.tpu --page [--check]            write docs/tpu.md and the tables beside the records, or compare
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.pages.blocks import beside, update
from benchmarks.tpu import pod_record as pod_records
from benchmarks.tpu import record as records
from benchmarks.tpu.chips import CHIPS, PASSES, SIZES, SLICES
from benchmarks.tpu.estimate import Estimate
from benchmarks.tpu.pods import SCALINGS, STEPS, batches
from benchmarks.tpu.workloads import WORKLOADS
from parity.errors import UsageError, unknown_name
from parity.report.environment import commit, hardware, versions

PAGE = ROOT / "docs" / "tpu.md"
COMMAND = "python -m benchmarks.tpu --page"
ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "JAX_ENABLE_COMPILATION_CACHE": "false",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "TPU_WORKER_ID": "0",
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    "TPU_LOG_DIR": "disabled",
}
"""Environment variables by which JAX and libtpu, when they are loaded, describe TPUs that are not there."""


def newest(kind: str = "compiler") -> Path:
    """The path of the newest record of a kind, "compiler" or "pods"."""
    return sorted((ROOT / "benchmarks" / "records").glob(f"*-tpu-{kind}.json"))[-1]


def require_libtpu() -> None:
    """Raise UsageError where the TPU compiler is not installed."""
    if find_spec("libtpu") is None:
        raise UsageError("libtpu, the TPU compiler, is not installed; pip install 'netparity[tpu-aot]'")


def ask_compiler(*arguments: str, compiler: str = "compiler") -> Iterator[tuple[str, Any]]:
    """Run a compiler in its own process; yield its answers, "chip", "estimate", "pod" or "failure" with a value."""
    command = [sys.executable, "-m", f"benchmarks.tpu.{compiler}", *arguments]
    run = subprocess.run(command, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True)
    yield from (next(iter(json.loads(line).items())) for line in run.stdout.splitlines() if line.startswith("{"))
    if run.returncode:
        last = (run.stderr.strip().splitlines() or ["no message"])[-1]
        yield "failure", f"the compiler's process ended with {run.returncode}: {last}"


def sweep(
    record: records.Record, chips: Sequence[str], workloads: Sequence[str], precisions: Sequence[str], effort: str
) -> Iterator[list[Estimate]]:
    """Compile every step for every chip, put its estimates into the record, and yield them for each step and chip.

    A failure is put into the record too, and does not stop the others.
    """
    for chip in chips:
        for kind, answer in ask_compiler(chip) if chip not in record["chips"] else ():
            if kind == "chip":
                record["chips"][chip] = answer
            else:
                _fail(record, f"{chip}: {answer}")
    for workload in workloads:
        for chip in chips:
            answers = list(ask_compiler(chip, workload, effort, *precisions))
            estimates = [Estimate(**answer) for kind, answer in answers if kind == "estimate"]
            records.add(record, estimates)
            for kind, answer in answers:
                if kind == "failure":
                    _fail(record, f"{chip}, {workload}, {effort}: {answer}")
            yield estimates


def _fail(record: records.Record, message: str) -> None:
    print(message, file=sys.stderr)
    record["failures"].append(message)


def estimate(arguments: argparse.Namespace) -> int:
    """Compile the steps for single chips, print and keep the estimates; return 1 where something failed."""
    require_libtpu()
    record = records.read(arguments.json) if arguments.json else records.empty()
    failed = len(record["failures"])
    record["runs"].append(_run(arguments))
    print(f"Every number is a {records.LABEL}; nothing ran on a TPU.")
    chosen = arguments.chip or [*CHIPS], arguments.workload or [*WORKLOADS], arguments.precision or [*PASSES]
    for estimates in sweep(record, *chosen, arguments.effort):
        if estimates:
            print(f"\n{estimates[0].workload} on {estimates[0].chip}\n{records.table(estimates)}", flush=True)
        if arguments.json:
            records.write(record, arguments.json)
    return int(len(record["failures"]) > failed)


def pods(arguments: argparse.Namespace) -> int:
    """Compile the steps for many chips, print and keep the estimates; return 1 where something failed."""
    require_libtpu()
    steps = _requested(arguments)
    record = pod_records.read(arguments.json) if arguments.json else pod_records.empty()
    failed = len(record["failures"])
    record["runs"].append(_run(arguments))
    print(f"Every number is a {records.LABEL}; nothing ran on a TPU.")
    for what in steps:
        for kind, answer in ask_compiler(*what, compiler="pod_compiler"):
            if kind == "pod":
                records.add(record, [pod := pod_records.pod(answer)], "pods")
                print(f"\n{pod.workload}\n{pod_records.table([pod])}", flush=True)
            else:
                _fail(record, f"{', '.join(what)}: {answer}")
        if arguments.json:
            records.write(record, arguments.json, "pods")
    return int(len(record["failures"]) > failed)


def _requested(arguments: argparse.Namespace) -> list[tuple[str, ...]]:
    """Chip, number of chips, batch, workload, effort and precision of every step to compile, each once."""
    chips, scalings = arguments.chip or ["v5e"], arguments.scaling or SCALINGS
    for chip in chips:
        if chip not in SLICES:
            raise unknown_name("--chip of --pods", chip, SLICES)
    choices = product(arguments.workload or STEPS, chips, arguments.precision or ["highest"], arguments.chips or SIZES)
    return [
        (chip, str(size), str(batch), workload, arguments.effort, precision)
        for workload, chip, precision, size in choices
        for batch in sorted({batches(workload, size)[scaling] for scaling in scalings})
    ]


def _run(arguments: argparse.Namespace) -> dict[str, Any]:
    """The entry of a run in the record: the command without --json, commit, versions and hardware."""
    names = ("workload", "chip", "precision", "chips", "scaling")
    options = ["--pods"] * arguments.pods
    options += [f"--{name} {value}" for name in names for value in getattr(arguments, name) or ()]
    return {
        "command": " ".join(["python -m benchmarks.tpu", *options, f"--effort {arguments.effort}"]),
        "commit": commit(),
        "versions": {**versions(), "libtpu": version("libtpu")},
        "hardware": hardware(),
    }


def export(arguments: argparse.Namespace) -> int:
    """Lower every step for TPUs, print its operations and faults; return 1 where one has a fault."""
    from benchmarks.tpu.export import exported

    faults = 0
    for name in arguments.workload or WORKLOADS:
        program = exported(WORKLOADS[name])
        faults += bool(program.faults)
        print(f"{name}: {program.operations} operations for TPUs, {'; '.join(program.faults) or 'no fault'}")
    return int(bool(faults))


def main(argv: list[str]) -> int:
    """Estimate, export, or write the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tpu", description=__doc__.splitlines()[0])
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="may be repeated; default: all")
    parser.add_argument("--chip", action="append", choices=CHIPS, help="may be repeated; default: all")
    parser.add_argument("--precision", action="append", choices=PASSES, help="of products; default: all")
    parser.add_argument("--effort", choices=("fast", "default"), default="fast", help="how hard the compiler tries")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the estimates; others that are there stay")
    parser.add_argument("--pods", action="store_true", help="the step on many chips, by default v5e, in highest")
    parser.add_argument("--chips", action="append", type=int, choices=SIZES, help="with --pods; may be repeated")
    parser.add_argument("--scaling", action="append", choices=SCALINGS, help="with --pods; may be repeated")
    parser.add_argument("--export", action="store_true", help="only lower for TPUs, without libtpu")
    parser.add_argument("--page", action="store_true", help="write docs/tpu.md")
    parser.add_argument(
        "--check", action="store_true", help="with --page: write nothing, tell whether it is up to date"
    )
    arguments = parser.parse_args(argv)
    try:
        if arguments.page:
            return _page(arguments.check)
        return (export if arguments.export else pods if arguments.pods else estimate)(arguments)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2


def _page(check: bool) -> int:
    single, many = newest(), newest("pods")
    chips, slices = records.read(single), pod_records.read(many)
    tables = {
        single.with_suffix(".md"): _beside("What the TPU compiler says of every step", single, records.tables(chips)),
        many.with_suffix(".md"): _beside("The same steps on many chips", many, pod_records.tables(slices)),
    }
    place = "../benchmarks/records"
    whole = (
        f"- [every step on {len(chips['chips'])} kinds of chips]({place}/{single.stem}.md)\n"
        f"- [the steps on several chips]({place}/{many.stem}.md)"
    )
    return update(
        [PAGE],
        {**records.page(chips), **pod_records.page(slices), "whole": whole},
        check=check,
        source=f"{single.name} or {many.name}",
        command=COMMAND,
        tables=tables,
    )


def _beside(title: str, path: Path, parts: Sequence[str]) -> str:
    explained = f"Every number is a {records.LABEL}; the columns are explained in [docs/tpu.md](../../docs/tpu.md)."
    return beside(title, path.name, COMMAND, explained, *parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
