"""Figures 5 and 6, and beyond the study."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from parity.report.style import COLOURS, NAMES, STYLES, band, framework, panels

CHANCE = 0.1
RECIPE_COLOURS = {"rnn": "#D55E00", "rnn_orthogonal": "#0072B2", "gru": "#009E73"}


def by_length(results: Mapping[str, Any]) -> Figure:
    """Figure 5: accuracy against T, at the study's steps and with more."""
    figure, axes = panels(1, 1, width=5.2, height=3.4)
    ax = axes[0, 0]
    for shift, (backend, by_t) in zip((-0.25, 0.25), results["study"].items(), strict=True):
        _bars(ax, by_t, shift, COLOURS[backend], f"{NAMES[backend]}, the study's steps", STYLES[backend])
    longer = results["longer"]
    _bars(ax, longer["jax"], 0.0, "0.3", f"JAX, {longer['steps']:,} steps", "-.")
    ax.axhline(CHANCE, color="0.6", linewidth=0.8)
    ax.set(xlabel="length T of the palindromes", ylabel="accuracy on unseen palindromes", ylim=(0, 1.05))
    ax.set_xticks([int(t) for t in longer["jax"]])
    ax.legend(fontsize=7)
    return figure


def _bars(ax: Axes, by_t: Mapping[str, Any], shift: float, colour: str, label: str, style: str) -> None:
    finals = [np.array(by["test"]["final"]) for by in by_t.values()]
    deviations = [values.std(ddof=1) if values.size > 1 else 0.0 for values in finals]
    at = [int(t) + shift for t in by_t]
    means = [values.mean() for values in finals]
    ax.errorbar(at, means, yerr=deviations, color=colour, label=label, linestyle=style, marker="o", capsize=3)


def by_step(results: Mapping[str, Any]) -> Figure:
    """Figure 6: loss and accuracy of the batches against step, for each T."""
    lengths = list(next(iter(results["study"].values())))
    figure, axes = panels(2, len(lengths), width=2.3, height=2.1, sharex=True, sharey="row")
    for column, length in enumerate(lengths):
        for row, key in enumerate(("loss", "accuracy")):
            for backend, by_t in results["study"].items():
                band(axes[row, column], by_t[length][key], colour=COLOURS[backend], **framework(backend))
        axes[0, column].set_title(f"T = {length}")
        axes[1, column].set_xlabel("step")
    axes[0, 0].set_ylabel("loss of the batches")
    axes[1, 0].set_ylabel("accuracy of the batches")
    axes[0, 0].legend(fontsize=6)
    return figure


def beyond(results: Mapping[str, Any]) -> Figure:
    """Accuracy on unseen palindromes against step, for the recipes that learn what the study's does not."""
    lengths = list(next(iter(next(iter(results["accuracy"].values())).values())))
    figure, axes = panels(1, len(lengths), sharey=True)
    for ax, length in zip(axes[0], lengths, strict=True):
        for name, by_backend in results["accuracy"].items():
            for backend, by in by_backend.items():
                line = {**framework(backend), "label": f"{name}, {NAMES[backend]}"}
                band(ax, by[length]["test"], colour=RECIPE_COLOURS[name], **line)
        ax.axhline(CHANCE, color="0.6", linewidth=0.8)
        ax.set(title=f"T = {length}", xlabel="step", ylim=(0, 1.05))
    axes[0, 0].set_ylabel("accuracy on unseen palindromes")
    axes[0, 0].legend(fontsize=7)
    return figure


def gradients(results: Mapping[str, Any]) -> Figure:
    """‖∂loss/∂h_t‖ against t, before and after training."""
    measured = results["gradients"]
    figure, axes = panels(1, 2, width=4.0, sharey=True)
    for ax, (key, title) in zip(axes[0], (("start", "before training"), ("trained", "after training")), strict=True):
        for name, norms in measured["norms"].items():
            ax.plot(range(1, len(norms[key]) + 1), norms[key], color=RECIPE_COLOURS[name], marker=".", label=name)
        ax.set(yscale="log", xlabel="$t$", title=f"{title}, T = {measured['length']}")
    axes[0, 0].set_ylabel(r"$\|\partial\,\mathrm{loss}/\partial h_t\|$")
    axes[0, 0].legend(fontsize=7)
    return figure
