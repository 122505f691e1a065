"""Figures 1 and 2."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from parity.report.style import COLOURS, NAMES, WIDTHS, band, panels

AS_STUDIED = {"jax": "default", "torch": "default", "numpy": "randn"}
CLASSES = ("#0072B2", "#D55E00")


def scatter(results: Mapping[str, Any]) -> Figure:
    """Figure 1: the three sets of points, with their train/test split."""
    figure, axes = panels(1, 3, height=3.2)
    for ax, (name, splits) in zip(axes[0], results["scatter"].items(), strict=True):
        for split, marker, size in (("train", "o", 6), ("test", "x", 14)):
            x, label = np.array(splits[split]["x"]), np.array(splits[split]["label"])
            for k, colour in enumerate(CLASSES):
                chosen = x[label == k]
                ax.scatter(*chosen.T, s=size, marker=marker, color=colour, linewidths=0.8, label=f"class {k}, {split}")
        ax.set(title=name, aspect="equal")
        ax.grid(False)
    axes[0, 0].legend(fontsize=6, loc="upper left")
    return figure


def accuracy(results: Mapping[str, Any]) -> Figure:
    """Figure 2: accuracy against step, one panel a set; NumPy from its init, the others from theirs."""
    figure, axes = panels(1, 3, sharey=True)
    for ax, (name, curves) in zip(axes[0], results["curves"].items(), strict=True):
        for backend, init in AS_STUDIED.items():
            for split, style in (("train", "-"), ("test", ":")):
                label = f"{NAMES[backend]} ({init}), {split}"
                statistics = curves[backend][init][split]
                band(ax, statistics, colour=COLOURS[backend], linestyle=style, linewidth=WIDTHS[backend], label=label)
        ax.set(title=name, xlabel="step")
    axes[0, 0].set(ylabel="accuracy")
    axes[0, 0].legend(fontsize=6, loc="lower right")
    return figure
