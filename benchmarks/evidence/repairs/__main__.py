"""How many planted bugs `parity repair` mends in source files, each pair proven again.

`python -m benchmarks.evidence.repairs [BUG …] [--drawn N] [--json FILE]`. Every bug of the catalogue that is planted
in a brought pair is written into a source file as a user would have it (`benchmarks/evidence/repairs/sources.py`);
those that are planted in texts (`benchmarks/evidence/causes/written`) are in files already. `--drawn N` takes the
first N drawn bugs in their place, each written as the source of both sides (`benchmarks/evidence/drawn/text`). Each
is repaired as `parity repair` does: patches by rule, each tried on a copy and proven by the whole check. One process
for each bug; what is in the file already is not done again.
"""

import argparse
import importlib
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from benchmarks.evidence.record import UNTRIED
from benchmarks.evidence.repairs.broken import PLANTED, Broken, broken, drawn, place
from parity.backends.processes.configuration import keep_compiled_programs
from parity.checks.verdict import Verdict
from parity.errors import UsageError
from parity.files import require_writable, write_atomically
from parity.report.environment import commit, versions

COMMAND = "python -m benchmarks.evidence.repairs"
PATIENCE = 3_000
"""Seconds after which a repair is given up."""


def main(argv: Sequence[str]) -> int:
    """Repair the bugs, print what came of each, write the record after each."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("ids", nargs="*", metavar="BUG")
    parser.add_argument("--drawn", type=int, default=0, metavar="N", help="repair the first N drawn bugs")
    parser.add_argument("--json", metavar="FILE", help="the record; bugs that it has are not repaired again")
    arguments = parser.parse_args(argv)
    if arguments.json:
        require_writable("--json", arguments.json)
    rows, context = _read(arguments.json), _context()
    for name in arguments.ids or drawn(arguments.drawn) or PLANTED:
        if name not in rows or rows[name].get("error") == UNTRIED:
            rows[name] = _apart(context, name)
            print(json.dumps(rows[name], ensure_ascii=False), flush=True)
            _write(arguments.json, list(rows.values()))
    print(json.dumps(counted(list(rows.values()))), file=sys.stderr)
    return 0


def _read(path: str | None) -> dict[str, dict[str, Any]]:
    if path is None or not Path(path).exists():
        return {}
    return {row["id"]: row for row in json.loads(Path(path).read_text(encoding="utf-8"))["bugs"]}


def _write(path: str | None, rows: Sequence[Mapping[str, Any]]) -> None:
    if path is not None:
        listed = sorted(rows, key=lambda row: place(row["id"]))
        record = {
            "command": COMMAND,
            "commit": commit(),
            "versions": versions(),
            "counts": counted(rows),
            "bugs": listed,
        }
        write_atomically(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def _apart(context: BaseContext, name: str) -> dict[str, Any]:
    """The row of a bug, made in a process of its own."""
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(theirs, name))  # type: ignore[attr-defined]
    process.start()
    theirs.close()
    try:
        if ours.poll(PATIENCE):
            return ours.recv()
        ended = f"no answer in {PATIENCE} s"
    except EOFError:
        ended = "the process died"
    finally:
        process.kill()
        process.join()
    return {**_head(broken(name)), "error": ended, "repaired": False}


def _send(connection: Connection, name: str) -> None:
    connection.send(row(name))


def _context() -> BaseContext:
    """Where the system can fork, processes begin with the libraries loaded; none of their devices is open yet."""
    if "fork" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    for library in ("jax", "flax.nnx", "optax", "torch", "parity.pair.api", "parity.repairs.repair"):
        importlib.import_module(library)
    return multiprocessing.get_context("fork")


def _head(bug: Broken) -> dict[str, Any]:
    return {"id": bug.id, "mechanism": bug.mechanism, "side": bug.side}


def row(name: str) -> dict[str, Any]:
    """What came of the repair of one bug."""
    from parity.pair.process.child import Asked
    from parity.repairs.copies import in_this_process
    from parity.repairs.repair import Repairer

    keep_compiled_programs()
    bug = broken(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve() / bug.file
        path.write_text(bug.text, encoding="utf-8")
        asked = Asked(f"{path}:pair")
        try:
            repair = Repairer(in_this_process(asked)).repair(bug.file, path)
        except UsageError as error:
            return {**_head(bug), "error": str(error), "repaired": False}
        diff = repair.diff.replace(str(folder).lstrip("/"), "").replace("a//", "a/").replace("b//", "b/")
    first = repair.after.first_difference
    return {
        **_head(bug),
        "before": str(repair.before.verdict),
        "after": str(repair.verdict),
        "proven": bool(repair.rounds and repair.rounds[0].proof),
        "repaired": repair.repaired,
        "rounds": [
            {
                "cause": round_.cause,
                "mend": round_.mend,
                "lines": dict(round_.lines),
                "tried": len(round_.tried),
                "kept": "" if round_.kept is None else f"{round_.kept.side}: {round_.kept.words}",
            }
            for round_ in repair.rounds
        ],
        "diff": diff,
        "left": "" if first is None else first.text,
    }


def counted(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many bugs there are, and how many are called different, have a proven cause, got a patch, are repaired."""
    return {
        "bugs": len(rows),
        "different": sum(row.get("before") == Verdict.DIFFERENT for row in rows),
        "proven": sum(bool(row.get("proven")) for row in rows),
        "patched": sum(bool(row.get("diff")) for row in rows),
        "repaired": sum(bool(row["repaired"]) for row in rows),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
