"""Drawings of a record: ratios with their intervals, phases of the start, and the roofline."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from benchmarks.contestants import ENTRIES, workload
from benchmarks.speed import arithmetic, derive
from benchmarks.speed.derive import DEFAULT, TUNED, Record
from benchmarks.speed.pages.table import digits, steps, times
from parity.report.style import COLOURS, OPTIONS

WIDTH = 6.4  # inches
INK = "black"
MARKERS = {"default": "s", "tuned": "o", "keras": "D", "lightning": "^", "torch-rnn": "v", "torchax": "P"}
PARTS = {
    "import": "#999999",
    "data": "#DDCC77",
    "init": "#56B4E9",
    "first step": "#CC79A7",
    "first single step": "#882255",
    "a steady step": "#117733",
}
"""Part of a bar → its colour."""


def stacked(heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """A figure that a telephone can show: panels of given heights, in inches, one above the other."""
    with mpl.rc_context(OPTIONS):
        figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
        axes = figure.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
    return figure, [row[0] for row in axes]


def compared(record: Record, name: str) -> list[tuple[str, str, derive.Ratio]]:
    """The ratios of a workload: each contestant to its framework's default, then Flax's tuned track to PyTorch's.

    Each is a label, the framework ("" for both), and the ratio.
    """
    rows = []
    for contestant in derive.contestants(record, name):
        framework = ENTRIES[contestant].framework
        if contestant != DEFAULT[framework]:
            rows.append((contestant, framework, derive.ratio(record, name, DEFAULT[framework], contestant)))
    rows.append(("flax-tuned against torch-tuned", "", derive.ratio(record, name, TUNED["torch"], TUNED["jax"])))
    return [(label, framework, ratio) for label, framework, ratio in rows if ratio is not None]


def ratios(record: Record) -> Figure:
    """A forest plot of how many times faster each contestant is than its framework's default, with the band of A/A."""
    rows = {name: compared(record, name) for name in record["workloads"]}
    figure, panels = stacked([0.75 + 0.24 * max(1, len(comparisons)) for comparisons in rows.values()])
    for axes, (name, comparisons) in zip(panels, rows.items(), strict=True):
        _forest(axes, comparisons, derive.band(record, name))
        axes.set_title(record["workloads"][name]["title"], loc="left", fontsize=9)
    panels[-1].set_xlabel("times as fast as the default of its framework; band: A/A")
    return figure


def _forest(axes: Axes, rows: Sequence[tuple[str, str, derive.Ratio]], band: float) -> None:
    axes.axvspan(1 / band, band, color="#808080", alpha=0.25, linewidth=0)
    axes.axvline(1, color=INK, linewidth=0.8)
    for place, (_, framework, ratio) in enumerate(rows):
        colour = COLOURS.get(framework, INK)
        if ratio["low"] is not None:
            axes.plot([ratio["low"], ratio["high"]], [place, place], color=colour, linewidth=1.8)
        axes.plot(ratio["median"], place, color=colour, marker="o", markersize=4.5)
        axes.text(1.02, place, times(ratio), transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.set_xscale("log")
    ends = [ratio[key] for _, _, ratio in rows for key in ("low", "median", "high") if ratio[key] is not None]
    axes.set_xlim(0.8 * min([*ends, 1 / band]), 1.25 * max([*ends, band]))
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]) if high / low < 3 else LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.tick_params(axis="x", labelsize=8)


def phases(record: Record) -> Figure:
    """Stacked bars of the phases of the start, cold and cached, with the steady step and the steps that pay for it."""
    bars = {
        name: [(c, kind) for c in derive.contestants(record, name) for kind in derive.start(record, name, c)]
        for name in record["workloads"]
    }
    figure, panels = stacked([0.75 + 0.2 * max(1, len(starts)) for starts in bars.values()])
    for axes, (name, starts) in zip(panels, bars.items(), strict=True):
        _bars(axes, record, name, starts)
        axes.set_title(record["workloads"][name]["title"], loc="left", fontsize=9)
    panels[-1].set_xlabel("seconds; right of it a steady step, and when the start has paid")
    handles = [Line2D([], [], color=colour, linewidth=6, label=part) for part, colour in PARTS.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(PARTS), fontsize=7, handlelength=1)
    return figure


