"""The study's claims on images, held against the runs that trained as long as it did."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from parity.checks.claims import Judged, holds, spread, unmeasured
from parity.study.images.agreement import agreement, crossings
from parity.study.images.ends import Ends, ends_of
from parity.study.images.judges import Judge, at_end, between, by_epoch, from_above_to_below, marginal, throughout
from parity.study.images.runs import NAMES, STUDIED

CONTRAST = "the CNN's gap between train and test is far smaller than the MLP's"
CLAIMS: tuple[tuple[str, str, Judge], ...] = (
    ("mlp", "train accuracy 92.21 % at the end", at_end("training", "accuracy", 0.9221)),
    ("mlp", "train accuracy from 40 % to 90 % by epoch 65", by_epoch("training", 0.40, 0.90, 65)),
    ("mlp", "train loss 1.67 → 0.229", at_end("training", "loss", 0.229, first=1.67)),
    ("mlp", "validation accuracy about 50 % throughout", throughout("validation", 0.50)),
    ("mlp", "validation loss 1.55 → 3.29", at_end("validation", "loss", 3.29, first=1.55)),
    ("mlp", "test accuracy 52.24 %", at_end("test", "accuracy", 0.5224)),
    ("mlp", "test loss 3.2736", at_end("test", "loss", 3.2736)),
    ("vgg", "train accuracy about 95 % at epoch 50", at_end("training", "accuracy", 0.95)),
    ("vgg", "test accuracy 88–89 %", at_end("test", "accuracy", 0.885)),
    ("vgg", "train loss from above 1.2 to below 0.1", from_above_to_below("training", "loss", 1.2, 0.1)),
    ("vgg", "test loss settles at 0.4–0.5", between("test", "loss", 0.4, 0.5)),
    ("vgg", "gains are marginal after 20–30 epochs", marginal("test", 30)),
)


def judged(results: dict[str, Any]) -> Iterator[Judged]:
    """All claims on images, the study's and ours."""
    ends = {name: ends_of(results, name) for name in NAMES}
    for name, text, judge in CLAIMS:
        whole, claim = ends[name], f"{name}: {text}"
        if whole.studied and whole.groups and whole.epochs >= whole.wanted:
            yield judge(whole, claim)
        else:
            yield unmeasured("images", claim, _lacking(whole), _so_far(whole))
    yield _contrast(ends)
    for name in NAMES:
        yield agreement(name, results)
    yield from crossings(results)


def _lacking(ends: Ends) -> str:
    if not ends.studied:
        return f"{ends.data} are not the study's images" if ends.data != STUDIED else "CIFAR-10 was not to be had"
    if not ends.groups:
        return f"not trained for an epoch yet, of {ends.wanted}"
    return f"so far {ends.epochs:.3g} of {ends.wanted} epochs: {ends.why}"


def _so_far(ends: Ends) -> str:
    """Every accuracy at the end of what was trained."""
    if not ends.groups:
        return "–"
    accuracies = {split: ends.values(split, "accuracy") for split in ("training", "validation", "test")}
    words = ", ".join(f"{split} {spread(values)}" for split, values in accuracies.items() if values)
    return f"{ends.data}, {ends.epochs:.3g} epochs, accuracy: {words}"


def _contrast(ends: dict[str, Ends]) -> Judged:
    gaps = {
        n: np.subtract(e.values("training", "accuracy"), e.values("test", "accuracy"))
        for n, e in ends.items()
        if e.groups
    }
    words = [f"{name} {spread(list(gap))} after {ends[name].epochs:.3g} epochs" for name, gap in gaps.items()]
    measured = f"train minus test on {ends['mlp'].data}: {', '.join(words)}"
    short = [e for e in ends.values() if not e.studied or not e.groups or e.epochs < e.wanted]
    smaller = len(gaps) == len(NAMES) and bool(gaps["vgg"].mean() < gaps["mlp"].mean() / 2)
    if not short:
        return holds("images", CONTRAST, measured, smaller, "; ".join(f"{n}: {e.why}" for n, e in ends.items()))
    held = "it holds" if smaller else "it does not hold" if len(gaps) == len(NAMES) else "there is one gap only"
    return unmeasured("images", CONTRAST, f"{_lacking(short[0])}; so far {held}", measured)
