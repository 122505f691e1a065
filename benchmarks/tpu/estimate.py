"""What the compiler says of one program, read from what it returns."""

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
"""How the compiler says what a program needs and what there is."""
CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')
TILED = re.compile(r"\{[\d,]*:T\(\d+")
"""The layout of an array in tiles, which only programs for TPUs have."""
ON_CHIP = re.compile(r"S\([13]\)")
"""An array that is kept on the chip and not in its HBM: in vector memory (1), on a v4 in common memory (3)."""


@dataclass(frozen=True)
class Estimate:
    """The compiler's word on one step. Nothing here was measured but `compile_seconds`.

    Args:
        workload, chip, precision, effort: what was compiled, for what, and how hard the compiler tried.
        batch: examples a step.
        fits: whether the program was accepted.
        available_bytes: HBM that the compiler has to give on one device.
        matrix_flops: of the step as it is traced, every iteration of its loops counted.
        compile_seconds: of this machine; tracing and lowering are not included.
        loops_unrolled: counts and times are of the program with its loops written out, memory of the program with them.
        needed_bytes: argument + output − alias + temporary, or what the compiler says where the step does not fit.
        memory: the four terms of `needed_bytes`; empty where it does not fit, as all that follows is None.
        flops: the compiler's count, with everything that is not a product.
        hbm_bytes: the compiler's count of bytes read and written; None where it includes what stays on the chip.
        roofline_seconds, roofline_by: see `roofline`.
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
        """What is left of the device's HBM; negative where the step does not fit."""
        return None if self.needed_bytes is None else self.available_bytes - self.needed_bytes


def require_tpu(text: str) -> str:
    """The compiled text; it must be a TPU's, for JAX compiles for the CPU where it lacks the compiler asked for.

    Raises:
        UsageError: it is the text of a program for something else.
    """
    if not TILED.search(text):
        raise UsageError("the compiled program is not for a TPU (no array is laid out in tiles); nothing is reported")
    return text


def cycles(text: str) -> int:
    """Sum of what the compiler expects of each fusion."""
    return sum(int(found) for found in CYCLES.findall(text))


def stays_in_hbm(text: str) -> bool:
    """Whether every array is in HBM, so that bytes accessed are bytes of HBM."""
    return not ON_CHIP.search(text)


def lacking(message: str) -> tuple[int, int] | None:
    """Bytes that a program needs and that there are, by the message of RESOURCE_EXHAUSTED; None if it does not say."""
    for pattern in LACKING:
        if found := pattern.search(message):
            needed, needed_unit, available, available_unit = found.groups()
            return round(float(needed) * UNITS[needed_unit]), round(float(available) * UNITS[available_unit])
    return None


def memory(stats: Any) -> dict[str, int]:
    """Argument, output, alias and temporary bytes of `memory_analysis()`."""
    return {kind: getattr(stats, f"{kind}_size_in_bytes") for kind in ("argument", "output", "alias", "temp")}


def needed(memory: Mapping[str, int]) -> int:
    """Bytes that must be on the device at once."""
    return memory["argument"] + memory["output"] - memory["alias"] + memory["temp"]


def optimal(cost: Mapping[str, float]) -> tuple[float, int]:
    """Seconds, and how many calls of unknown cost the compiler had counted as −1 s.

    The rest must be less than half a second, or a call cannot be told.
    """
    calls = max(0, round(-cost["optimal_seconds"]))
    return cost["optimal_seconds"] + calls, calls


def roofline(chip: str, precision: str, matrix_flops: int, memory: Mapping[str, int]) -> tuple[float, str]:
    """Seconds that no program of this step can stay below on a device of the chip, and what binds.

    Products in the passes that their precision takes, at the public peak; every argument read and every output
    written once, at the public bandwidth.
    """
    compute = matrix_flops * PASSES[precision] / CHIPS[chip].device_flops
    bandwidth = (memory["argument"] + memory["output"]) / CHIPS[chip].device_bandwidth
    return max((compute, "compute"), (bandwidth, "bandwidth"))