def _bars(axes: Axes, record: Record, name: str, bars: Sequence[tuple[str, str]]) -> None:
    for place, (contestant, kind) in enumerate(bars):
        step, left = derive.seconds(record, name, contestant, "training")["median"], 0.0
        seconds = derive.phases(record, name, contestant) | {"a steady step": {kind: step}}
        for part, colour in PARTS.items():
            took = seconds.get(part, {}).get(kind, 0.0)
            axes.barh(place, took, left=left, color=colour, height=0.7)
            left += took
        is_default = contestant in DEFAULT.values()
        paid = "" if is_default else f", pays: {steps(derive.payback(record, name, contestant, kind))}"
        text = f"{digits(1e3 * step)} ms{paid}"
        axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=7.5)
    axes.set_yticks(range(len(bars)), [f"{contestant}, {kind}" for contestant, kind in bars], fontsize=7.5)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="x", labelsize=8)


def roofline(record: Record) -> Figure:
    """A plot of each training step's operations a second over its operations a byte, beneath the measured roofs."""
    figure, (axes,) = stacked([4.4])
    work = {name: arithmetic.training(workload.load(name).recipe) for name in record["workloads"]}
    along = {name: cost.total / cost.bytes for name, cost in work.items()}
    _roofs(axes, record, along.values())
    lowest = inf
    for name, place in along.items():
        for contestant in derive.contestants(record, name):
            reached = derive.achieved(record, name, contestant) / 1e9
            lowest = min(lowest, reached)
            axes.plot(place, reached, **_point(contestant), gid=f"{name}-{contestant}")
    axes.set_ylim(bottom=lowest / 3 if lowest < inf else None)
    for order, (name, place) in enumerate(sorted(along.items(), key=lambda item: item[1])):
        axes.axvline(place, color="#808080", linewidth=0.5, linestyle=":")
        axes.text(
            place, 0.02 + 0.045 * (order % 4), name, transform=axes.get_xaxis_transform(), ha="center", fontsize=8
        )
    axes.set_xlabel("FLOP a byte of the training step")
    axes.set_ylabel("GFLOP/s")
    timed = {c for name in along for c in derive.contestants(record, name)}
    handles = [Line2D([], [], **_point(name), label=name) for name in ENTRIES if name in timed]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8)
    return figure


def _roofs(axes: Axes, record: Record, along: Iterable[float]) -> None:
    """Draw the slope of the copy, and the levels of products and of convolutions."""
    limit, places = record["ceilings"]["best"], np.asarray(list(along))
    top = max(limit["gemm"], limit["conv"])
    span = np.geomspace(places.min() / 4, max(places.max(), top / limit["copy"]) * 6, 200)
    for kind, label in (("gemm", "matrix product"), ("conv", "convolution")):
        axes.plot(span, np.minimum(limit[kind], limit["copy"] * span), color=INK, linewidth=1.2)
        axes.text(span[-1], limit[kind], f"{label}, {limit[kind]:.3g} GFLOP/s", ha="right", va="bottom", fontsize=8)
    beside: dict[str, Any] = {"ha": "left", "va": "top", "fontsize": 8}
    axes.text(1.4 * span[0], limit["copy"] * span[0], f"memory, {limit['copy']:.3g} GB/s", **beside)
    axes.set_xscale("log")
    axes.set_yscale("log")


def _point(contestant: str) -> dict[str, Any]:
    """Matplotlib's options for a contestant's mark: colour by framework, shape by track or peer; ours is filled."""
    entry = ENTRIES[contestant]
    shape = MARKERS[entry.track if entry.track in MARKERS else entry.needs or entry.name]
    colour = COLOURS[entry.framework]
    fill = colour if entry.track == "tuned" else "none"
    return {"marker": shape, "color": colour, "markerfacecolor": fill, "markersize": 6, "linestyle": "none"}
