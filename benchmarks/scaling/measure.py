"""Strong and weak scaling of training on host devices.

`python -m benchmarks.scaling.measure [--json FILE] [--rounds N]` measures it.

Every turn is a fresh process; a round goes through all of them. N devices have min(N, cores) cores: with more devices
than cores there is no gain, and the loss is the price of the devices.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.scaling.page import table
from benchmarks.scaling.worker import Job
from benchmarks.speed import process
from benchmarks.speed.load import Load
from parity.errors import UsageError
from parity.files import require_writable, write_atomically
from parity.report.environment import commit, hardware, versions

FRAMEWORKS, DEVICES = ("jax", "torch"), (1, 2, 4, 8)
WORKLOADS: Mapping[str, tuple[int, int]] = {"mlp": (128, 30), "vgg-32": (32, 4)}
"""Name of a workload → the study's batch size, and the number of steps of a turn."""
LOOK = 0.5
"""Seconds before a turn in which nothing of ours runs, so that the load of others can be measured."""


def cases() -> Iterator[dict[str, Any]]:
    """Yield the cases of a round: the global batch stays the same (strong), or each device's part does (weak)."""
    for name, (batch, _) in WORKLOADS.items():
        for count in DEVICES:
            for scaling in ("one device",) if count == 1 else ("strong", "weak"):
                size = batch * count if scaling == "weak" else batch
                about = {"scaling": scaling, "workload": name, "batch": size, "devices": count}
                yield from ({"framework": framework, **about} for framework in FRAMEWORKS)


def turn(case: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Time a case in a fresh process; `out` is the file of its result."""
    load = Load()
    time.sleep(LOOK)
    others = load.others()
    workload, (_, steps) = f"{case['workload']}:batch={case['batch']}", WORKLOADS[case["workload"]]
    job = Job(case["framework"], workload, case["devices"], steps)
    threads = process.threads_of(1) if case["devices"] == 1 else {}
    command = ["benchmarks.scaling.worker", json.dumps(asdict(job)), str(out)]
    return {**case, **process.launch(command, out, {**threads, "JAX_PLATFORMS": "cpu"}), "others_before": others}


def measured(rounds: int) -> Iterator[dict[str, Any]]:
    """Yield every turn of every round."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for case in cases():
                result = turn(case, Path(folder) / "turn.json")
                print(f"{number + 1}/{rounds} {result}", file=sys.stderr, flush=True)
                yield result


def main(argv: list[str]) -> int:
    """Measure, print the table, write the record; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling.measure", description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="keep the record there")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each case (3)")
    arguments = parser.parse_args(argv)
    try:
        require_writable("--json", arguments.json)
        record = {**_about(arguments.rounds), "turns": list(measured(arguments.rounds))}
    except (UsageError, process.ProcessError) as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        write_atomically(arguments.json, _text(record))
    print(table(record))
    return 0


def _about(rounds: int) -> dict[str, Any]:
    return {
        "command": f"python -m benchmarks.scaling.measure --rounds {rounds}",
        "date": datetime.now(UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)),
        "commit": commit(),
        "versions": versions(),
        "hardware": hardware(),
    }


def _text(record: Mapping[str, Any]) -> str:
    """The record as JSON, with one turn on a line."""
    lines = ",\n  ".join(json.dumps(turn) for turn in record["turns"])
    whole = json.dumps({**record, "turns": []}, indent=1)
    return whole.replace('"turns": []', f'"turns": [\n  {lines}\n ]') + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
