"""A record of growth as Markdown and as a figure, both derived from the raw samples."""

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
    """The contestants with a turn that did not fail."""
    return list(dict.fromkeys(turn["contestant"] for turn in part["turns"] if "error" not in turn))


def per_round(part: Part, contestant: str) -> dict[int, list[float]]:
    """Round → seconds a step at each size, in the order of the sizes."""
    return {
        turn["round"]: [median(turn["points"][point]["seconds_per_step"]) for point in part["sizes"]]
        for turn in part["turns"]
        if turn["contestant"] == contestant and "error" not in turn
    }


def spreads(part: Part, contestant: str) -> list[dict[str, float]]:
    """The spread over the rounds of the seconds a step, one for each size."""
    return [stats.spread(values) for values in zip(*per_round(part, contestant).values(), strict=True)]


def medians(part: Part, contestant: str) -> list[float]:
    """The median seconds a step, one for each size."""
    return [spread["median"] for spread in spreads(part, contestant)]


def fitted(part: Part, contestant: str) -> Fit | None:
    """The fit to the growth of a contestant's medians; None where they tell no exponent."""
    return fit(list(part["sizes"].values()), medians(part, contestant))


def ratios(part: Part, first: str, second: str) -> list[dict[str, float | None]]:
    """The ratio of the first's time to the second's at each size, paired within rounds."""
    a, b = per_round(part, first), per_round(part, second)
    both = sorted(a.keys() & b.keys())
    columns = range(len(part["sizes"])) if both else ()
    return [stats.ratio([a[r][i] for r in both], [b[r][i] for r in both]) for i in columns]


def crossed(part: Part, first: str, second: str) -> list[Crossing]:
    """The sizes at which the faster of two contestants changes."""
    sizes = list(part["sizes"].values())
    return crossings(sizes, medians(part, first), medians(part, second), (first, second))


def markdown(record: Mapping[str, Any]) -> str:
    """Every series as Markdown: a table of times and ratios, then exponents, crossings, and what was not timed."""
    parts = [line for name, part in record["series"].items() for line in _series(name, part)]
    turns = [turn for part in record["series"].values() for turn in part["turns"]]
    flags = [noisy(point) for turn in turns for point in turn.get("points", {}).values()]
    return "\n".join([*parts, table.disturbed(flags, "readings")]).rstrip()


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
    columns = [[milliseconds(value) for value in spreads(part, name)] for name in names]
    columns += [[times(value) for value in ratios(part, a, b)] or ["–"] * len(part["sizes"]) for a, b in pairs]
    rows = zip((f"{size:,}" for size in part["sizes"].values()), *columns, strict=True)
    return table.markdown(head, rows)


def _opponents(names: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of contestants of different frameworks."""
    return [(a, b) for a, b in combinations(names, 2) if ENTRIES[a].framework != ENTRIES[b].framework]


def growth_words(growth: Fit | None, part: Part) -> str:
    """A fit in words."""
    axis, first = part["axis"], min(part["sizes"].values())
    if growth is None:
        return f"too few sizes, or too little growth, to tell an exponent of {axis}"
    interval = "" if growth.low is None else f" (95 % interval {growth.low:.2f} to {growth.high:.2f})"
    knee = f", beyond a knee at {axis} {growth.knee:,.3g}" if growth.knee > first else ""
    return f"a step grows as {axis} to the power of {growth.exponent:.2f}{interval}{knee}"


def crossing_words(part: Part, first: str, second: str) -> str:
    """The sizes at which the faster of two contestants changes, in words."""
    changes = crossed(part, first, second)
    if not changes:
        faster = first if medians(part, first)[0] < medians(part, second)[0] else second
        return f"{first} and {second} do not cross: none, {faster} is faster everywhere"
    points = (
        f"at {part['axis']} {crossing.at:,.3g} ({crossing.below} is faster below, {crossing.above} above)"
        for crossing in changes
    )
    return f"{first} and {second} cross {', '.join(points)}"


def figure(record: Mapping[str, Any]) -> "Figure":
    """Draw a log–log panel for each series: medians with extremes, the fitted growth, and a line at each crossing."""
    from parity.report.style import panels

    parts = record["series"]
    columns = min(3, len(parts))
    rows = -(-len(parts) // columns)
    drawing, axes = panels(rows, columns)
    for place, (axis, part) in enumerate(zip(axes.flat, parts.values(), strict=False)):
        _panel(axis, part)
        axis.set_title(f"{part['title']}", fontsize=8)
        if place == 0:
            axis.legend(fontsize=7)
    for axis in axes.flat[len(parts) :]:
        axis.set_visible(False)
    return drawing


def _panel(axes: "Axes", part: Part) -> None:
    from matplotlib.ticker import NullFormatter, NullLocator

    from parity.report.style import COLOURS

    sizes, names = list(part["sizes"].values()), timed(part)
    for name in names:
        entry, seconds = ENTRIES[name], spreads(part, name)
        middle = [spread["median"] for spread in seconds]
        around = [
            [spread["median"] - spread["min"] for spread in seconds],
            [spread["max"] - spread["median"] for spread in seconds],
        ]
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
        for crossing in crossed(part, *pair):
            axes.axvline(crossing.at, color="0.5", linestyle=":", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel=part["axis"], ylabel="seconds a training step")
    axes.set_xticks(sizes, [f"{size:g}" if size < 10_000 else f"{size:.0e}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
