"""Two records side by side: the differences of their settings, then the ratio of every median, with its interval."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.speed import derive, stats
from benchmarks.speed.derive import START, STEADY, Record
from benchmarks.speed.pages.table import NONE, markdown, times

PHASES = (*STEADY, *START, "data", "first inference")
FACTS = ("host", "device", "hardware", "versions", "variables", "commit")
SETTINGS = ("precision", "threads")


@dataclass(frozen=True)
class Change:
    """One phase of a contestant in two records.

    Args:
        workload, contestant, phase: names of the workload, the contestant and the phase; starts are those from cache.
        median: the new median over the old one; below 1 it has become faster.
        low, high: bootstrap 95 % interval; None with fewer than three turns in one of the records.
        band: factor by which equals differ in the records (A/A).
    """

    workload: str
    contestant: str
    phase: str
    median: float
    low: float | None
    high: float | None
    band: float

    @property
    def flag(self) -> str:
        """ "slower" or "faster" where the interval excludes 1 by more than the noise, else ""."""
        if self.low is not None and self.low > self.band:
            return "slower"
        return "faster" if self.high is not None and self.high < 1 / self.band else ""


def changes(old: Record, new: Record) -> Iterator[Change]:
    """Yield the change of every phase of every contestant that both records have."""
    for name in old["workloads"]:
        if name not in new["workloads"]:
            continue
        bands = {phase: max(derive.band(record, name, phase) for record in (old, new)) for phase in PHASES}
        for contestant in derive.contestants(old, name):
            for phase in PHASES:
                before, after = (derive.values(record, name, contestant, phase) for record in (old, new))
                if before and after:
                    yield Change(name, contestant, phase, **stats.unpaired(after, before), band=bands[phase])


def differences(old: Record, new: Record) -> dict[str, tuple[Any, Any]]:
    """Dotted name of a setting that differs → its old and its new value."""
    pairs = [(f, old["environment"][f], new["environment"][f]) for f in FACTS]
    pairs += [(f, old["request"][f], new["request"][f]) for f in SETTINGS]
    return {name: (a, b) for key, before, after in pairs for name, a, b in _apart(key, before, after)}


def _apart(key: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from _apart(f"{key}.{name}", old.get(name), new.get(name))
    elif old != new:
        yield key, old, new


def timed(record: Record) -> list[str]:
    """Names "workload/contestant" of all that was timed."""
    return [f"{name}/{contestant}" for name in record["workloads"] for contestant in derive.contestants(record, name)]


def text(old: Record, new: Record) -> str:
    """The comparison as text: the settings that differ, a table of the changes, and a count."""
    changed = list(changes(old, new))
    lines = [f"differs: {name}: {before} → {after}" for name, (before, after) in differences(old, new).items()]
    lines += [f"busy: the {which} record was made on a busy machine" for which in _busy(old, new)]
    for which, record, other in (("OLD", old, new), ("NEW", new, old)):
        only = [name for name in timed(record) if name not in timed(other)]
        lines += [f"only in {which}: {', '.join(only)}"] if only else []
    flagged = [change.flag for change in changed if change.flag]
    count = f"{len(changed)} compared: {flagged.count('slower')} slower, {flagged.count('faster')} faster"
    head = ("workload", "contestant", "phase", "new / old", "noise of A/A", "")
    return "\n".join([*lines, "", markdown(head, map(_row, changed)), "", f"{count} by more than the noise"])


def _busy(old: Record, new: Record) -> list[str]:
    return [which for which, record in (("old", old), ("new", new)) if record["busy"]]


def _row(change: Change) -> list[str]:
    noise = NONE if change.band == 1 else f"{change.band:.2f} ×"
    return [change.workload, change.contestant, change.phase, times(asdict(change)), noise, change.flag]


def as_json(old: Record, new: Record) -> dict[str, Any]:
    """The comparison as a dictionary that JSON can hold."""
    return {
        "differences": {name: list(values) for name, values in differences(old, new).items()},
        "busy": _busy(old, new),
        "changes": [{**asdict(change), "flag": change.flag} for change in changes(old, new)],
    }
