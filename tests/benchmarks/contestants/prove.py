"""Run contestants on the small workloads, in a process of its own.

`python -m tests.benchmarks.contestants.prove FOLDER NAMES…` runs them.
"""

import sys
from pathlib import Path

import numpy as np

from benchmarks.contestants import entry
from tests.benchmarks.contestants.small import WORKLOADS, fitting, run


def main(folder: Path, names: list[str]) -> None:
    for name in names:
        for key in fitting(entry(name)):
            workload = WORKLOADS[key]
            if entry(name).absent(workload, "cpu"):
                continue
            case, made = workload.case(), entry(name).load()(workload, "float64", "cpu")
            found = run(made, case.weights, case.batches)
            arrays = {"loss": found.losses, "steps": np.array(made.steps_per_call), **found.weights}
            np.savez(folder / f"{name}-{key}.npz", **arrays)  # type: ignore[arg-type] # not names of its own


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
