"""Compiles for one chip in a process of its own: `python -m benchmarks.tpu.compiler CHIP [WORKLOAD EFFORT PRECISION…]`.

Prints one JSON object a line: the chip as the compiler sees it, or an estimate for each precision. The command sets the
environment, which JAX and libtpu read when they are loaded.
"""

import json
import sys
import time
from dataclasses import asdict
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import topologies
from jax.extend import core
from jax.sharding import SingleDeviceSharding

from benchmarks.tpu import estimate
from benchmarks.tpu.chips import CHIPS, PASSES
from benchmarks.tpu.estimate import Estimate
from benchmarks.tpu.program import has_loops, matrix_flops, unrolled
from benchmarks.tpu.workloads import WORKLOADS, Workload, products_in
from parity.errors import UsageError

EFFORTS: dict[str, dict[str, float]] = {"fast": {"exec_time_optimization_effort": -1.0}, "default": {}}
TOO_LARGE = 2**40


def sharding(chip: str) -> SingleDeviceSharding:
    """The sharding on the first device of a chip that is not there.

    Raises:
        UsageError: the compiler has another name or number of devices for it than the table of chips.
    """
    wanted = CHIPS[chip]
    options = {"chip_config_name": wanted.config} if wanted.config else {}
    topology = topologies.get_topology_desc(wanted.topology, platform="tpu", chips_per_host_bounds=(1, 1, 1), **options)
    described: Any = topology.devices
    devices = [(device.platform, device.device_kind) for device in described]
    if devices != [("tpu", wanted.kind)] * wanted.devices:
        raise UsageError(f"libtpu's {chip} is {devices}; expected {wanted.devices} × {wanted.kind}")
    return SingleDeviceSharding(described[0])


def compiled(lowered: Any, effort: str) -> tuple[Any, str]:
    """Compile a lowered program; return it with its text.

    Raises:
        UsageError: it is not a program for TPUs.
    """
    program = lowered.compile(compiler_options=EFFORTS[effort])
    return program, estimate.require_tpu(program.as_text())


def seen(chip: str) -> dict[str, Any]:
    """The compiler's own model of a chip: HBM, FLOP/s and bytes/s of its estimates, and cycles by precision.

    The FLOP/s are those of a product of 8192×8192 bfloat16 matrices, the bytes/s those of an addition to 2³⁰ bytes of
    float32, the cycles those of a product of 2048×2048 float32 matrices at default effort.
    """
    where = sharding(chip)
    matrix = jax.ShapeDtypeStruct((8192, 8192), jnp.bfloat16, sharding=where)
    vector = jax.ShapeDtypeStruct((2**28,), jnp.float32, sharding=where)
    product = compiled(jax.jit(jnp.matmul).lower(matrix, matrix), "fast")[0].cost_analysis()
    moved = compiled(jax.jit(lambda x: x + 1).lower(vector), "fast")[0].cost_analysis()
    return {
        "kind": CHIPS[chip].kind,
        "available_bytes": available(where),
        "flops_per_second": product["flops"] / product["optimal_seconds"],
        "bytes_per_second": moved["bytes accessed"] / moved["optimal_seconds"],
        "cycles": {precision: _cycles_of_a_product(precision, where) for precision in PASSES},
    }


def _cycles_of_a_product(precision: str, where: SingleDeviceSharding) -> int:
    matrix = jax.ShapeDtypeStruct((2048, 2048), jnp.float32, sharding=where)
    with products_in(precision):
        lowered = jax.jit(jnp.matmul).lower(matrix, matrix)
    return estimate.cycles(compiled(lowered, "default")[1])


