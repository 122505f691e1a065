"""A record of waits as Markdown and as a figure, both derived from the waits on record."""

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
    """A contestant's waits that did not fail: those with an empty cache, or those from a cache."""
    finished = [turn for turn in part["turns"] if turn["contestant"] == contestant and "error" not in turn]
    return [turn for turn in finished if turn["cold"] is cold]


def timed(part: Part) -> list[str]:
    """The contestants that have a wait with an empty cache."""
    return [
        name for name in dict.fromkeys(turn["contestant"] for turn in part["turns"]) if turns(part, name, cold=True)
    ]


def wait(part: Part, contestant: str) -> float:
    """The median over seeds of the seconds from an empty cache; infinite where too few seeds reach the level."""
    return median(turn["seconds"] if turn["reached"] else inf for turn in turns(part, contestant, cold=True))


def phases(waits: Sequence[Turn]) -> dict[str, float]:
    """Phase → median seconds of some waits: of those that reached the level, or of all if none did."""
    counted = [turn for turn in waits if turn["reached"]] or list(waits)
    return {name: median(turn["phases"][name] for turn in counted) for name in PHASES}


def ratio(part: Part, first: str, second: str) -> dict[str, float | None] | None:
    """The ratio of the first's waits to the second's, paired by seed; None if the two share no finished seed."""
    by = [{t["seed"]: t["seconds"] for t in turns(part, name, cold=True) if t["reached"]} for name in (first, second)]
    both = sorted(by[0].keys() & by[1].keys())
    return stats.ratio([by[0][seed] for seed in both], [by[1][seed] for seed in both]) if both else None


def markdown(record: Mapping[str, Any]) -> str:
    """Every task as Markdown: a table of waits by phases, then ratios, and the waits that failed or were not timed."""
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
        *(f"- {a} / {b}: {times(quotient)}" for a, b in combinations(names, 2) if (quotient := ratio(part, a, b))),
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
    """The waits of a contestant that ended at the limit, in words."""
    return [
        f"{contestant}, seed {turn['seed']}: not reached, {turn['accuracy']:.1%} after {turn['step']:,} steps and "
        f"{turn['seconds']:.3g} s"
        for turn in turns(part, contestant, cold=True)
        if not turn["reached"]
    ]


def figure(record: Mapping[str, Any]) -> "Figure":
    """Draw a panel for each task: bars of the median phases, from empty caches and from a full one, and a dot a wait.

    A wait that did not reach the level is a cross at the seconds when it ended.
    """
    from parity.report.style import panels

    parts = record["tasks"]
    drawing, axes = panels(len(parts), 1, width=6.4, height=2.4)
    for axis, part in zip(axes.flat, parts.values(), strict=True):
        _panel(axis, part)
    return drawing


def _panel(axes: Any, part: Part) -> None:
    from parity.report.style import COLOURS

    bars = [(name, cold) for name in timed(part) for cold in (True, False) if turns(part, name, cold=cold)]
    for place, (name, cold) in enumerate(bars):
        left, colour, waits = 0.0, COLOURS[ENTRIES[name].framework], turns(part, name, cold=cold)
        for (phase, seconds), shade in zip(phases(waits).items(), SHADES, strict=True):
            hatch = "//" if phase == "evaluation" else None
            axes.barh(place, seconds, left=left, color=colour, alpha=shade, hatch=hatch, edgecolor="white", label=phase)
            left += seconds
        for reached, marker in ((True, "o"), (False, "x")):
            ends = [turn["seconds"] for turn in waits if turn["reached"] is reached]
            axes.plot(ends, [place] * len(ends), marker, color="black", markersize=4, zorder=3)
    axes.set_yticks(range(len(bars)), [f"{name}{'' if cold else ', cached'}" for name, cold in bars])
    axes.invert_yaxis()
    axes.set(xlabel="seconds from the start of the process", title=part["title"])
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[: len(PHASES)], labels[: len(PHASES)], fontsize=7, loc="lower right")
