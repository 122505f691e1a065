"""A record of growth as Markdown and as a figure; all that it says is derived from the raw samples."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.contestants import ENTRIES
from benchmarks.growth.fit import Crossing, Fit, crossings, fit
from benchmarks.speed import stats
from benchmarks.speed.measure import noisy
from benchmarks.speed.pages import table
from benchmarks.speed.pages.table import milliseconds, times

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Part = Mapping[str, Any]  # one series of a record
MARKERS = {"tuned": "o", "default": "s", "peer": "^"}


def timed(part: Part) -> list[str]:
    """Contestants that have a turn that did not fail."""
    return list(dict.fromkeys(turn["contestant"] for turn in part["turns"] if "error" not in turn))


def per_round(part: Part, contestant: str) -> dict[int, list[float]]:
    """Round → seconds a step at each size, in the order of the sizes."""
    return {
        turn["round"]: [median(turn["points"][point]["seconds_per_step"]) for point in part["sizes"]]
        for turn in part["turns"]
        if turn["contestant"] == contestant and "error" not in turn
    }


def spreads(part: Part, contestant: str) -> list[dict[str, float]]:
    """Spread over the rounds of the seconds a step, one a size."""
    return [stats.spread(values) for values in zip(*per_round(part, contestant).values(), strict=True)]


def medians(part: Part, contestant: str) -> list[float]:
    """Median seconds a step, one a size."""
    return [found["median"] for found in spreads(part, contestant)]


def fitted(part: Part, contestant: str) -> Fit | None:
    """The growth of a contestant's medians."""
    return fit(list(part["sizes"].values()), medians(part, contestant))


def ratios(part: Part, first: str, second: str) -> list[dict[str, float | None]]:
    """Time of the first by that of the second at each size, paired within rounds."""
    a, b = per_round(part, first), per_round(part, second)
    both = sorted(a.keys() & b.keys())
    columns = range(len(part["sizes"])) if both else ()
    return [stats.ratio([a[r][i] for r in both], [b[r][i] for r in both]) for i in columns]


def crossed(part: Part, first: str, second: str) -> list[Crossing]:
    """Sizes at which the faster of two changes."""
    sizes = list(part["sizes"].values())
    return crossings(sizes, medians(part, first), medians(part, second), (first, second))


def markdown(record: Mapping[str, Any]) -> str:
    """Every series: a table of times and ratios, then exponents, crossings, and what was not timed."""
    parts = [line for name, part in record["series"].items() for line in _series(name, part)]
    turns = [turn for part in record["series"].values() for turn in part["turns"]]
    found = [noisy(point) for turn in turns for point in turn.get("points", {}).values()]
    return "\n".join([*parts, table.disturbed(found, "readings")]).rstrip()


def _series(name: str, part: Part) -> list[str]:
    names = timed(part)
    return [
        f"### {part['title']}: {part['axis']} (`{name}`)",
        "",
        _table(part, names),
        "",
        *(f"- {contestant}: {growth_words(fitted(part, contestant), part)}" for contestant in names),
        *(f"- {crossing_words(part, *pair)}" for pair in _opponents(names)),
        *(f"- {note}" for note in table.untimed(part)),
        "",
    ]


def _table(part: Part, names: Sequence[str]) -> str:
    pairs = _opponents(names)
    head = [part["axis"], *(f"{name}, ms a step" for name in names), *(f"{a} / {b}" for a, b in pairs)]
    columns = [[milliseconds(found) for found in spreads(part, name)] for name in names]
    columns += [[times(found) for found in ratios(part, a, b)] or ["–"] * len(part["sizes"]) for a, b in pairs]
    rows = zip((f"{size:,}" for size in part["sizes"].values()), *columns, strict=True)
    return table.markdown(head, rows)


def _opponents(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of contestants of different frameworks."""
    return [(a, b) for a, b in combinations(names, 2) if ENTRIES[a].framework != ENTRIES[b].framework]


def growth_words(found: Fit | None, part: Part) -> str:
    """A fit in words."""
    axis, first = part["axis"], min(part["sizes"].values())
    if found is None:
        return f"too few sizes, or too little growth, to tell an exponent of {axis}"
    interval = "" if found.low is None else f" (95 % interval {found.low:.2f} to {found.high:.2f})"
    knee = f", beyond a knee at {axis} {found.knee:,.3g}" if found.knee > first else ""
    return f"a step grows as {axis} to the power of {found.exponent:.2f}{interval}{knee}"


def crossing_words(part: Part, first: str, second: str) -> str:
    """Where the faster of two changes, in words."""
    found = crossed(part, first, second)
    if not found:
        faster = first if medians(part, first)[0] < medians(part, second)[0] else second
        return f"{first} and {second} do not cross: none, {faster} is faster everywhere"
    points = (f"at {part['axis']} {one.at:,.3g} ({one.below} is faster below, {one.above} above)" for one in found)
    return f"{first} and {second} cross {', '.join(points)}"


def figure(record: Mapping[str, Any]) -> "Figure":
    """A panel a series, log–log: medians with extremes, the fitted growth, and a line where the faster changes."""
    from parity.report.style import panels

    found = record["series"]
    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    made, axes = panels(rows, columns)
    for place, (axis, part) in enumerate(zip(axes.flat, found.values(), strict=False)):
        _panel(axis, part)
        axis.set_title(f"{part['title']}", fontsize=8)
        if place == 0:
            axis.legend(fontsize=7)
    for axis in axes.flat[len(found) :]:
        axis.set_visible(False)
    return made


def _panel(axes: "Axes", part: Part) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    from parity.report.style import COLOURS

    sizes, names = list(part["sizes"].values()), timed(part)
    for name in names:
        entry, found = ENTRIES[name], spreads(part, name)
        middle = [one["median"] for one in found]
        around = [[one["median"] - one["min"] for one in found], [one["max"] - one["median"] for one in found]]
        colour, style = (
            COLOURS[entry.framework],
            dict[str, Any]({"fmt": MARKERS[entry.track], "capsize": 2, "markersize": 4}),
        )
        axes.errorbar(sizes, middle, around, color=colour, label=name, **style)
        model = fitted(part, name)
        if model is not None:
            between = np.geomspace(sizes[0], sizes[-1])
            axes.plot(between, model.seconds(between), color=colour, linewidth=1)
    for pair in _opponents(names):
        for one in crossed(part, *pair):
            axes.axvline(one.at, color="0.5", linestyle=":", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel=part["axis"], ylabel="seconds a training step")
    axes.set_xticks(sizes, [f"{size:g}" if size < 10_000 else f"{size:.0e}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
