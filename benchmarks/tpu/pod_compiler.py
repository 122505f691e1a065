"""Compiles for many chips in a process of its own.

The command is `python -m benchmarks.tpu.pod_compiler CHIP CHIPS BATCH WORKLOAD EFFORT PRECISION`.

It prints one line of JSON, a `Pod`. Its caller, `benchmarks.tpu`, sets the environment, as for
`benchmarks.tpu.compiler`.
"""

import json
import sys
import time
from dataclasses import asdict, replace
from typing import Any

import jax
from jax.experimental import topologies
from jax.sharding import Mesh

from benchmarks.tpu import estimate
from benchmarks.tpu.arrays import arguments
from benchmarks.tpu.chips import CHIPS, SLICES
from benchmarks.tpu.collectives import collectives_of
from benchmarks.tpu.compiler import compiled
from benchmarks.tpu.pods import Memory, Pod
from benchmarks.tpu.workloads import WORKLOADS, Workload, products_in
from parity.backends.flax.training.devices import mesh_of
from parity.errors import UsageError


def mesh(chip: str, chips: int) -> Mesh:
    """A mesh of `chips` chips that are not there.

    Raises:
        UsageError: the compiler has another kind or number of chips by that name.
    """
    name = SLICES[chip][chips]
    devices: Any = topologies.get_topology_desc(name, platform="tpu").devices
    kinds = {device.device_kind for device in devices}
    if len(devices) != chips or kinds != {CHIPS[chip].kind}:
        raise UsageError(f"libtpu's {name} is {len(devices)} × {kinds}; expected {chips} × {CHIPS[chip].kind}")
    return mesh_of(devices)


def lowered(step: Workload, where: Mesh, precision: str) -> Any:
    """The lowered program of a step on many devices."""
    function, inputs = step.step_on(where)
    with products_in(precision):
        return function.lower(*inputs)


def pod(chip: str, chips: int, batch: int, workload: str, effort: str, precision: str) -> Pod:
    """Compile one step for many chips, and read its estimate."""
    step = lowered(replace(WORKLOADS[workload], batch=batch), mesh(chip, chips), precision)
    started = time.perf_counter()
    program, text = compiled(step, effort)
    seconds = time.perf_counter() - started
    return Pod(
        workload=workload,
        chip=chip,
        precision=precision,
        effort=effort,
        chips=chips,
        batch=batch,
        memory=Memory(**estimate.memory(program.memory_analysis())),
        argument_bytes=sum(array.bytes for array in arguments(text)),
        tiled_bytes=sum(array.tiled_bytes for array in arguments(text)),
        collectives=collectives_of(text, chips),
        compile_seconds=seconds,
    )


def main(chip: str, chips: str, batch: str, workload: str, effort: str, precision: str) -> None:
    """Print the estimate as JSON, or the failure."""
    try:
        print(json.dumps({"pod": asdict(pod(chip, int(chips), int(batch), workload, effort, precision))}))
    except (UsageError, jax.errors.JaxRuntimeError) as error:
        print(json.dumps({"failure": str(error).splitlines()[0]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
