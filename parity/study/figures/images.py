"""Figures 3 and 4, and the gap between train and test."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from parity.report.style import COLOURS, NAMES, WIDTHS, band, panels

CROSSED = {"colour": "#CC79A7", "width": 1.0}
SOLID, DOTTED = "-", ":"
RECIPE_STYLES = {"mlp": ":", "vgg": "-"}


def mlp(results: Mapping[str, Any]) -> Figure:
    """Figure 3: the MLP's accuracy and loss against epoch, training and validation."""
    return _curves(results, "mlp")


def vgg(results: Mapping[str, Any]) -> Figure:
    """Figure 4: the VGG's accuracy and loss against epoch, training and test; over seeds, and to the end."""
    return _curves(results, "vgg")


def gaps(results: Mapping[str, Any]) -> Figure:
    """Train minus test accuracy against epoch, of the CNN and of the MLP."""
    figure, axes = panels(1, 1, width=5.2, height=3.4)
    ax = axes[0, 0]
    for name, by_label in results.get("gaps", {}).items():
        for label, gap in by_label.items():
            line = {**_line(label, RECIPE_STYLES[name]), "label": f"{name}, {_name(label)}"}
            band(ax, gap, colour=_colour(label), scale=results["steps_per_epoch"][name], **line)
    ax.axhline(0, color="0.6", linewidth=0.8)
    ax.set(xlabel="epoch", ylabel="training minus test accuracy", title=f"on {results['data']}")
    ax.legend(fontsize=7)
    return figure


def _curves(results: Mapping[str, Any], name: str) -> Figure:
    figure, axes = panels(1, 2, width=4.2, height=3.2)
    longer = results.get("whole", {}).get(name, {})
    groups = [*results["curves"][name].items(), *((label, run["curves"]) for label, run in longer.items())]
    for ax, key in zip(axes[0], ("accuracy", "loss"), strict=True):
        for place, (label, curves) in enumerate(groups):
            again = place >= len(results["curves"][name]) and label in results["curves"][name]
            _draw(ax, curves[key], label, results["steps_per_epoch"][name], named=not again)
        for run in longer.values():
            if run["crossed_at"] is not None:
                ax.axvline(run["crossed_at"] / results["steps_per_epoch"][name], color="0.6", linewidth=0.8)
        ax.set(xlabel="epoch", ylabel=key, title=f"{name} on {results['data']}")
    if groups:
        axes[0, 0].legend(fontsize=7)
    return figure


def _draw(ax: Axes, splits: Mapping[str, Any], label: str, steps_per_epoch: float, *, named: bool) -> None:
    for (split, curve), style in zip(splits.items(), (SOLID, DOTTED), strict=True):
        line = {**_line(label, style), **({"label": f"{_name(label)}, {split}"} if named else {})}
        band(ax, curve, colour=_colour(label), scale=steps_per_epoch, **line)


def _line(label: str, style: str) -> dict[str, Any]:
    return {"linestyle": style, "linewidth": WIDTHS.get(label, CROSSED["width"])}


def _colour(label: str) -> str:
    return COLOURS.get(label, str(CROSSED["colour"]))


def _name(label: str) -> str:
    return " to ".join(NAMES[part] for part in label.split(" to "))
