"""Data-parallel training on one device against plain training, in float64, as rung 10 judges it.

`python -m benchmarks.gpu.together FRAMEWORK RECIPE DEVICE OUT` trains a few steps by the sessions of several devices,
on one: PyTorch's `DistributedDataParallel` over NCCL (gloo on a CPU), JAX's step over a mesh. What the collectives and
the wrappers do to a step shows so without a second GPU; what several devices do to a batch does not.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from parity import recipes
from parity.backends import Twin, twin_class
from parity.backends.processes.members import joined
from parity.backends.processes.several_devices import TIMEOUT
from parity.backends.processes.several_devices import together as in_processes
from parity.checks import devices as several_devices
from parity.files import write_atomically
from parity.interface.trace import WatchedRun
from parity.twins.case import make_case


@dataclass(frozen=True)
class Job:
    """What one process trains.

    Args:
        framework: "jax" or "torch".
        recipe: name of the recipe, at the size of its check.
        device: "cpu" or "gpu".
    """

    framework: str
    recipe: str
    device: str


def judged(job: Job) -> dict[str, Any]:
    """Train plainly, from a start that is moved by one ulp, and data-parallel; what rung 10 rules on the three."""
    recipe = recipes.load(job.recipe).at_check_size
    case = make_case(recipe, twin_class("numpy").build(recipe.network, recipe.config).shapes())
    cls = twin_class(job.framework)

    def run(weights: Any, parallel: bool) -> WatchedRun:
        twin = cls(cls.build(recipe.network, recipe.config, init=recipe.init), precision="float64", device=job.device)
        twin.load(weights)
        if parallel:
            _let_be_parallel(twin)
        return twin.watched(case.parted_batches, recipe.optimizer, case.learning_rates)

    with joined(job.framework, 1, job.device, TIMEOUT):
        by = _by(job)
        still, moved, parallel = run(case.weights, False), run(case.moved, False), run(case.weights, True)
    drift = several_devices.Drift({job.framework: still}, {job.framework: moved})
    rung = several_devices.devices(drift, {1: {job.framework: parallel}}, lambda count: iter(()), apart=False)
    largest = max(rung.findings, key=lambda finding: finding.share)
    return {
        "framework": job.framework,
        "recipe": recipe.name,
        "by": by,
        "verdict": str(rung.verdict),
        "steps": len(parallel.losses),
        "findings": dict(Counter(str(finding.verdict) for finding in rung.findings)),
        "share": float(largest.share) if isfinite(largest.share) else None,
        "where": f"{largest.quantity} {largest.name}",
    }


def _let_be_parallel(twin: Twin) -> None:
    """Give the twin the session of several devices, which it takes for one device only if it is told to."""
    from parity.backends.flax.training.parallel import ParallelFlaxSession
    from parity.backends.torch.training.parallel import ParallelTorchSession

    def session(optimizer: Any, *, brief: bool = False) -> Any:
        if twin.framework == "torch":
            return ParallelTorchSession(twin, optimizer)  # type: ignore[arg-type] # PyTorch's twin is its network
        return ParallelFlaxSession(twin, optimizer, brief=brief)  # type: ignore[arg-type] # so is Flax's

    twin.session = session  # type: ignore[method-assign] # of this twin alone


def _by(job: Job) -> str:
    """What passes between devices, as the framework says it."""
    if job.framework == "torch":
        from torch import distributed

        return distributed.get_backend()
    import jax

    return f"mesh of 1 {jax.devices(job.device)[0].device_kind}"


def main(argv: list[str]) -> int:
    """Judge one framework, and write what came out; return 0."""
    framework, recipe, device, out = argv
    job = Job(framework, recipe, device)
    result = in_processes(judged, job, 1) if framework == "torch" else judged(job)
    write_atomically(Path(out), json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
