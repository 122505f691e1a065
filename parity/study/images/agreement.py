"""Whether the frameworks train alike on images: over seeds, and where a run crosses from one to the other."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from parity.checks.claims import Judged, holds, unmeasured
from parity.study.images.ends import FRAMEWORKS
from parity.study.images.results import WATCHED
from parity.study.images.runs import BACKENDS


def agreement(name: str, results: dict[str, Any]) -> Judged:
    """Whether the curves of the frameworks differ by no more than seeds do, on average over the epochs of both."""
    claim = f"ours, not the study's: {name} has one curve in JAX and PyTorch, within the noise of the seeds"
    final = results["final"][name]
    if any(len(final.get(b, {"seeds": []})["seeds"]) < 2 for b in BACKENDS):
        have = ", ".join(f"{FRAMEWORKS[b]} {len(final.get(b, {'seeds': []})['seeds'])}" for b in BACKENDS)
        return unmeasured("images", claim, f"the noise of seeds needs two in each framework, and there are: {have}")
    a, b = (results["curves"][name][backend]["accuracy"] for backend in BACKENDS)
    both = {split: min(len(a[split]["mean"]), len(b[split]["mean"])) for split in a}
    gap = np.mean([np.abs(np.subtract(a[s]["mean"][:n], b[s]["mean"][:n])).mean() for s, n in both.items()])
    noise = np.mean([_together(a[s]["std"][:n], b[s]["std"][:n]) for s, n in both.items()])
    measured = f"mean accuracy curves {gap:.2%} apart, standard deviation over seeds {noise:.2%}"
    seeds = ", ".join(
        f"{len(final[b]['seeds'])} seeds in {FRAMEWORKS[b]}, {final[b]['epochs']:.3g} epochs" for b in BACKENDS
    )
    return holds("images", claim, measured, bool(gap <= noise), seeds)


def _together(a: Sequence[float], b: Sequence[float]) -> float:
    return float(np.mean(np.hypot(a, b) / np.sqrt(2)))


def crossings(results: dict[str, Any]) -> Iterator[Judged]:
    """Whether a run that crossed follows one that did not, within the deviation of a difference of two seeds."""
    for name, by_label in results["whole"].items():
        for label, run in by_label.items():
            if run["crossed_at"] is None:
                continue
            first, _, last = label.partition(" to ")
            epochs = run["crossed_at"] / (results["steps_per_epoch"][name] or 1)
            way = f"begun in {FRAMEWORKS[first]} and ended in {FRAMEWORKS[last]}"
            claim = f"ours, not the study's: {name} {way} has the curve of one that never crossed"
            if last not in by_label:
                yield unmeasured("images", claim, f"there is no such run of {FRAMEWORKS[last]} alone yet")
                continue
            yield _followed(name, results, claim, (by_label[last], run), epochs)


def _followed(name: str, results: dict[str, Any], claim: str, pair: tuple[Any, Any], epochs: float) -> Judged:
    split = WATCHED[name]
    deviations = [
        by["accuracy"][split] for by in results["curves"][name].values() if len(by["accuracy"][split]["final"]) > 1
    ]
    if not deviations:
        return unmeasured("images", claim, "the noise of seeds needs two of them")
    noise = float(np.sqrt(2) * np.mean([np.mean(deviation["std"]) for deviation in deviations]))
    steps = [run["curves"]["accuracy"][split] for run in pair]
    after = [{s: v for s, v in zip(o["step"], o["mean"], strict=True) if s > pair[1]["crossed_at"]} for o in steps]
    common = sorted(after[0].keys() & after[1].keys())
    if not common:
        return unmeasured("images", claim, "no epoch after the crossing is trained in both yet")
    gap = float(np.mean([abs(after[0][s] - after[1][s]) for s in common]))
    measured = f"{split} accuracy {gap:.2%} apart over {len(common)} epochs after the crossing"
    why = f"crossed after epoch {epochs:.3g}; a difference of two seeds deviates by {noise:.2%}"
    return holds("images", claim, measured, gap <= noise, why)
