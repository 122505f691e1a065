"""The smallest bugs that are caught: `python -m benchmarks.evidence.graded --json FILE`.

Bugs of falling size are judged by the referee, and by `numpy.allclose` at fixed tolerances on all float32 results of
the frameworks: outputs, gradients, running statistics, and the optimizer's arrays. Allclose has both of its tolerances
at the same value, which is common in tests.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.families import FAMILIES, Family
from parity.backends.processes.configuration import keep_compiled_programs
from parity.bugs.run import Bench
from parity.checks.referee import MARGIN
from parity.checks.verdict import Verdict
from parity.files import write_atomically
from parity.report.environment import commit, versions
from parity.twins.first_batch import MODES
from parity.twins.observe import RecipeSide

TOLERANCES = (1e-5, 1e-4, 1e-3)


def main(argv: list[str]) -> int:
    """Measure all families, print the smallest sizes, and write the record; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.graded", description=__doc__.split("\n")[0])
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args(argv)
    keep_compiled_programs()
    about = {"command": "python -m benchmarks.evidence.graded", "commit": commit(), "versions": versions()}
    families = [measured(family) for family in FAMILIES]
    record = {**about, "threshold": MARGIN, "tolerances": TOLERANCES, "families": families}
    for family in families:
        print(
            f"{family['name']}: referee {smallest(family, 'referee')}, "
            + ", ".join(f"allclose {tolerance:g} {smallest(family, f'{tolerance:g}')}" for tolerance in TOLERANCES)
        )
    if arguments.json:
        write_atomically(arguments.json, json.dumps(record, indent=1) + "\n")
    return 0


def measured(family: Family) -> dict[str, Any]:
    """Measure a family: which judge catches each size, and whether the sound pair raises an alarm."""
    print(family.name, file=sys.stderr, flush=True)
    bench = Bench(family.pair, 0)
    sizes = [_size_result(bench, family, size) for size in family.sizes]
    return {
        "name": family.name, "pair": family.pair, "rung": family.rung, "sound": _size_result(bench, family, 0.0),
        "sizes": sizes,
    }  # fmt: skip


def _size_result(bench: Bench, family: Family, size: float) -> dict[str, Any]:
    observer = RecipeSide(family.plant(size), bench.case)
    rungs = bench.ruled({"torch": observer}, rungs=(2, 3, 4, 5, 6))
    headline = next((rung for rung in rungs if rung.verdict is Verdict.DIFFERENT), None)
    shares = {rung.number: max((f.share for f in rung.findings), default=0.0) for rung in rungs}
    ours, theirs = dict(shown(bench.sound["flax"])), dict(shown(observer))
    fixed = {
        f"{tolerance:g}": not all(
            np.allclose(theirs[name], array, rtol=tolerance, atol=tolerance) for name, array in ours.items()
        )
        for tolerance in TOLERANCES
    }
    return {
        "size": size,
        "referee": headline is not None,
        "rung": headline.number if headline else None,
        "share": shares.get(family.rung),
        **fixed,
    }


def shown(observer: RecipeSide) -> Iterator[tuple[str, NDArray]]:
    """Yield the name and value of every float32 array that a test of the twins would compare."""
    for mode in MODES:
        trace = observer.first_batch.traces(mode)["float32"]
        yield f"{mode} loss", trace.loss
        groups: dict[str, Mapping[str, NDArray]] = {
            "output": trace.outputs,
            "training gradient": trace.training_gradients,
            "gradient": trace.gradients.parameters,
            "gradient of output": trace.gradients.outputs,
            "gradient of": {"input": trace.gradients.input},
        }
        yield from ((f"{mode} {what} {name}", a) for what, arrays in groups.items() for name, a in arrays.items())
    buffers, logits = observer.states()["float32"]
    yield from ((f"state {name}", array) for name, array in buffers.items())
    yield "logits afterwards", logits
    for step, arrays in enumerate(observer.updates()["float32"]):
        yield from ((f"update {step} {name}", array) for name, array in arrays.items())


def smallest(family: Mapping[str, Any], how: str) -> str:
    """The size down to which a judge catches all bugs of a family, as text.

    It is "none" if the largest is not caught, and an alarm in words if the judge rejects the sound pair.
    """
    if family["sound"][how]:
        return "alarm on the sound pair"
    caught = None
    for row in sorted(family["sizes"], key=lambda row: -row["size"]):
        if not row[how]:
            break
        caught = row["size"]
    return "none" if caught is None else f"{caught:.2g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
