"""Figures 3 and 4."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from parity.report.style import COLOURS, NAMES, WIDTHS, band, panels


def mlp(results: Mapping[str, Any]) -> Figure:
    """Figure 3: the MLP's accuracy and loss against epoch, training and validation."""
    return _curves(results, "mlp")


def vgg(results: Mapping[str, Any]) -> Figure:
    """Figure 4: the VGG's accuracy and loss against epoch, training and test."""
    return _curves(results, "vgg")


def _curves(results: Mapping[str, Any], name: str) -> Figure:
    figure, axes = panels(1, 2, width=4.2, height=3.2)
    for ax, key in zip(axes[0], ("accuracy", "loss"), strict=True):
        for backend, curves in results["curves"][name].items():
            for (split, curve), style in zip(curves[key].items(), ("-", ":"), strict=True):
                line = {"linestyle": style, "linewidth": WIDTHS[backend], "label": f"{NAMES[backend]}, {split}"}
                band(ax, curve, colour=COLOURS[backend], scale=results["steps_per_epoch"][name], **line)
        ax.set(xlabel="epoch", ylabel=key, title=f"{name} on {results['data']}")
    axes[0, 0].legend(fontsize=7)
    return figure
