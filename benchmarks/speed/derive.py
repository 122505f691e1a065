"""What a record means: medians, paired ratios, shares of the floor. Everything that is shown comes from here."""

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
"""Whether the caches of compiled programs were empty."""
DEFAULT = {"jax": "flax-default", "torch": "torch-default"}
"""Default track of each framework."""
TUNED = {"jax": "flax-tuned", "torch": "torch-tuned"}
"""Tuned track of each framework."""
START = ("import", "init", "first step", "first single step")
"""Phases before the steady steps that depend on the contestant; the data are the same for all."""
COMPILING = ("trace", "compile")
"""Parts of them, where the framework tells them."""
LIMITS = {"dense": "gemm", "conv": "conv"}
"""Kind of product → which of the machine's limits it is held against."""
OVERHEAD = 1 / 3
"""Below this share of the floor a step is called launch-bound: most of its time is neither arithmetic nor memory."""


def contestants(record: Record, name: str) -> list[str]:
    """Those that were timed on a workload, in the order of the registry."""
    timed = {turn["contestant"] for turn in record["workloads"][name]["turns"] if "error" not in turn}
    return [contestant for contestant in ENTRIES if contestant in timed]


def turns(record: Record, name: str, contestant: str) -> list[dict[str, Any]]:
    """Its turns that did not fail, in order."""
    found = record["workloads"][name]["turns"]
    return [turn for turn in found if turn["contestant"] == contestant and "error" not in turn]


def per_round(record: Record, name: str, contestant: str, phase: str) -> dict[int, list[float]]:
    """Round → seconds of each of its turns: the median a step of "training" and "inference", or what a phase of the
    start took from cache."""
    found: dict[int, list[float]] = {}
    for turn in turns(record, name, contestant):
        if (took := _took(turn, phase)) is not None:
            found.setdefault(turn["round"], []).append(took)
    return found


def _took(turn: Record, phase: str) -> float | None:
    if phase in (*STEADY, "pipeline"):
        return median(turn[phase]["seconds_per_step"]) if phase in turn else None
    return None if turn["cold"] else turn["phases"].get(phase)


def values(record: Record, name: str, contestant: str, phase: str) -> list[float]:
    """Seconds of every turn."""
    return [took for found in per_round(record, name, contestant, phase).values() for took in found]


def seconds(record: Record, name: str, contestant: str, phase: Phase) -> dict[str, float]:
    """Spread of the turns' medians, in seconds a step."""
    return stats.spread(values(record, name, contestant, phase))


def joules(record: Record, name: str, contestant: str) -> list[float]:
    """Of a training step, one a turn; none where the device does not tell its energy."""
    found = (turn["training"].get("joules_per_step") for turn in turns(record, name, contestant))
    return [one for one in found if one is not None]


def ratio(record: Record, name: str, slower: str, faster: str, phase: Phase = "training") -> Ratio | None:
    """How many times faster the second is: paired within rounds, with its interval; None where they have no round
    together."""
    a, b = (per_round(record, name, contestant, phase) for contestant in (slower, faster))
    both = sorted(a.keys() & b.keys())
    return stats.ratio([median(a[r]) for r in both], [median(b[r]) for r in both]) if both else None


def noise(record: Record, name: str, phase: str = "training") -> dict[str, Any] | None:
    """A/A: the contestant that has two turns a round, against itself; None where there is none."""
    for contestant in contestants(record, name):
        pairs = [values for values in per_round(record, name, contestant, phase).values() if len(values) == 2]
        if pairs:
            found = stats.ratio([first for first, _ in pairs], [second for _, second in pairs])
            return {"contestant": contestant, **found}
    return None


def band(record: Record, name: str, phase: str = "training") -> float:
    """How far from 1 a ratio of equals may be: the farther end of A/A's interval (or its median); 1 without A/A."""
    found = noise(record, name, phase)
    ends = [found[key] for key in ("low", "median", "high") if found[key] is not None] if found else [1.0]
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
        """Of both, which may overlap: the longer."""
        return max(self.compute, self.memory)

    def bound(self, took: float) -> str:
        """What a step that took so long is bound by."""
        if self.seconds < OVERHEAD * took:
            return "launch"
        return "compute" if self.compute >= self.memory else "memory"


def floor(record: Record, name: str, phase: Phase = "training") -> Floor:
    """Of a workload."""
    return floor_of(record, workload.load(name), phase)


def floor_of(record: Record, found: workload.Workload, phase: Phase = "training") -> Floor:
    """Of a workload that may not be in the record."""
    limit = record["ceilings"]["best"]
    work = (arithmetic.training if phase == "training" else arithmetic.inference)(found.recipe)
    compute = sum(flops / (1e9 * limit[LIMITS[kind]]) for kind, flops in work.flops.items())
    return Floor(compute, work.bytes / (1e9 * limit["copy"]))


def share(record: Record, name: str, contestant: str) -> float:
    """Of the floor of a training step, 1 if the step takes no longer than it."""
    return floor(record, name).seconds / seconds(record, name, contestant, "training")["median"]


def achieved(record: Record, name: str, contestant: str) -> float:
    """Operations a second of its training step."""
    work = arithmetic.training(workload.load(name).recipe)
    return work.total / seconds(record, name, contestant, "training")["median"]


def best(record: Record, name: str, names: Sequence[str], phase: Phase = "training") -> str | None:
    """The fastest of some contestants by their medians; None where none of them was timed."""
    timed = [c for c in contestants(record, name) if c in names]
    return min(timed, key=lambda c: seconds(record, name, c, phase)["median"], default=None)


def phases(record: Record, name: str, contestant: str) -> dict[str, dict[str, float]]:
    """Phase → "cold" (the first turn, whose caches were empty) and "cached" (median of the others), in seconds."""
    found = turns(record, name, contestant)
    cold, cached = [t["phases"] for t in found if t["cold"]], [t["phases"] for t in found if not t["cold"]]
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
    """Seconds from the start of the process to the first steps done, data apart: "cold" and, if it was, "cached"."""
    found = phases(record, name, contestant)
    parts = [found[phase] for phase in START if phase in found]
    return {kind: sum(part[kind] for part in parts) for kind in KINDS if all(kind in part for part in parts)}


def payback(record: Record, name: str, contestant: str, kind: str) -> float | None:
    """Steps after which a contestant has caught up with its framework's default, both from the same kind of start: 0
    if it begins ahead, inf if it never does; None where one of them was not timed so."""
    default = DEFAULT[ENTRIES[contestant].framework]
    if default not in contestants(record, name):
        return None
    own, other = (start(record, name, c).get(kind) for c in (contestant, default))
    if own is None or other is None:
        return None
    own_step, other_step = (seconds(record, name, c, "training")["median"] for c in (contestant, default))
    if own_step < other_step:
        return max(0.0, (own - other) / (other_step - own_step))
    return inf
