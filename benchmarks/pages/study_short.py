"""The answers of the study in a few sentences, for the README and for the head of docs/study.md."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.checks.claims import Ruling

Record = Mapping[str, Any]
OURS = "ours, not the study's"
"""Beginning of the claims that the study does not make."""


def short(record: Record) -> str:
    """Five sentences: the rulings, the circles question with its reason, how long the RNN remembers, and why."""
    lines = (_rulings(record), *_circles(record), *_palindromes(record))
    return "\n".join(f"- {line}" for line in lines)


def outcomes(record: Record) -> str:
    """Say how many comparisons of final accuracies between frameworks rung 9 made, by verdict."""
    kinds = Counter(
        finding["verdict"]
        for entry in record["experiments"].values()
        for outcome in entry["outcomes"]
        for finding in outcome["findings"]
    )
    words = ", ".join(f"{count} *{verdict}*" for verdict, count in kinds.most_common())
    return f"Rung 9 made {kinds.total()} comparisons of final test accuracies between two implementations: {words}."


def _rulings(record: Record) -> str:
    claims = [claim for entry in record["experiments"].values() for claim in entry["claims"]]
    kinds = Counter(claim["ruling"] for claim in claims if not claim["claim"].startswith(OURS))
    rulings = [ruling for ruling in Ruling if kinds[ruling] or ruling is not Ruling.UNDECIDED]
    words = ", ".join(f"{kinds[ruling]} {ruling}" for ruling in rulings)
    return f"Of the study's {kinds.total()} claims: {words}."


def _circles(record: Record) -> tuple[str, str]:
    results = record["experiments"]["circles"]["results"]
    runs, means = results["trajectory"].values(), init_means(record)
    comparisons, largest = sum(run["comparisons"] for run in runs), max(run["largest"] for run in runs)
    return (
        f"Is hand-written backprop less stable than autograd? No: from equal weights, NumPy, Flax and PyTorch agree in "
        f"{comparisons:,} comparisons over whole training runs; the largest gap is {largest:.1f} times the drift that "
        "one ulp at the start makes (1,024 is the limit).",
        f"What made the study's gap on the circles is the initialisation: {means['randn']:.1%} from 0.1·randn and "
        f"{means['default']:.1%} from PyTorch's default, whichever the implementation.",
    )


def init_means(record: Record) -> dict[str, float]:
    """Mean final test accuracy over implementations and seeds, by initialisation."""
    exchanged = record["experiments"]["circles"]["results"]["exchanged"].values()
    return {
        init: float(np.mean([share for curves in exchanged for share in curves[init]["final"]]))
        for init in ("randn", "default")
    }


def _palindromes(record: Record) -> tuple[str, str]:
    palindromes = record["experiments"]["palindromes"]["results"]
    beyond = record["experiments"]["beyond"]["results"]
    accuracies = ", ".join(
        f"{_mean(palindromes, length):.0%} at T = {length}" for length in palindromes["longer"]["jax"]
    )
    norms, length = beyond["gradients"]["norms"], beyond["gradients"]["length"]
    reach = ", ".join(f"{by['start'][0] / by['start'][-1]:.1e} in `{name}`" for name, by in norms.items())
    return (
        f"How long a palindrome does the RNN learn in 1,000 steps? Its accuracy on unseen ones is {accuracies}.",
        f"Longer ones fail because gradients vanish: at T = {length} the first time step gets this share of the last "
        f"one's gradient: {reach}.",
    )


def _mean(palindromes: Mapping[str, Any], length: str) -> float:
    """Mean final test accuracy over frameworks and seeds."""
    return float(np.mean([np.mean(curves[length]["test"]["final"]) for curves in palindromes["study"].values()]))
