"""A record of waits as Markdown and as a figure; all that it says is derived from the waits on record."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import inf, isinf
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.contestants import ENTRIES
from benchmarks.speed import stats
from benchmarks.speed.measure import noisy
from benchmarks.speed.pages import table
from benchmarks.speed.pages.table import times
from benchmarks.waits.worker import PHASES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Part = Mapping[str, Any]  # one task of a record
Turn = Mapping[str, Any]
SHADES = (0.25, 0.4, 0.65, 1.0, 0.5)  # of a framework's colour, a phase each


def turns(part: Part, contestant: str, *, cold: bool) -> list[Turn]:
    """Its waits that did not fail: those with an empty cache, or those from a cache."""
    found = [turn for turn in part["turns"] if turn["contestant"] == contestant and "error" not in turn]
    return [turn for turn in found if turn["cold"] is cold]


def timed(part: Part) -> list[str]:
    """Contestants that have a wait."""
    return [
        name for name in dict.fromkeys(turn["contestant"] for turn in part["turns"]) if turns(part, name, cold=True)
    ]


def wait(part: Part, contestant: str) -> float:
    """Median over the seeds of the seconds from an empty cache; infinite where half of the seeds do not get there."""
    return median(turn["seconds"] if turn["reached"] else inf for turn in turns(part, contestant, cold=True))


def phases(found: Sequence[Turn]) -> dict[str, float]:
    """Phase → median seconds of some waits, of those that got there if any did."""
    counted = [turn for turn in found if turn["reached"]] or list(found)
    return {name: median(turn["phases"][name] for turn in counted) for name in PHASES}


def ratio(part: Part, first: str, second: str) -> dict[str, float | None] | None:
    """Waits of the first by those of the second, paired by seed; None where no seed gets there with both."""
    by = [{t["seed"]: t["seconds"] for t in turns(part, name, cold=True) if t["reached"]} for name in (first, second)]
    both = sorted(by[0].keys() & by[1].keys())
    return stats.ratio([by[0][seed] for seed in both], [by[1][seed] for seed in both]) if both else None


def markdown(record: Mapping[str, Any]) -> str:
    """Every task: a table of waits by phases, then ratios, and what did not get there or was not timed."""
    parts = [line for name, part in record["tasks"].items() for line in _task(name, part)]
    waits = [turn for part in record["tasks"].values() for turn in part["turns"]]
    return "\n".join([*parts, table.disturbed([noisy(turn) for turn in waits], "waits")]).rstrip()


def _task(name: str, part: Part) -> list[str]:
    names = timed(part)
    head = ["contestant", "waits", "seconds", *PHASES, "from its cache"]
    return [
        f"### {part['title']} (`{name}`)",
        "",
        f"Evaluated every {part['every']} steps, at most {part['steps']:,}: {part['why']}.",
        "",
        table.markdown(head, (_row(part, contestant) for contestant in names)),
        "",
        *(f"- {a} / {b}: {times(found)}" for a, b in combinations(names, 2) if (found := ratio(part, a, b))),
        *(f"- {words}" for contestant in names for words in missed(part, contestant)),
        *(f"- {note}" for note in table.untimed(part)),
        "",
    ]


def _row(part: Part, contestant: str) -> list[str]:
    cold, cached = (turns(part, contestant, cold=is_cold) for is_cold in (True, False))
    got = [turn["seconds"] for turn in cold if turn["reached"]]
    middle = wait(part, contestant)
    around = f" ({min(got):.3g}–{max(got):.3g})" if len(got) > 1 else ""
    seconds = "not reached" if isinf(middle) else f"{middle:.3g}"
    return [
        contestant,
        f"{len(got)} of {len(cold)}",
        f"{seconds}{around}",
        *(f"{value:.3g}" for value in phases(cold).values()),
        ", ".join(f"{turn['seconds']:.3g}" if turn["reached"] else "not reached" for turn in cached) or "–",
    ]


def missed(part: Part, contestant: str) -> list[str]:
    """The waits that ended at the limit."""
    return [
        f"{contestant}, seed {turn['seed']}: not reached, {turn['accuracy']:.1%} after {turn['step']:,} steps and "
        f"{turn['seconds']:.3g} s"
        for turn in turns(part, contestant, cold=True)
        if not turn["reached"]
    ]


def figure(record: Mapping[str, Any]) -> "Figure":
    """A panel a task: bars of the medians of the phases, from empty caches and from a full one, and every wait a dot.

    A wait that did not get there is a cross at the seconds when it ended.
    """
    from parity.report.style import panels

    found = record["tasks"]
    made, axes = panels(len(found), 1, width=6.4, height=2.4)
    for axis, part in zip(axes.flat, found.values(), strict=True):
        _panel(axis, part)
    return made


def _panel(axes: Any, part: Part) -> None:
    from parity.report.style import COLOURS

    bars = [(name, cold) for name in timed(part) for cold in (True, False) if turns(part, name, cold=cold)]
    for place, (name, cold) in enumerate(bars):
        left, colour, found = 0.0, COLOURS[ENTRIES[name].framework], turns(part, name, cold=cold)
        for (phase, seconds), shade in zip(phases(found).items(), SHADES, strict=True):
            hatch = "//" if phase == "evaluation" else None
            axes.barh(place, seconds, left=left, color=colour, alpha=shade, hatch=hatch, edgecolor="white", label=phase)
            left += seconds
        for reached, marker in ((True, "o"), (False, "x")):
            ends = [turn["seconds"] for turn in found if turn["reached"] is reached]
            axes.plot(ends, [place] * len(ends), marker, color="black", markersize=4, zorder=3)
    axes.set_yticks(range(len(bars)), [f"{name}{'' if cold else ', cached'}" for name, cold in bars])
    axes.invert_yaxis()
    axes.set(xlabel="seconds from the start of the process", title=part["title"])
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[: len(PHASES)], labels[: len(PHASES)], fontsize=7, loc="lower right")
