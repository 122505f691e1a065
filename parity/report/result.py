"""The result of a parity check."""

from collections.abc import Sequence
from dataclasses import dataclass

from parity.checks.verdict import Rung, Verdict, worst

EXIT_CODES = {Verdict.SAME: 0, Verdict.LESS_ACCURATE: 0, Verdict.DIFFERENT: 1, Verdict.INCONCLUSIVE: 3}


@dataclass(frozen=True)
class Result:
    """One recipe's check.

    Args:
        name: of the recipe.
        rungs: verdict of every rung that was climbed.
        seconds: how long it took.
        seed, device, data: as asked for.
    """

    name: str
    rungs: Sequence[Rung]
    seconds: float
    seed: int
    device: str
    data: str

    @property
    def verdict(self) -> Verdict:
        """The worst of the rungs."""
        return worst(rung.verdict for rung in self.rungs)

    @property
    def headline(self) -> Rung | None:
        """The first rung that does not pass; if all do, the first that is not plainly the same; else none."""
        failed = [rung for rung in self.rungs if not rung.verdict.passes]
        return next(iter(failed or [rung for rung in self.rungs if rung.verdict is not Verdict.SAME]), None)


def exit_code(results: Sequence[Result]) -> int:
    """0 same, 1 different, 3 inconclusive (also when there is nothing)."""
    return EXIT_CODES[worst(result.verdict for result in results)]
