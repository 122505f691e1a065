"""`python -m benchmarks run`, `report`, `compare`: who trains faster, between networks that are proven the same."""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from benchmarks import contestants
from benchmarks.contestants import workload
from benchmarks.contestants.workload import PRECISIONS
from benchmarks.gpu import run as gpu
from benchmarks.growth import measure as growth
from benchmarks.speed import record
from benchmarks.waits import measure as time_to
from parity.errors import UsageError
from parity.files import require_writable, write_atomically

TRACKS = ("default", "tuned", "peer")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code, 2 for a usage error."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.do(arguments)
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _run(arguments: argparse.Namespace) -> int:
    from benchmarks.speed import measure
    from benchmarks.speed.pages import table

    chosen = arguments.contestant or measure.default_contestants(arguments.track or TRACKS)
    quick = {"rounds": 1, "blocks": 2, "seconds": 0.02} if arguments.quick else {}
    overrides = {name: getattr(arguments, name) for name in ("rounds", "blocks", "seconds", "threads")}
    request = measure.Request(
        workloads=[
            workload.load(name).name
            for name in arguments.workload or (["points"] if arguments.quick else workload.workloads())
        ],
        contestants=[contestants.entry(name).name for name in chosen],
        precision=arguments.precision,
        device=arguments.device,
        **{**quick, **{name: value for name, value in overrides.items() if value is not None}},
    )
    return record.make(arguments.out, "", partial(measure.measure, request), table.table)


def _report(arguments: argparse.Namespace) -> int:
    from benchmarks.speed.pages import report

    return report.report(arguments.record, arguments.html, checked=arguments.check)


def _compare(arguments: argparse.Namespace) -> int:
    from benchmarks.speed.pages import compare

    require_writable("--json", arguments.json)
    old, new = (record.load(Path(path)) for path in (arguments.old, arguments.new))
    print(compare.text(old, new))
    if arguments.json:
        write_atomically(arguments.json, json.dumps(compare.as_json(old, new), indent=1) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="prove and time; writes a record")
    run.add_argument("--workload", action="append", metavar="NAME", help=f"of {', '.join(workload.workloads())} (all)")
    run.add_argument("--track", action="append", choices=TRACKS, help="which contestants (all)")
    run.add_argument("--contestant", action="append", metavar="NAME", help=f"of {', '.join(contestants.ENTRIES)}")
    run.add_argument("--precision", choices=PRECISIONS, default="float32", help="of products (float32: strict)")
    run.add_argument("--device", choices=("cpu", "gpu", "tpu"), default="cpu")
    run.add_argument("--rounds", type=int, help="turns of each contestant, in a fresh process each (5)")
    run.add_argument("--blocks", type=int, help="timed blocks of a turn (5)")
    run.add_argument("--seconds", type=float, help="least length of a block (0.1)")
    run.add_argument("--threads", type=int, help="cores that each process may use (all)")
    run.add_argument(
        "--quick", action="store_true", help="one short round of the smallest workload, to see that it works"
    )
    run.add_argument("--out", metavar="FILE", help="the record (a dated file under build/benchmarks)")
    run.set_defaults(do=_run)
    report = commands.add_parser("report", help="write the pages of a record")
    report.add_argument("record", nargs="?", metavar="RECORD", help="a record, or its folder (the project's newest)")
    report.add_argument("--html", metavar="FILE", help="the HTML page (beside the record)")
    report.add_argument("--check", action="store_true", help="write nothing; 1 where a page differs from the record")
    report.set_defaults(do=_report)
    compare = commands.add_parser("compare", help="what has changed between two records")
    compare.add_argument("old", metavar="OLD")
    compare.add_argument("new", metavar="NEW")
    compare.add_argument("--json", metavar="FILE", help="the same for programs")
    compare.set_defaults(do=_compare)
    growth.add_command(commands)
    time_to.add_command(commands)
    gpu.add_command(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
