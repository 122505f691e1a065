"""The figures of a record: medians, paired ratios, shares of the floor. The pages and drawings take them from here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Any, Literal

from benchmarks.contestants import ENTRIES, workload
from benchmarks.speed import arithmetic, stats

Record = Mapping[str, Any]
Ratio = dict[str, Any]
Phase = Literal["training", "inference", "pipeline"]
STEADY = ("training", "inference")
KINDS = ("cold", "cached")
"""Kinds of start: with empty caches of compiled programs, or with full ones."""
DEFAULT = {"jax": "flax-default", "torch": "torch-default"}
"""Framework → contestant of its default track."""
TUNED = {"jax": "flax-tuned", "torch": "torch-tuned"}
"""Framework → contestant of its tuned track."""
START = ("import", "init", "first step", "first single step")
"""Phases before the steady steps that depend on the contestant; the data are the same for all."""
COMPILING = ("trace", "compile")
"""Parts of those phases, where the framework tells them."""
LIMITS = {"dense": "gemm", "conv": "conv"}
"""Kind of product → the machine's limit that it is held against."""
OVERHEAD = 1 / 3
"""Below this share of the floor a step is called launch-bound: most of its time is neither arithmetic nor memory."""


def contestants(record: Record, name: str) -> list[str]:
    """The contestants that were timed on a workload, in the order of the registry."""
    timed = {turn["contestant"] for turn in record["workloads"][name]["turns"] if "error" not in turn}
    return [contestant for contestant in ENTRIES if contestant in timed]


def turns(record: Record, name: str, contestant: str) -> list[dict[str, Any]]:
    """A contestant's turns on a workload that did not fail, in order."""
    recorded = record["workloads"][name]["turns"]
    return [turn for turn in recorded if turn["contestant"] == contestant and "error" not in turn]


def per_round(record: Record, name: str, contestant: str, phase: str) -> dict[int, list[float]]:
    """Round → seconds of each of a contestant's turns.

    They are the median a step of "training", "inference" or "pipeline", or the length of a phase of a cached start.
    """
    by_round: dict[int, list[float]] = {}
    for turn in turns(record, name, contestant):
        if (took := _took(turn, phase)) is not None:
            by_round.setdefault(turn["round"], []).append(took)
    return by_round


def _took(turn: Record, phase: str) -> float | None:
    if phase in (*STEADY, "pipeline"):
        return median(turn[phase]["seconds_per_step"]) if phase in turn else None
    return None if turn["cold"] else turn["phases"].get(phase)


def values(record: Record, name: str, contestant: str, phase: str) -> list[float]:
    """The seconds of every turn, see `per_round`."""
    return [took for times in per_round(record, name, contestant, phase).values() for took in times]


def seconds(record: Record, name: str, contestant: str, phase: Phase) -> dict[str, float]:
    """The spread of the turns' medians, in seconds a step."""
    return stats.spread(values(record, name, contestant, phase))


def joules(record: Record, name: str, contestant: str) -> list[float]:
    """The joules of a training step, one for each turn; empty where the device does not tell its energy."""
    measured = (turn["training"].get("joules_per_step") for turn in turns(record, name, contestant))
    return [value for value in measured if value is not None]


def ratio(record: Record, name: str, slower: str, faster: str, phase: Phase = "training") -> Ratio | None:
    """How many times faster the second contestant is, paired within rounds, with its interval.

    It is None where the two have no round in common.
    """
    a, b = (per_round(record, name, contestant, phase) for contestant in (slower, faster))
    both = sorted(a.keys() & b.keys())
    return stats.ratio([median(a[r]) for r in both], [median(b[r]) for r in both]) if both else None


def noise(record: Record, name: str, phase: str = "training") -> dict[str, Any] | None:
    """The ratio A/A of the contestant with two turns a round against itself; None where there is none."""
    for contestant in contestants(record, name):
        pairs = [values for values in per_round(record, name, contestant, phase).values() if len(values) == 2]
        if pairs:
            interval = stats.ratio([first for first, _ in pairs], [second for _, second in pairs])
            return {"contestant": contestant, **interval}
    return None


