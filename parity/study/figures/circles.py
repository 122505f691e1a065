"""The circles question, in one figure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from parity.report.style import COLOURS, NAMES, STYLES, WIDTHS, band, panels

INIT_COLOURS = {"randn": "#CC79A7", "default": "#0072B2"}
SHADES = {"jax": 0.35, "torch": 0.8, "numpy": 1.0}
INIT_NAMES = {"randn": "0.1·randn", "default": "PyTorch's default"}


def question(results: Mapping[str, Any]) -> Figure:
    """Equal weights, one trajectory; another init, another accuracy; and which part of the init it is."""
    figure, axes = panels(1, 3, width=4.2, height=3.4)
    _trajectories(axes[0, 0], results["trajectory"]["randn"]["gaps"])
    _exchanged(axes[0, 1], results["exchanged"])
    _parts(axes[0, 2], results["parts"])
    return figure


def _trajectories(ax: Axes, gaps: Mapping[str, Any]) -> None:
    step = gaps["step"]
    floor = np.finfo(float).tiny
    drift = np.max([np.maximum(gap, floor) for gap in gaps["own"].values()], axis=0)
    ax.fill_between(step, drift, 1e-18, color="0.85", label="own drift when the start moves by 1 ulp")
    colours = ("#000000", "#0072B2", "#D55E00")
    for (name, gap), colour in zip(gaps["between"].items(), colours, strict=True):
        values = np.array(gap)
        ax.plot(step, np.where(values > 0, values, np.nan), ".", markersize=2.5, color=colour, label=name)
    eps = float(np.finfo(np.float32).eps)
    ax.axhline(eps, color="0.4", linestyle="--", linewidth=0.8)
    ax.text(step[-1], eps * 1.4, "float32's eps", ha="right", fontsize=7, color="0.3")
    ax.set(yscale="log", ylim=(1e-17, 1e-5), xlabel="step", ylabel="|difference of the loss|")
    ax.set_title("equal weights, float64: one trajectory")
    ax.legend(fontsize=6, loc="upper left")


def _exchanged(ax: Axes, exchanged: Mapping[str, Any]) -> None:
    for backend, by_init in exchanged.items():
        for init, statistics in by_init.items():
            label = f"{NAMES[backend]}, {INIT_NAMES[init]}"
            style, width = STYLES[backend], WIDTHS[backend]
            band(
                ax,
                statistics,
                colour=INIT_COLOURS[init],
                label=label,
                linestyle=style,
                linewidth=width,
                alpha=SHADES[backend],
            )
    ax.set(xlabel="step", ylabel="test accuracy", title="only the init exchanged, in each of the three")
    ax.legend(fontsize=6, loc="lower right")


def _parts(ax: Axes, parts: Mapping[str, Any]) -> None:
    names = list(parts)[::-1]
    for row, name in enumerate(names):
        values = np.array(parts[name])
        ax.plot(values, np.full(values.shape, row), "o", markersize=3, color=COLOURS["numpy"], alpha=0.5)
        ax.errorbar(values.mean(), row, xerr=values.std(ddof=1) if values.size > 1 else 0, fmt="k|", capsize=3)
    ax.set_yticks(range(len(names)), [name.replace(", ", ",\n", 1).replace(" (", "\n(") for name in names], fontsize=6)
    ax.set(xlabel="test accuracy at the end, each seed", title="which part of the init it is")
