"""Mutants that the tests let through: `python -m benchmarks.evidence.mutants --json FILE [--read]`.

mutmut changes the functions of the checks and of the weight map, one place at a time, and runs their tests; a change
that these do not notice has survived. Each survivor is explained in `survivors.toml`. The exit code is 1 where less
than `LEAST` of the mutants are caught, or where explanations and survivors do not match.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.evidence.record import ROOT
from parity.errors import UsageError
from parity.files import require_writable, write_atomically
from parity.report.environment import commit, versions

Explained = Mapping[tuple[str, str], str]
"""(function, change) → the reason why the change does not matter."""
COMMAND = "python -m benchmarks.evidence.mutants"
LEAST = 0.9
"""Least share of the mutants that must be caught."""
CAUGHT = ("killed", "timeout")
"""Statuses of mutants that the tests notice: one that never ends is noticed too."""
EXPLAINED = Path(__file__).with_name("survivors.toml")
FOLDER = ROOT / "mutants"
"""The folder that mutmut works in, which cannot be chosen."""


def main(argv: list[str]) -> int:
    """Run mutmut, print the scores, write the record; return 1 if the record has a fault."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.split("\n")[0])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--read", action="store_true", help="what mutmut has left in mutants/, without running it")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count(), help="run at once (as many as there are cores)"
    )
    arguments = parser.parse_args(argv)
    require_writable("--json", arguments.json)
    if find_spec("mutmut") is None:
        raise UsageError("mutmut is not installed; pip install 'netparity[mutation]'")
    about: dict[str, Any] = {"command": COMMAND, "commit": commit()}
    about["versions"] = versions() | {"mutmut": version("mutmut")}
    if not arguments.read:
        started = time.perf_counter()
        run(arguments.processes)
        about |= {"seconds": round(time.perf_counter() - started), "processes": arguments.processes}
    record = about | left()
    if arguments.json:
        write_atomically(arguments.json, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    print("\n".join(summary(record)))
    wrong = faults(record, explanations())
    for fault in wrong:
        print(fault, file=sys.stderr)
    return int(bool(wrong))


def run(processes: int) -> None:
    """Make all mutants anew and run the tests on each, `processes` at once.

    Raises:
        UsageError: mutmut ended before it was done, for example because the tests fail without a mutant.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", str(processes)]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False).returncode
    if ended:
        raise UsageError(f"mutmut ended with {ended}; it says why above; mend that and run it again")


def left() -> dict[str, Any]:
    """Collect the results that mutmut left in its folder."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.stats import status_by_exit_code

    return collected(FOLDER, status_by_exit_code, lambda name, module: get_diff_for_mutant(name, path=module))


def collected(folder: Path, status: Mapping[int | None, str], diff: Callable[[str, str], str]) -> dict[str, Any]:
    """Count how the mutants of each module ended, and list those that were not caught.

    Args:
        folder: folder that mutmut worked in.
        status: exit code of the tests → status of the mutant.
        diff: function that gives a mutant's unified diff, by its name and module.

    Raises:
        UsageError: there are no mutants, or some are still to be tested.
    """
    modules: dict[str, Counter[str]] = {}
    survivors = []
    for path in sorted(folder.rglob("*.py.meta")):
        module = str(path.relative_to(folder)).removesuffix(".meta")
        ended = {name: status[code] for name, code in json.loads(path.read_text())["exit_code_by_key"].items()}
        if ended:
            modules[module] = Counter(ended.values()) + Counter(mutants=len(ended))
        lost = [name for name, how in ended.items() if how not in CAUGHT]
        survivors += [{"function": function(name), "change": change(diff(name, module))} for name in lost]
    if not modules or any("not checked" in counts for counts in modules.values()):
        raise UsageError(f"{folder} holds no finished run of mutmut; run {COMMAND} without --read")
    return {"modules": modules, "survivors": survivors}


def function(mutant: str) -> str:
    """The dotted name of the mutated function, from mutmut's `module.x_function__mutmut_7`."""
    module, _, leaf = mutant.partition("__mutmut_")[0].rpartition(".")
    return f"{module}.{leaf.removeprefix('x').removeprefix('_').strip('ǁ').replace('ǁ', '.')}"


def change(diff: str) -> str:
    """The change of a mutant in one line, `was → is`, from its unified diff."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    was, now = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return f"{was} → {now}"


def explanations(path: Path = EXPLAINED) -> Explained:
    """Read the explanations of survivors from a file such as `survivors.toml`."""
    entries = tomllib.loads(path.read_text()).get("explained", [])
    return {(entry["function"], what): entry["why"] for entry in entries for what in entry["changes"]}


def score(counts: Mapping[str, int]) -> float:
    """The share of the mutants that were caught, 0 to 1."""
    return sum(counts.get(status, 0) for status in CAUGHT) / counts["mutants"]


def total(record: Mapping[str, Any]) -> Counter[str]:
    """The counts of all modules added up."""
    return sum((Counter(counts) for counts in record["modules"].values()), Counter())


def faults(record: Mapping[str, Any], explained: Explained) -> list[str]:
    """The faults of a record in words: too few mutants caught, or explanations that do not match the survivors."""
    survived = {(survivor["function"], survivor["change"]) for survivor in record["survivors"]}
    reached = score(total(record))
    return [
        *(
            [f"{reached:.1%} of the mutants are caught; expected at least {LEAST:.0%}: write tests"]
            if reached < LEAST
            else []
        ),
        *_listed("survived, and is not explained in survivors.toml", survived - explained.keys()),
        *_listed("is explained in survivors.toml, but has not survived", explained.keys() - survived),
    ]


def _listed(what: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{what}: {function}: {change}" for function, change in sorted(pairs)]


def summary(record: Mapping[str, Any]) -> Sequence[str]:
    """One line for each module, and one for all together."""
    return [
        f"{name}: {counts['mutants']} mutants, {score(counts):.1%} caught"
        for name, counts in {**record["modules"], "all": total(record)}.items()
    ]


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        sys.exit(2)
