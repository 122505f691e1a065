"""Drawings of the evidence: gaps against the size of a bug, and the two distributions around the threshold."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.speed.pages.plots import INK, stacked

SOUND, BUG = "#117733", "#CC79A7"


def curve(record: Mapping[str, Any]) -> Figure:
    """Draw the gap over expected rounding against the size of the bug, with the threshold."""
    figure, (axes,) = stacked([4.0])
    for family in record["families"]:
        points = sorted((row["size"], row["share"]) for row in family["sizes"] if row["share"])
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=family["name"])
    axes.axhline(record["threshold"], color=INK, linestyle="--", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="size of the bug, as a share", ylabel="gap / expected rounding")
    axes.legend(fontsize=8)
    return figure


def margins(same: Sequence[float], caught: Sequence[float], threshold: float) -> Figure:
    """Draw the two distributions that the threshold lies between.

    Args:
        same: the largest gap of each correct pair, in units of the expected rounding; a gap of 0 is drawn with the
            smallest.
        caught: the gap that gives away each pair with a bug, in the same units.
        threshold: threshold of the referee, in the same units.
    """
    figure, (axes,) = stacked([3.6])
    least = min(share for share in (*same, *caught) if share)
    edges = list(np.geomspace(least, max(*same, *caught), 80))
    axes.hist(
        np.maximum(same, least),
        edges,
        label=f"{len(same):,} correct pairs: the largest gap of each",
        color=SOUND,
        alpha=0.7,
    )
    axes.hist(caught, edges, label=f"{len(caught):,} pairs with a bug: the gap it is told by", color=BUG, alpha=0.7)
    axes.axvline(threshold, color=INK, linestyle="--", linewidth=1)
    axes.set(xscale="log", xlabel="gap / expected rounding", ylabel="pairs")
    axes.legend(fontsize=8)
    return figure
