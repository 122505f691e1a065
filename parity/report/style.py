"""The style that all figures share: colours, panels, bands."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, which the colour-blind tell apart
COLOURS = {"jax": "#0072B2", "torch": "#D55E00", "numpy": "#009E73"}
NAMES = {"jax": "JAX", "torch": "PyTorch", "numpy": "NumPy"}
STYLES = {"jax": "-", "torch": "--", "numpy": ":"}
WIDTHS = {"jax": 3.4, "torch": 2.0, "numpy": 1.2}
"""The first drawn is the widest, so that curves that lie on one another are all seen."""
OPTIONS: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "svg.hashsalt": "netparity",
    "svg.fonttype": "none",
}


def panels(rows: int, columns: int, *, width: float = 3.6, height: float = 2.8, **options: Any) -> tuple[Figure, Any]:
    """A figure and its axes, an array (rows, columns); `width` and `height` are a panel's, in inches."""
    with mpl.rc_context(OPTIONS):
        figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
        return figure, figure.subplots(rows, columns, squeeze=False, **options)


def band(axes: Axes, statistics: Mapping[str, Any], *, colour: str, scale: float = 1.0, **line: Any) -> None:
    """Draw a mean over seeds, and a band of one standard deviation on either side.

    Args:
        axes: the axes to draw into.
        statistics: sequences of equal length under the keys "step", "mean" and "std".
        colour: Matplotlib's name or code of the colour.
        scale: number of steps that one unit of the horizontal axis stands for.
        **line: further options of the curve, such as its label.
    """
    step, mean, std = (np.asarray(statistics[key], float) for key in ("step", "mean", "std"))
    axes.plot(step / scale, mean, color=colour, **line)
    axes.fill_between(step / scale, mean - std, mean + std, color=colour, alpha=0.15, linewidth=0)


def framework(name: str) -> dict[str, Any]:
    """Matplotlib's options for a framework's curves: line style, width and label."""
    return {"linestyle": STYLES[name], "linewidth": WIDTHS[name], "label": NAMES[name]}
