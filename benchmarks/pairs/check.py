"""Checks the public pairs of tests/pairs, right and wrong ones, and writes docs/pairs.md from the record.

    python -m benchmarks.pairs.check --out FOLDER [PAIR…]     measure, a pair a fresh process; what is there is kept
    python -m benchmarks.pairs.check --record FOLDER FILE     make one record of it
    python -m benchmarks.pairs.check --page [--check]         write, or compare, the page

Took 9 min for all pairs, half of them on each of 2 cores, with compiled programs partly kept from before.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from benchmarks import ROOT
from benchmarks.pages.blocks import beside, update
from benchmarks.pairs import arguments
from benchmarks.pairs import cost as pair_cost
from benchmarks.pairs.cost import ACCEPTED
from benchmarks.pairs.cost_page import block
from benchmarks.speed.own import peak_bytes
from parity import documents
from parity.checks.verdict import Verdict
from parity.documents import NotNegative, Share, Whole
from parity.files import write_atomically
from parity.report.environment import commit, hardware, versions

PAGE = ROOT / "docs" / "pairs.md"
COMMAND = "python -m benchmarks.pairs.check --page"


REMEDY = "measure it anew with python -m benchmarks.pairs.check --out FOLDER"


class Difference(TypedDict):
    """The first difference of a pair."""

    rung: str
    layer: str
    cause: str | None


class PairResult(TypedDict):
    """The results of the check of a pair."""

    wrong: bool
    expected: str | None
    row: int | None
    parameters: Whole
    mapped: Share
    arrays: Whole
    proven: Whole
    without_effect: Whole
    layers: Share
    verdict: Verdict
    first: Difference | None
    seconds: NotNegative


class PairRecord(TypedDict):
    """The results of all pairs, and the form of their inputs in words."""

    about: str
    pairs: dict[str, PairResult]


def newest() -> Path:
    """The newest record."""
    return sorted((ROOT / "benchmarks" / "records").glob("*-public-pairs.json"))[-1]


def measure(name: str) -> dict[str, Any]:
    """Check one pair in this process: coverage, verdicts, first difference, seconds and peak memory."""
    import parity
    from parity.backends.processes.configuration import keep_compiled_programs
    from parity.pair.rungs.map_table import NO_EFFECT
    from tests.pairs import PAIRS, WRONG

    keep_compiled_programs()
    wrong = WRONG.get(name)
    make = wrong[0] if wrong else PAIRS[name]
    flax, torch, inputs, options = make()
    started = time.perf_counter()
    report = parity.compare(flax, torch, inputs, name=name, checks=parity.Checks(accept=ACCEPTED), **options)
    first = report.first_difference if not report.verdict.passes else None
    return {
        "wrong": bool(wrong),
        "expected": wrong[1] if wrong else None,
        "row": wrong[2] if wrong else None,
        "parameters": sum(p.numel() for p in torch.parameters()),
        "mapped": report.coverage.parameters,
        "arrays": len(report.weights),
        "proven": sum(line.proven for line in report.weights),
        "without_effect": sum(line.note == NO_EFFECT for line in report.weights),
        "layers": report.coverage.layers,
        "verdict": report.verdict,
        "rungs": {rung.name: rung.verdict for rung in report.rungs},
        "conventions": [convention.name for convention in report.conventions if convention.confirmed],
        "first": first and {"rung": first.rung, "layer": first.layer_torch, "text": first.text, "cause": first.cause},
        "seconds": time.perf_counter() - started,
        "peak_gib": peak_bytes() / 2**30,
        "largest": max((f.share for rung in report.rungs if rung.verdict.passes for f in rung.findings), default=None),
    }


def run(out: Path, names: list[str]) -> int:
    """Measure every named pair, all if none is, that is not in the folder yet, each in a process; return 0."""
    from tests.pairs import PAIRS, WRONG

    out.mkdir(parents=True, exist_ok=True)
    for name in names or [*PAIRS, *WRONG]:
        if not (out / f"{name}.json").exists():
            print(name, file=sys.stderr)
            subprocess.run([sys.executable, "-m", "benchmarks.pairs.check", "--one", str(out), name], check=True)
    return 0


def page(record: Mapping[str, Any], name: str = "") -> dict[str, str]:
    """The block of the page: how many pairs are judged rightly, with a link to the table of all.

    Args:
        record: the record of all pairs.
        name: name of the record's file.
    """
    right, wrong = _parted(record)
    causes = sum(bool(result["first"] and result["first"]["cause"]) for result in wrong.values())
    seconds = sorted(result["seconds"] for result in record["pairs"].values())
    rows = [
        ["right pairs", len(right), sum(result["verdict"] == "same" for result in right.values()), "*same*"],
        [
            "pairs with a bug",
            len(wrong),
            sum(result["verdict"] == "different" for result in wrong.values()),
            "*different*",
        ],
    ]
    lines = [f"- {kind}: {good} of {number} are {verdict}" for kind, number, good, verdict in rows]
    lines[-1] += (
        f", {sum(map(_located, wrong.values()))} of them at the layer where the bug is; for {causes} the cause is said "
        "in words"
    )
    whole = f"[table of all of them](../benchmarks/records/{name.removesuffix('.json')}.md)"
    took = f"A check took {seconds[0]:.0f} to {seconds[-1]:.0f} s." if seconds else ""
    return {"pairs": "\n".join([*lines, f"- the {whole}. {took}".rstrip()])}


def tables(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The parts of the file beside the record: each pair's coverage and verdict, then the pairs with a bug."""
    right, wrong = _parted(record)
    about = f'With `accept=["running_var_bias"]`, random weights, inputs {record["about"]}.'
    first = ["| pair | parameters | mapped | arrays proven | layers compared | verdict | seconds |", f"|{'---|' * 7}"]
    then = ["| wrong pair | row of the bug | verdict | where | cause named | seconds |", f"|{'---|' * 6}"]
    return (
        about,
        "\n".join([*first, *(_right(name, result) for name, result in right.items())]),
        "The same pairs with a bug of [docs/porting-bugs.md](../../docs/porting-bugs.md):",
        "\n".join([*then, *(_wrong(name, result) for name, result in wrong.items())]),
    )