def band(record: Record, name: str, phase: str = "training") -> float:
    """The factor by which a ratio of equals may differ from 1.

    It is the farther end of A/A's interval, or its median where there is no interval; 1 without A/A.
    """
    equals = noise(record, name, phase)
    ends = [equals[key] for key in ("low", "median", "high") if equals[key] is not None] if equals else [1.0]
    return max(max(end, 1 / end) for end in ends)


@dataclass(frozen=True)
class Floor:
    """The least that a step can take on the machine of the record.

    Args:
        compute: seconds that its products take at the measured limits.
        memory: seconds that its bytes take at the measured limit.
    """

    compute: float
    memory: float

    @property
    def seconds(self) -> float:
        """The longer of both times, since they may overlap."""
        return max(self.compute, self.memory)

    def bound(self, took: float) -> str:
        """The bound of a step that took `took` seconds: "launch", "compute" or "memory"."""
        if self.seconds < OVERHEAD * took:
            return "launch"
        return "compute" if self.compute >= self.memory else "memory"


def floor(record: Record, name: str, phase: Phase = "training") -> Floor:
    """The floor of a workload of the record."""
    return floor_of(record, workload.load(name), phase)


def floor_of(record: Record, chosen: workload.Workload, phase: Phase = "training") -> Floor:
    """The floor of a workload that need not be in the record."""
    limit = record["ceilings"]["best"]
    work = (arithmetic.training if phase == "training" else arithmetic.inference)(chosen.recipe)
    compute = sum(flops / (1e9 * limit[LIMITS[kind]]) for kind, flops in work.flops.items())
    return Floor(compute, work.bytes / (1e9 * limit["copy"]))


def share(record: Record, name: str, contestant: str) -> float:
    """The floor of a training step over its time; 1 if the step takes no longer than the floor."""
    return floor(record, name).seconds / seconds(record, name, contestant, "training")["median"]


def achieved(record: Record, name: str, contestant: str) -> float:
    """The operations a second of a contestant's training step."""
    work = arithmetic.training(workload.load(name).recipe)
    return work.total / seconds(record, name, contestant, "training")["median"]


def best(record: Record, name: str, names: Sequence[str], phase: Phase = "training") -> str | None:
    """The fastest of some contestants by their medians; None where none of them was timed."""
    timed = [c for c in contestants(record, name) if c in names]
    return min(timed, key=lambda c: seconds(record, name, c, phase)["median"], default=None)


def phases(record: Record, name: str, contestant: str) -> dict[str, dict[str, float]]:
    """Phase → seconds under "cold" (the first turn, with empty caches) and "cached" (the median of the others)."""
    recorded = turns(record, name, contestant)
    cold, cached = [t["phases"] for t in recorded if t["cold"]], [t["phases"] for t in recorded if not t["cold"]]
    names = dict.fromkeys(phase for part in (*cold, *cached) for phase in part)
    return {
        phase: {
            kind: median(part[phase] for part in parts)
            for kind, parts in zip(KINDS, (cold, cached), strict=True)
            if parts and all(phase in part for part in parts)
        }
        for phase in names
    }


def start(record: Record, name: str, contestant: str) -> dict[str, float]:
    """Seconds from the start of the process to the end of the first steps, without the data, by kind of start."""
    by_phase = phases(record, name, contestant)
    parts = [by_phase[phase] for phase in START if phase in by_phase]
    return {kind: sum(part[kind] for part in parts) for kind in KINDS if all(kind in part for part in parts)}


def payback(record: Record, name: str, contestant: str, kind: str) -> float | None:
    """The number of steps after which a contestant has caught up with its framework's default.

    Both begin from the same kind of start, "cold" or "cached". It is 0 if the contestant begins ahead, inf if it never
    catches up, and None where one of them was not timed so.
    """
    default = DEFAULT[ENTRIES[contestant].framework]
    if default not in contestants(record, name):
        return None
    own_start, other_start = (start(record, name, c).get(kind) for c in (contestant, default))
    if own_start is None or other_start is None:
        return None
    own_step, other_step = (seconds(record, name, c, "training")["median"] for c in (contestant, default))
    if own_step < other_step:
        return max(0.0, (own_start - other_start) / (other_step - own_step))
    return inf
