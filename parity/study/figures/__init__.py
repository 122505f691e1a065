"""The study's figures, drawn from the results alone, as PNG and SVG."""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from parity.files import write_atomically
from parity.report.style import OPTIONS
from parity.study.figures import circles, images, palindromes, points

Draw = Callable[[Mapping[str, Any]], Figure]
FIGURES: dict[str, dict[str, Draw]] = {
    "points": {"figure-1-points": points.scatter, "figure-2-points": points.accuracy},
    "circles": {"circles-question": circles.question},
    "palindromes": {"figure-5-palindromes": palindromes.by_length, "figure-6-palindromes": palindromes.by_step},
    "beyond": {"beyond-palindromes": palindromes.beyond, "vanishing-gradient": palindromes.gradients},
    "images": {"figure-3-mlp": images.mlp, "figure-4-vgg": images.vgg, "train-minus-test": images.gaps},
}
"""Experiment → name of the figure → what draws it from the experiment's results."""
DPI = 200


def write(experiment: str, results: Mapping[str, Any], folder: Path) -> list[str]:
    """Draw an experiment's figures as PNG and SVG; return the names of their files.

    Raises:
        UsageError: a file cannot be written.
    """
    names = []
    for name, draw in FIGURES[experiment].items():
        figure = draw(results)
        for suffix in ("png", "svg"):
            content = BytesIO()
            # without a date and with fixed ids, the same results give the same bytes
            metadata = {"Date": None} if suffix == "svg" else {"Software": None}
            with mpl.rc_context(OPTIONS):
                figure.savefig(content, format=suffix, dpi=DPI, bbox_inches="tight", metadata=metadata)
            write_atomically(folder / f"{name}.{suffix}", content.getvalue())
            names.append(f"{name}.{suffix}")
    return names
