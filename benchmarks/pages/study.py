"""Writes the study's blocks of README.md and docs/study.md from its record.

    python -m benchmarks.pages.study [--check]

The newest `benchmarks/records/DATE-study/record.json`, which `parity reproduce` wrote, fills the parts between
`<!-- NAME -->` and `<!-- /NAME -->`. With `--check` nothing is written, and the exit code is 1 where a page differs.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import MinLen
from typing_extensions import TypedDict

from benchmarks import ROOT
from benchmarks.pages import study_short
from benchmarks.pages.blocks import update
from parity import documents
from parity.checks.verdict import Verdict
from parity.documents import Count, NotNegative, Positive, Share
from parity.errors import UsageError
from parity.study import record as study_record

PAGES = (ROOT / "README.md", ROOT / "docs" / "study.md")
Record = Mapping[str, Any]
MAKE = "make the record anew with parity reproduce"
Accuracies = Annotated[list[Share], MinLen(2)]


class Curve(TypedDict):
    """The curve of an accuracy over seeds."""

    final: Accuracies


class Split(TypedDict):
    """The curves of a network by split."""

    test: Curve


class Trajectory(TypedDict):
    """The comparison of three implementations that start from equal weights."""

    comparisons: Count
    largest: NotNegative


class Inits(TypedDict):
    """The curves from the inits of the study's two versions."""

    randn: Curve
    default: Curve


class Circles(TypedDict):
    """Results of the circles question."""

    trajectory: Annotated[dict[str, Trajectory], MinLen(1)]
    exchanged: Annotated[dict[str, Inits], MinLen(1)]
    parts: dict[str, Accuracies]


class Longer(TypedDict):
    """The results of training for longer."""

    steps: Count
    jax: dict[str, Split]


class Palindromes(TypedDict):
    """Results of the palindromes question."""

    study: Annotated[dict[str, dict[str, Split]], MinLen(1)]
    longer: Longer


class Agreement(TypedDict):
    """The agreement of the frameworks on a gradient."""

    verdict: Verdict


class Norms(TypedDict):
    """The norms of the gradient by time step."""

    start: Annotated[list[Positive], MinLen(1)]
    agreement: Agreement


class Frameworks(TypedDict):
    """The accuracies by length, in each framework."""

    jax: dict[str, Split]
    torch: dict[str, Split]


class Gradients(TypedDict):
    """The gradients that reach each time step, by recipe."""

    length: Count
    norms: dict[str, Norms]


class Beyond(TypedDict):
    """Results beyond the study."""

    accuracy: dict[str, Frameworks]
    gradients: Gradients


RESULTS: Mapping[str, Any] = {"circles": Circles, "palindromes": Palindromes, "beyond": Beyond}
"""Experiment → type of the results that the pages show."""


def newest() -> Path:
    """The folder of the newest record."""
    return sorted((ROOT / "benchmarks" / "records").glob("*-study"))[-1]


def circles(record: Record) -> str:
    """The block that answers the circles question."""
    results = record["experiments"]["circles"]["results"]
    runs = list(results["trajectory"].values())
    means = study_short.init_means(record)
    rows = [f"| {name} | {np.mean(v):.1%} ± {np.std(v, ddof=1):.1%} |" for name, v in results["parts"].items()]
    return "\n".join(
        [
            f"Three implementations, equal weights, float64, all 1,500 steps: {sum(r['comparisons'] for r in runs):,} "
            f"comparisons of the loss of every step and of the final weights, all *same*; the largest gap is "
            f"{max(r['largest'] for r in runs):.1f} times the framework's own drift when its start moves by one ulp "
            "(the limit is 1,024). Hand-written backprop is as stable as autograd: it is the same numbers.",
            "",
            f"Exchange only the init, and the accuracy moves in all three alike: {means['randn']:.1%} from 0.1·randn, "
            f"{means['default']:.1%} from PyTorch's default. It is the size of the kernels; and it is a late start, "
            "not a worse end:",
            "",
            "| start (NumPy, float64, the same seeds) | test accuracy |",
            "|---|---|",
            *rows,
        ]
    )