def _parted(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The results of the right pairs, and those of the wrong ones."""
    pairs = record["pairs"]
    wrong = {name: result for name, result in pairs.items() if result["wrong"]}
    return {name: result for name, result in pairs.items() if name not in wrong}, wrong


def _right(name: str, result: Mapping[str, Any]) -> str:
    idle = f", {result['without_effect']} without effect" if result["without_effect"] else ""
    proven = f"{result['proven']} of {result['arrays']}{idle}"
    shares = f"{100 * result['mapped']:.4g} % | {proven} | {100 * result['layers']:.3g} %"
    return f"| {name} | {result['parameters']:,} | {shares} | {result['verdict']} | {result['seconds']:.0f} |"


def _wrong(name: str, result: Mapping[str, Any]) -> str:
    first = result["first"] or {}
    return (
        f"| {name} | {_cited(result['row'])} | {result['verdict']} | {first.get('rung', '–')}: "
        f"{first.get('layer', '–')} | {first.get('cause') or '–'} | {result['seconds']:.0f} |"
    )


def _cited(row: int | None) -> str:
    return "–" if row is None else f"[{row}](../../docs/porting-bugs.md#row-{row})"


def _located(result: Mapping[str, Any]) -> bool:
    return bool(result["first"]) and (result["expected"] or "") in result["first"]["layer"]


def main(argv: list[str]) -> int:
    """Measure, make a record, or write the page; return the exit code."""
    words = arguments.parser(
        "benchmarks.pairs.check", __doc__, type=Path, metavar="FOLDER", help="measure one pair in this process"
    )
    return arguments.run(_done, words, argv)


def _done(chosen: argparse.Namespace) -> int:
    if chosen.one:
        result = {**measure(chosen.names[0]), "commit": commit(), "versions": versions(), "hardware": hardware()}
        write_atomically(chosen.one / f"{chosen.names[0]}.json", json.dumps(result, indent=1) + "\n")
    if chosen.out:
        return run(chosen.out, chosen.names)
    if chosen.record:
        _record(*chosen.record)
    if chosen.page:
        return _page(check=chosen.check)
    return 0


def _page(*, check: bool) -> int:
    path, cost = newest(), pair_cost.newest()
    record = documents.read(path, PairRecord, REMEDY)
    blocks = page(record, path.name)
    blocks["pair-cost"] = block(documents.read(cost, dict, REMEDY), cost.name)
    whole = beside("Public pairs, right ones and wrong ones", path.name, COMMAND, *tables(record))
    return update(
        [PAGE],
        blocks,
        check=check,
        source=f"{path.name} or {cost.name}",
        command=COMMAND,
        tables={path.with_suffix(".md"): whole},
    )


def _record(folder: Path, target: Path) -> None:
    from tests.pairs import PAIRS, WRONG

    files = {name: folder / f"{name}.json" for name in [*PAIRS, *WRONG]}
    pairs = {name: documents.read(path, PairResult, REMEDY) for name, path in files.items() if path.exists()}
    about = "of batch 2, 32×32 or 64×64 pixels"
    document = {"command": "python -m benchmarks.pairs.check --out FOLDER", "about": about, "pairs": pairs}
    write_atomically(target, json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
