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
    """A step that was lowered: the number of its operations, and the parts of it that have no place on a TPU."""

    operations: int
    faults: tuple[str, ...]


def exported(workload: Workload, precision: str = "highest") -> Exported:
    """Lower a step for TPUs and look for faults; the precision of products is only an attribute in the program."""
    step, inputs = workload.step()
    with products_in(precision):
        return judged(export.export(step, platforms=["tpu"])(*inputs))


def judged(program: export.Exported) -> Exported:
    """Look for faults in a lowered program: another platform, float64, or a call of a custom library."""
    text = program.mlir_module()
    faults = [f"it is for {', '.join(program.platforms)}"] if program.platforms != ("tpu",) else []
    faults += ["it has float64, which a TPU only emulates"] if WIDE.search(text) else []
    faults += [f"it calls {name}" for name in sorted({*CALL.findall(text)})]
    return Exported(len(OPERATION.findall(text)), tuple(faults))
