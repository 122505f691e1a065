"""The light check: `jax.export` lowers a step for TPUs, which needs no libtpu and says nothing of time or memory."""

import re
from dataclasses import dataclass

from jax import export

from benchmarks.tpu.workloads import Workload, products_in

WIDE = re.compile(r"tensor<(?:\d+x)*f64>")
CALL = re.compile(r"custom_call @(\w+)")
OPERATION = re.compile(r"\b(?:stablehlo|chlo)\.\w+")


@dataclass(frozen=True)
class Exported:
    """A step that was lowered: how many operations it has, and what of it has no place on a TPU."""

    operations: int
    faults: tuple[str, ...]


def exported(workload: Workload, precision: str = "highest") -> Exported:
    """Lower the step for TPUs; the products' precision is a word in the program and bars nothing."""
    step, inputs = workload.step()
    with products_in(precision):
        return judged(export.export(step, platforms=["tpu"])(*inputs))


def judged(program: export.Exported) -> Exported:
    """What has no place on a TPU: another platform's program, float64, a call of somebody's library."""
    text = program.mlir_module()
    faults = [f"it is for {', '.join(program.platforms)}"] if program.platforms != ("tpu",) else []
    faults += ["it has float64, which a TPU only emulates"] if WIDE.search(text) else []
    faults += [f"it calls {name}" for name in sorted({*CALL.findall(text)})]
    return Exported(len(OPERATION.findall(text)), tuple(faults))