def available(where: SingleDeviceSharding) -> int:
    """The bytes of HBM of the device, which the compiler tells when a program needs more than any device has."""
    huge = jax.ShapeDtypeStruct((TOO_LARGE // 4,), jnp.float32, sharding=where)
    try:
        compiled(jax.jit(lambda x: x * 2).lower(huge), "fast")
    except jax.errors.JaxRuntimeError as error:
        if sizes := estimate.lacking(str(error)):
            return sizes[1]
        raise
    raise UsageError(f"a program of {TOO_LARGE} bytes was accepted; expected the compiler to say what there is")


def estimated(chip: str, workload: str, precision: str, effort: str) -> Estimate:
    """Estimate one step. Where it has loops, it is also compiled with them written out, for their bodies count once."""
    where, step = sharding(chip), WORKLOADS[workload]
    jaxpr, lowered = _lowered(step, precision, where)
    outcome, seconds = _attempt(lowered, effort)
    about: dict[str, Any] = {
        "workload": workload,
        "batch": step.batch,
        "chip": chip,
        "precision": precision,
        "effort": effort,
        "available_bytes": available(where),
        "matrix_flops": matrix_flops(jaxpr.jaxpr),
        "compile_seconds": seconds,
        "loops_unrolled": has_loops(jaxpr.jaxpr),
    }
    if isinstance(outcome, str):
        return Estimate(**about, **_refused(outcome))
    counted = compiled(_written_out(jaxpr, where), effort) if about["loops_unrolled"] else outcome
    memory = estimate.memory(outcome[0].memory_analysis())
    bound, by = estimate.roofline(chip, precision, about["matrix_flops"], memory)
    about |= {"fits": True, "memory": memory, "needed_bytes": estimate.needed(memory)}
    return Estimate(**about, roofline_seconds=bound, roofline_by=by, **_counted(*counted))


def _lowered(step: Workload, precision: str, where: SingleDeviceSharding) -> tuple[Any, Any]:
    """The step's closed jaxpr, and its lowered program."""
    function, inputs = step.step(where)
    with products_in(precision):
        traced = function.trace(*inputs)
        return traced.jaxpr, traced.lower()


def _attempt(lowered: Any, effort: str) -> tuple[tuple[Any, str] | str, float]:
    """The compiled program with its text, or the compiler's message if it failed; and the seconds that it took."""
    started = time.perf_counter()
    try:
        outcome: tuple[Any, str] | str = compiled(lowered, effort)
    except jax.errors.JaxRuntimeError as error:
        outcome = str(error)
    return outcome, time.perf_counter() - started


def _refused(message: str) -> dict[str, Any]:
    """The fields of an estimate of a step that does not fit, from the compiler's message.

    Raises:
        UsageError: the compiler failed for another reason.
    """
    if "RESOURCE_EXHAUSTED" not in message:
        raise UsageError(f"the compiler failed: {message.splitlines()[0]}")
    needs = estimate.lacking(message)
    return {"fits": False, "needed_bytes": needs and needs[0], "refusal": message.splitlines()[0]}


def _written_out(jaxpr: Any, where: SingleDeviceSharding) -> Any:
    """The program lowered with its loops written out; its inputs are not donated, which changes no count."""
    inputs = [jax.ShapeDtypeStruct(aval.shape, aval.dtype, sharding=where) for aval in jaxpr.in_avals]
    with jax.enable_x64(False):
        return jax.jit(core.jaxpr_as_fun(unrolled(jaxpr))).lower(*inputs)


def _counted(program: Any, text: str) -> dict[str, Any]:
    cost = program.cost_analysis()
    seconds, calls = estimate.optimal(cost)
    return {
        "flops": cost["flops"],
        "hbm_bytes": cost["bytes accessed"] if estimate.stays_in_hbm(text) else None,
        "optimal_seconds": seconds,
        "unknown_calls": calls,
        "estimated_cycles": estimate.cycles(text),
    }


def main(chip: str, workload: str = "", effort: str = "", *precisions: str) -> None:
    """Print the chip, or an estimate for each precision; a failure of one does not stop the others."""
    if not workload:
        print(json.dumps({"chip": seen(chip)}), flush=True)
    for precision in precisions:
        try:
            print(json.dumps({"estimate": asdict(estimated(chip, workload, precision, effort))}), flush=True)
        except (UsageError, jax.errors.JaxRuntimeError) as error:
            print(json.dumps({"failure": f"{precision}: {str(error).splitlines()[0]}"}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
