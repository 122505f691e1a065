"""Figures of a report: gaps against depth, and the losses of training runs."""

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, get_args

from parity.checks.referee import MARGIN
from parity.errors import UsageError
from parity.report.records import SIDES, Layer, ReportData

if TYPE_CHECKING:
    from matplotlib.axes import Axes

What = Literal["gaps", "losses"]
NAMES = {"flax": "Flax", "torch": "PyTorch"}
COLOURS = {"flax": "#0072B2", "torch": "#D55E00"}
MARKERS = {"evaluation": "o", "training": "s"}
LEAST = 0.1
"""The smallest share that is drawn; a smaller one, and none at all, lie there."""


def plot(report: ReportData, what: What, axes: "Axes | None") -> "Axes":
    """Draw into axes; the arguments are those of `Report.plot`."""
    if what not in get_args(What):
        raise UsageError(f"plot got {what!r}; expected one of {', '.join(get_args(What))}")
    if find_spec("matplotlib") is None:
        raise UsageError("plot draws with matplotlib, which is not installed; pip install 'netparity[study]'")
    if axes is None:
        from matplotlib import pyplot

        axes = pyplot.subplots(layout="constrained")[1]
    (_gaps if what == "gaps" else _losses)(report, axes)
    axes.set_title(f"{report.name}: {report.verdict}")
    return axes


def _gaps(report: ReportData, axes: "Axes") -> None:
    if not report.layers:
        raise UsageError(f"{report.name}: no layer was compared, so there is no gap to draw")
    for mode, marker in MARKERS.items():
        layers = [layer for layer in report.layers if layer.mode == mode]
        shares = [_drawn(layer) for layer in layers]
        style: Any = {"marker": marker, "linestyle": "", "fillstyle": "none" if mode == "training" else "full"}
        axes.plot(range(1, len(layers) + 1), shares, label=mode, **style)
    axes.axhline(MARGIN, color="black", linestyle="--", linewidth=1, label=f"limit, {MARGIN:,.0f}")
    axes.set(yscale="log", xlabel="layer, in the order in which calls end", ylabel="gap in units of expected rounding")
    axes.legend()


def _drawn(layer: Layer) -> float:
    share = layer.finding.share
    return max(share, LEAST) if math.isfinite(share) else math.nan


def _losses(report: ReportData, axes: "Axes") -> None:
    if not report.losses:
        raise UsageError(f"{report.name}: no training run was compared; give optimizers in training=TrainingPair(…)")
    for side, style in zip(SIDES, ("-", "--"), strict=True):
        losses = report.losses.get(side, ())
        axes.plot(range(len(losses)), losses, style, color=COLOURS[side], label=NAMES[side])
    axes.set(xlabel="step", ylabel="loss")
    axes.legend()
