"""Run contestants on the small workloads, in a process of its own: `python -m tests.benchmarks.prove FOLDER NAMES…`."""

import sys
from pathlib import Path

import numpy as np

from benchmarks.contestants import entry
from tests.benchmarks.small import WORKLOADS, run


def main(folder: Path, names: list[str]) -> None:
    for name in names:
        for key, workload in WORKLOADS.items():
            if entry(name).absent(workload):
                continue
            case, made = workload.case(), entry(name).load()(workload, "float64", "cpu")
            found = run(made, case.weights, case.batches)
            np.savez(folder / f"{name}-{key}.npz", loss=found.losses, steps=made.steps_per_call, **found.weights)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
