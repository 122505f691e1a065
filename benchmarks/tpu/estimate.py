"""The compiler's estimate of one program, read from its results and its messages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.tpu.chips import CHIPS, PASSES
from parity.documents import EXACT
from parity.errors import UsageError

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
SIZE = r"([\d.]+)([KMGT]?)"
LACKING = (
    re.compile(rf"Used {SIZE} of {SIZE} hbm"),
    re.compile(rf"\({SIZE}\) exceeds available HBM \({SIZE}\)"),
)
"""The compiler's messages on the memory that a program needs and that there is."""
CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')
TILED = re.compile(r"\{[\d,]*:T\(\d+")
"""The layout of an array in tiles, which only programs for TPUs have."""
ON_CHIP = re.compile(r"S\([13]\)")
"""An array that is kept on the chip and not in its HBM: in vector memory (1), on a v4 in common memory (3)."""


@dataclass(frozen=True)
class Estimate:
    """The compiler's estimate of one step. Nothing here was measured but `compile_seconds`.

    Args:
        workload, chip, precision, effort: the step, the chip, the precision of products, and the compiler's effort.
        batch: number of examples in a step.
        fits: whether the program was accepted.
        available_bytes: bytes of HBM that the compiler can give on one device.
        matrix_flops: FLOPs of matrix products in the step as it is traced, with every iteration of its loops.
        compile_seconds: seconds of compiling on this machine, without tracing and lowering.
        loops_unrolled: whether counts and times are those of the program with its loops written out; its memory is
            that of the program with loops.
        needed_bytes: argument + output − alias + temporary, or the compiler's number where the step does not fit.
        memory: the four terms of `needed_bytes`; empty where it does not fit, as all that follows is None.
        flops: the compiler's count, with everything that is not a product.
        hbm_bytes: the compiler's count of bytes read and written; None where it includes what stays on the chip.
        roofline_seconds, roofline_by: least seconds of the step, and their bound, by `roofline`.
        optimal_seconds: the compiler's sum of rooflines of single instructions, which does not know the precision.
        unknown_calls: calls that it counted as −1 s each, and that were added back.
        estimated_cycles: the sum over all fusions; knows the precision at default effort only.
        refusal: the compiler's message where the step does not fit.
    """

    workload: str
    batch: int
    chip: str
    precision: str
    effort: str
    fits: bool
    available_bytes: int
    matrix_flops: int
    compile_seconds: float
    loops_unrolled: bool
    needed_bytes: int | None = None
    memory: Mapping[str, int] = field(default_factory=dict)
    flops: float | None = None
    hbm_bytes: float | None = None
    roofline_seconds: float | None = None
    roofline_by: str | None = None
    optimal_seconds: float | None = None
    unknown_calls: int = 0
    estimated_cycles: int | None = None
    refusal: str | None = None
    __pydantic_config__ = EXACT

    @property
    def margin_bytes(self) -> int | None:
        """The bytes that are left of the device's HBM; negative where the step does not fit."""
        return None if self.needed_bytes is None else self.available_bytes - self.needed_bytes


def require_tpu(text: str) -> str:
    """The compiled text, if it is for a TPU: where JAX lacks the TPU compiler, it compiles for the CPU.

    Raises:
        UsageError: it is the text of a program for another device.
    """
    if not TILED.search(text):
        raise UsageError("the compiled program is not for a TPU (no array is laid out in tiles); nothing is reported")
    return text


def cycles(text: str) -> int:
    """The sum of the cycles that the compiler expects of each fusion."""
    return sum(int(number) for number in CYCLES.findall(text))


def stays_in_hbm(text: str) -> bool:
    """Whether every array is in HBM, so that bytes accessed are bytes of HBM."""
    return not ON_CHIP.search(text)


def lacking(message: str) -> tuple[int, int] | None:
    """The bytes needed and the bytes available by a message of RESOURCE_EXHAUSTED; None if it lacks them."""
    for pattern in LACKING:
        if match := pattern.search(message):
            needed, needed_unit, available, available_unit = match.groups()
            return round(float(needed) * UNITS[needed_unit]), round(float(available) * UNITS[available_unit])
    return None


def memory(stats: Any) -> dict[str, int]:
    """Kind ("argument", "output", "alias", "temp") → bytes, from the result of `memory_analysis()`."""
    return {kind: getattr(stats, f"{kind}_size_in_bytes") for kind in ("argument", "output", "alias", "temp")}


def needed(memory: Mapping[str, int]) -> int:
    """The bytes that must be on the device at once."""
    return memory["argument"] + memory["output"] - memory["alias"] + memory["temp"]


def optimal(cost: Mapping[str, float]) -> tuple[float, int]:
    """The compiler's seconds, and the number of calls of unknown cost, each of which it had counted as −1 s.

    This needs all other seconds together to be less than half a second.
    """
    calls = max(0, round(-cost["optimal_seconds"]))
    return cost["optimal_seconds"] + calls, calls


def roofline(chip: str, precision: str, matrix_flops: int, memory: Mapping[str, int]) -> tuple[float, str]:
    """The least seconds of this step on a device of the chip, and their bound, "compute" or "bandwidth".

    Compute is all products, in the passes that their precision takes, at the public peak. Bandwidth is every argument
    read and every output written once, at the public bandwidth.
    """
    compute = matrix_flops * PASSES[precision] / CHIPS[chip].device_flops
    bandwidth = (memory["argument"] + memory["output"]) / CHIPS[chip].device_bandwidth
    return max((compute, "compute"), (bandwidth, "bandwidth"))
