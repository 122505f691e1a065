"""What a record means: medians, paired ratios, shares of the floor. Everything that is shown comes from here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Literal

from benchmarks import arithmetic, stats, workload
from benchmarks.contestants import ENTRIES

Record = Mapping[str, Any]
Phase = Literal["training", "inference"]
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


def per_round(record: Record, name: str, contestant: str, phase: Phase) -> dict[int, list[float]]:
    """Round → median seconds a step of each of its turns."""
    found: dict[int, list[float]] = {}
    for turn in turns(record, name, contestant):
        found.setdefault(turn["round"], []).append(median(turn[phase]["seconds_per_step"]))
    return found


def seconds(record: Record, name: str, contestant: str, phase: Phase) -> dict[str, float]:
    """Spread of the turns' medians, in seconds a step."""
    rounds = per_round(record, name, contestant, phase)
    return stats.spread([value for values in rounds.values() for value in values])


def ratio(record: Record, name: str, slower: str, faster: str, phase: Phase = "training") -> dict[str, float | None]:
    """How many times faster the second is: paired within rounds, with its interval.

    Raises:
        ValueError: they have no round together.
    """
    a, b = (per_round(record, name, contestant, phase) for contestant in (slower, faster))
    both = sorted(a.keys() & b.keys())
    return stats.ratio([median(a[r]) for r in both], [median(b[r]) for r in both])


def noise(record: Record, name: str, phase: Phase = "training") -> dict[str, Any] | None:
    """A/A: the contestant that has two turns a round, against itself; None where there is none."""
    for contestant in contestants(record, name):
        pairs = [values for values in per_round(record, name, contestant, phase).values() if len(values) == 2]
        if pairs:
            found = stats.ratio([first for first, _ in pairs], [second for _, second in pairs])
            return {"contestant": contestant, **found}
    return None


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
    # A convolution is as much a product as a matrix product is; the machine's limit is that of the better of the two.
    compute = sum(flops / (1e9 * max(limit["gemm"], limit["conv"])) for flops in work.flops.values())
    return Floor(compute, work.bytes / (1e9 * limit["copy"]))


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
            for kind, parts in (("cold", cold), ("cached", cached))
            if parts and all(phase in part for part in parts)
        }
        for phase in names
    }


def of_batch(found: workload.Workload, batch: int) -> workload.Workload:
    """The workload at another batch size."""
    return replace(found, recipe=replace(found.recipe, batch_size=batch))
