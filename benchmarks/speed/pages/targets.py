"""The targets of the project's speed, each judged from a record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.contestants import ENTRIES
from benchmarks.speed import derive
from benchmarks.speed.derive import DEFAULT, TUNED, Record
from benchmarks.speed.pages.table import NONE, markdown, times

SMALL = ("points", "rnn-5", "rnn-30")
"""Workloads whose steps are so short that the overhead around them counts most."""
LARGE = ("mlp", "vgg-32", "vgg-256")
"""Workloads that are judged by the machine's floor."""
NETWORKS = {"points": ("points",), "mlp": ("mlp",), "vgg": ("vgg-32", "vgg-256"), "rnn": ("rnn-5", "rnn-30")}
KERAS = ("keras-jax", "keras-torch")
SMALL_TIMES, PEER_TIMES, KERAS_TIMES, KERAS_NETWORKS, OF_FLOOR = 3.0, 1.0, 1.5, 3, 0.6


@dataclass(frozen=True)
class Judged:
    """One target on one workload.

    Args:
        target: the target in words.
        where: name of the workload or network.
        measured: the measurement in words; a dash where the record has none.
        value: the measured number; None where the record has none.
        wanted: the least number that meets the target.
        within: whether a miss is no larger than the difference of equals in the same record (A/A).
    """

    target: str
    where: str
    measured: str
    value: float | None
    wanted: float
    within: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where the record cannot tell."""
        return None if self.value is None else self.value >= self.wanted

    @property
    def verdict(self) -> str:
        """The verdict in words: met, or missed by how much."""
        if self.value is None:
            return "not in the record"
        if self.met:
            return "met"
        return f"missed by {1 - self.value / self.wanted:.1%}" + (", within the noise of A/A" if self.within else "")


def judge(record: Record) -> list[Judged]:
    """Judge all targets, in order."""
    return [*_against_default(record), *_against_peers(record), *_against_keras(record), *_of_floor(record)]


def table(record: Record) -> str:
    """The targets as a Markdown table, with their number above it."""
    lines = ([target.target, target.where, target.measured, target.verdict] for target in judge(record))
    return f"{counted(record)}\n\n{markdown(('target', 'workload', 'measured', 'verdict'), lines)}"


def counted(record: Record) -> str:
    """Say in a sentence how many targets are met."""
    targets = judge(record)
    known = [target for target in targets if target.met is not None]
    sentence = (
        f"{sum(target.met is True for target in known)} of the {len(known)} targets that this record can judge are met."
    )
    return (
        sentence if len(known) == len(targets) else f"{sentence} {len(targets) - len(known)} cannot be judged from it."
    )


def _against_default(record: Record) -> Iterator[Judged]:
    for name in _all():
        wanted = SMALL_TIMES if name in SMALL else 1.0
        for framework, tuned in TUNED.items():
            target = f"{tuned} at least {_as_fast(wanted)} {DEFAULT[framework]}"
            yield _ratio(record, name, target, DEFAULT[framework], tuned, wanted)


def _against_peers(record: Record) -> Iterator[Judged]:
    """Judge the project's loop against each peer in the same framework."""
    for peer in (entry for entry in ENTRIES.values() if entry.track == "peer"):
        for name in _all():
            if not peer.networks or derive.workload.load(name).recipe.network in peer.networks:
                ours = TUNED[peer.framework]
                target = f"{ours} at least {_as_fast(PEER_TIMES)} {peer.name}"
                yield _ratio(record, name, target, peer.name, ours, PEER_TIMES)


def _against_keras(record: Record) -> Iterator[Judged]:
    """Judge the better of our loops against the better backend of Keras, a network by its worst workload for us."""
    worst = {network: _keras(record, names) for network, names in NETWORKS.items()}
    known = {network: ratio for network, ratio in worst.items() if ratio is not None}
    target = f"the better of ours {KERAS_TIMES:g} times as fast as the better of Keras 3 in {KERAS_NETWORKS} networks"
    measured = ", ".join(f"{network} {times(ratio)}" for network, ratio in known.items()) or NONE
    # the network that is third from the top decides
    values = sorted((ratio["median"] for ratio in known.values()), reverse=True)
    value = values[KERAS_NETWORKS - 1] if len(known) == len(NETWORKS) else None
    yield Judged(target, ", ".join(NETWORKS), measured, value, KERAS_TIMES)


def _keras(record: Record, names: Sequence[str]) -> dict[str, Any] | None:
    """The least ratio among a network's workloads; None unless the record has all of them."""
    ratios = []
    for name in names:
        timed = name in record["workloads"]
        ours = derive.best(record, name, list(TUNED.values())) if timed else None
        theirs = derive.best(record, name, KERAS) if timed else None
        ratios.append(derive.ratio(record, name, theirs, ours) if ours and theirs else None)
    known = [ratio for ratio in ratios if ratio is not None]
    return min(known, key=lambda ratio: ratio["median"]) if len(known) == len(ratios) else None


def _of_floor(record: Record) -> Iterator[Judged]:
    for name in LARGE:
        target = f"the better of ours at {OF_FLOOR:.0%} of the floor or more"
        best = derive.best(record, name, list(TUNED.values())) if name in record["workloads"] else None
        share = derive.share(record, name, best) if best else None
        yield Judged(target, f"`{name}`", NONE if share is None else f"{share:.0%} ({best})", share, OF_FLOOR)


def _ratio(record: Record, name: str, target: str, slower: str, faster: str, wanted: float) -> Judged:
    ratio = derive.ratio(record, name, slower, faster) if name in record["workloads"] else None
    if ratio is None:
        return Judged(target, f"`{name}`", NONE, None, wanted)
    within = ratio["median"] * derive.band(record, name) >= wanted
    return Judged(target, f"`{name}`", times(ratio), ratio["median"], wanted, within)


def _all() -> list[str]:
    return [name for names in NETWORKS.values() for name in names]


def _as_fast(wanted: float) -> str:
    return "as fast as" if wanted == 1 else f"{wanted:g} times as fast as"