def palindromes(record: Record) -> str:
    """The block that answers the palindromes question."""
    results = record["experiments"]["palindromes"]["results"]
    rows = []
    for length in results["longer"]["jax"]:
        cells = [_accuracy(by[length]) for by in results["study"].values()] + [
            _accuracy(results["longer"]["jax"][length])
        ]
        rows.append(f"| {length} | " + " | ".join(cells) + " |")
    beyond = record["experiments"]["beyond"]["results"]
    for name, by in beyond["accuracy"].items():
        rows += [f"| {t}, `{name}` | {_accuracy(by['jax'][t])} | {_accuracy(by['torch'][t])} | |" for t in by["jax"]]
    norms = beyond["gradients"]["norms"]
    reach = ", ".join(f"{n['start'][0] / n['start'][-1]:.1e} in `{name}`" for name, n in norms.items())
    return "\n".join(
        [
            f"| T | JAX, 1,000 steps | PyTorch, 1,000 steps | JAX, {results['longer']['steps']:,} steps |",
            "|---|---|---|---|",
            *rows,
            "",
            f"Of ‖∂loss/∂h_t‖ at the last step, the first of T = {beyond['gradients']['length']} gets {reach} (before "
            "training; JAX, PyTorch and NumPy agree on it in float64: "
            + ", ".join(sorted({n["agreement"]["verdict"] for n in norms.values()}))
            + ").",
        ]
    )


def claims(record: Record) -> str:
    """The table of every claim with its ruling."""
    lines = ["| the study's claim | measured | verdict |", "|---|---|---|"]
    for entry in record["experiments"].values():
        lines += [f"| {c['claim']} | {c['measured']} | **{c['ruling']}** |" for c in entry["claims"]]
    return "\n".join(lines)


def about(record: Record) -> str:
    """A list of the experiments with command, date, machine, commits and versions."""
    lines = []
    for name, entry in record["experiments"].items():
        hardware = entry["hardware"]
        commits = ", ".join(entry["runs_commits"])
        lines.append(
            f"- {name}: `{entry['command']}`, {entry['date']}, {hardware['cores']} cores of {hardware['cpu']}; runs of "
            f"commit {commits}, record of {entry['commit']}; jax {entry['versions']['jax']}, torch "
            f"{entry['versions']['torch']}"
        )
    return "\n".join(lines)


BLOCKS = {
    "study-in-short": study_short.short,
    "circles": circles,
    "palindromes": palindromes,
    "claims": claims,
    "outcomes": study_short.outcomes,
    "about": about,
}


def main(argv: list[str]) -> int:
    """Write the pages, or compare them; return the exit code, 1 where one differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages.study", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, tell whether the pages are up to date")
    arguments = parser.parse_args(argv)
    command = "python -m benchmarks.pages.study"
    try:
        return update(PAGES, blocks(newest()), check=arguments.check, source=newest().name, command=command)
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def blocks(folder: Path) -> dict[str, str]:
    """Name of a block of the pages → its text, from the record in a folder.

    Raises:
        UsageError: the record cannot be read, or lacks something that the pages show.
    """
    record, name = study_record.read(folder), str(folder / study_record.RECORD)
    for experiment, kind in RESULTS.items():
        if experiment not in record.get("experiments", {}):
            raise UsageError(f"{name} has no experiment {experiment}; {MAKE}")
        documents.require(record["experiments"][experiment]["results"], kind, f"{name}, {experiment}", MAKE)
    results = {experiment: record["experiments"][experiment]["results"] for experiment in RESULTS}
    for by in results["palindromes"]["study"].values():
        _require_lengths(results["palindromes"]["longer"]["jax"], by, name)
    for by in results["beyond"]["accuracy"].values():
        _require_lengths(by["jax"], by["torch"], name)
    return {block: make(record) for block, make in BLOCKS.items()}


def _require_lengths(wanted: Mapping[str, Any], available: Mapping[str, Any], name: str) -> None:
    if lacking := wanted.keys() - available.keys():
        raise UsageError(f"{name} lacks palindromes of T = {', '.join(sorted(lacking))} in one framework; {MAKE}")


def _accuracy(split: Mapping[str, Any]) -> str:
    final = np.array(split["test"]["final"])
    return f"{final.mean():.1%} ± {final.std(ddof=1):.1%}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
