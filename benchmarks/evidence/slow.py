"""The tests that take minutes each, run and counted: `python -m benchmarks.evidence.slow --json FILE`."""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

from benchmarks.evidence.record import ROOT
from benchmarks.speed.pages.table import markdown
from parity.files import require_writable, write_atomically
from parity.report.environment import commit, versions

COMMAND = "python -m benchmarks.evidence.slow"


def main(argv: list[str]) -> int:
    """Run the slow tests, count them, write the record; return pytest's exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args(argv)
    require_writable("--json", arguments.json)
    with TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        pytest = [sys.executable, "-m", "pytest", "-m", "slow", "-n", "2", f"--junitxml={report}"]
        ended = subprocess.run(pytest, cwd=ROOT, check=False).returncode
        record = {"command": COMMAND, "commit": commit(), "versions": versions(), **counted(report)}
    if arguments.json:
        write_atomically(arguments.json, json.dumps(record, indent=1) + "\n")
    return ended


def counted(report: Path) -> dict[str, Any]:
    """Read pytest's JUnit report: the seconds in all, and by module how many tests passed, failed and were skipped."""
    suite = next(ElementTree.parse(report).getroot().iter("testsuite"))
    modules: dict[str, dict[str, int]] = {}
    for case in suite.iter("testcase"):
        kinds = {part.tag for part in case}
        kind = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        counts = modules.setdefault(case.attrib["classname"], dict.fromkeys(("passed", "failed", "skipped"), 0))
        counts[kind] += 1
    return {"seconds": round(float(suite.attrib["time"])), "modules": modules}


def block(record: Mapping[str, Any]) -> str:
    """The table of the slow tests, with a row for each module of tests."""
    rows = [[f"`{name}`", *map(str, counts.values())] for name, counts in sorted(record["modules"].items())]
    table = markdown(("tests", "passed", "failed", "skipped"), rows)
    return f"The last run took {record['seconds'] / 60:.0f} min at commit {record['commit']}.\n\n{table}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
