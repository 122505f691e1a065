"""Where it should end: what the project wants of its speed, each judged from a record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.contestants import ENTRIES
from benchmarks.speed import derive
from benchmarks.speed.derive import DEFAULT, TUNED, Record
from benchmarks.speed.pages.table import NONE, markdown, times

SMALL = ("points", "rnn-5", "rnn-30")
"""Workloads whose steps are so short that what is around them counts most."""
LARGE = ("mlp", "vgg-32", "vgg-256")
"""Workloads that are judged by the machine's floor."""
NETWORKS = {"points": ("points",), "mlp": ("mlp",), "vgg": ("vgg-32", "vgg-256"), "rnn": ("rnn-5", "rnn-30")}
KERAS = ("keras-jax", "keras-torch")
SMALL_TIMES, PEER_TIMES, KERAS_TIMES, KERAS_NETWORKS, OF_FLOOR = 3.0, 1.0, 1.5, 3, 0.6


@dataclass(frozen=True)
class Judged:
    """One target on one workload.

    Args:
        target: in words.
        where: workload or network.
        measured: in words; a dash where the record has nothing of it.
        value, wanted: what was measured, None if nothing was, and the least that the target asks for.
        within: whether a miss is no larger than what equals differ by in the same record (A/A).
    """

    target: str
    where: str
    measured: str
    value: float | None
    wanted: float
    within: bool = False

    @property
    def met(self) -> bool | None:
        """None where the record cannot tell."""
        return None if self.value is None else self.value >= self.wanted

    @property
    def verdict(self) -> str:
        """Met, or by how much it was missed."""
        if self.value is None:
            return "not in the record"
        if self.met:
            return "met"
        return f"missed by {1 - self.value / self.wanted:.1%}" + (", within the noise of A/A" if self.within else "")


def judge(record: Record) -> list[Judged]:
    """All targets, in order."""
    return [*_against_default(record), *_against_peers(record), *_against_keras(record), *_of_floor(record)]


def table(record: Record) -> str:
    """The targets as a Markdown table, with their number above it."""
    lines = ([one.target, one.where, one.measured, one.verdict] for one in judge(record))
    return f"{counted(record)}\n\n{markdown(('target', 'workload', 'measured', 'verdict'), lines)}"


def counted(record: Record) -> str:
    """How many targets are met, in a sentence."""
    found = judge(record)
    told = [one for one in found if one.met is not None]
    said = f"{sum(one.met is True for one in told)} of the {len(told)} targets that this record can judge are met."
    return said if len(told) == len(found) else f"{said} {len(found) - len(told)} cannot be judged from it."


def _against_default(record: Record) -> Iterator[Judged]:
    for name in _all():
        wanted = SMALL_TIMES if name in SMALL else 1.0
        for framework, tuned in TUNED.items():
            target = f"{tuned} at least {_as_fast(wanted)} {DEFAULT[framework]}"
            yield _ratio(record, name, target, DEFAULT[framework], tuned, wanted)


def _against_peers(record: Record) -> Iterator[Judged]:
    """Like against like: ours in the peer's framework."""
    for peer in (entry for entry in ENTRIES.values() if entry.track == "peer"):
        for name in _all():
            if not peer.networks or derive.workload.load(name).recipe.network in peer.networks:
                ours = TUNED[peer.framework]
                target = f"{ours} at least {_as_fast(PEER_TIMES)} {peer.name}"
                yield _ratio(record, name, target, peer.name, ours, PEER_TIMES)


def _against_keras(record: Record) -> Iterator[Judged]:
    """The better of ours against the better backend of Keras; a network counts by the workload that is worst for us."""
    worst = {network: _keras(record, names) for network, names in NETWORKS.items()}
    known = {network: found for network, found in worst.items() if found is not None}
    target = f"the better of ours {KERAS_TIMES:g} times as fast as the better of Keras 3 in {KERAS_NETWORKS} networks"
    measured = ", ".join(f"{network} {times(found)}" for network, found in known.items()) or NONE
    # the network that is third from the top decides
    values = sorted((found["median"] for found in known.values()), reverse=True)
    value = values[KERAS_NETWORKS - 1] if len(known) == len(NETWORKS) else None
    yield Judged(target, ", ".join(NETWORKS), measured, value, KERAS_TIMES)


def _keras(record: Record, names: Sequence[str]) -> dict[str, Any] | None:
    """The least ratio of a network's workloads; None unless the record has all of them."""
    found = []
    for name in names:
        timed = name in record["workloads"]
        ours = derive.best(record, name, list(TUNED.values())) if timed else None
        theirs = derive.best(record, name, KERAS) if timed else None
        found.append(derive.ratio(record, name, theirs, ours) if ours and theirs else None)
    known = [one for one in found if one is not None]
    return min(known, key=lambda one: one["median"]) if len(known) == len(found) else None


def _of_floor(record: Record) -> Iterator[Judged]:
    for name in LARGE:
        target = f"the better of ours at {OF_FLOOR:.0%} of the floor or more"
        best = derive.best(record, name, list(TUNED.values())) if name in record["workloads"] else None
        share = derive.share(record, name, best) if best else None
        yield Judged(target, f"`{name}`", NONE if share is None else f"{share:.0%} ({best})", share, OF_FLOOR)


def _ratio(record: Record, name: str, target: str, slower: str, faster: str, wanted: float) -> Judged:
    found = derive.ratio(record, name, slower, faster) if name in record["workloads"] else None
    if found is None:
        return Judged(target, f"`{name}`", NONE, None, wanted)
    within = found["median"] * derive.band(record, name) >= wanted
    return Judged(target, f"`{name}`", times(found), found["median"], wanted, within)


def _all() -> list[str]:
    return [name for names in NETWORKS.values() for name in names]


def _as_fast(wanted: float) -> str:
    return "as fast as" if wanted == 1 else f"{wanted:g} times as fast as"
