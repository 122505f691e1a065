"""Plants bugs one at a time and climbs the ladder with each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from parity.backends import Twin, twin_class
from parity.bugs.catalogue import Bug, chosen
from parity.bugs.pairs import PAIRS
from parity.case import Case, make_case
from parity.check import RUNGS, climb
from parity.checks.verdict import Rung, Verdict
from parity.observe import Observer


@dataclass(frozen=True)
class Outcome:
    """What the ladder says of one planted bug."""

    bug: Bug
    rungs: Sequence[Rung]

    @property
    def headline(self) -> Rung | None:
        """The first rung that is not plainly the same."""
        return next((rung for rung in self.rungs if rung.verdict is not Verdict.SAME), None)

    @property
    def caught(self) -> bool:
        """Whether any rung noticed."""
        return self.headline is not None

    @property
    def as_expected(self) -> bool:
        """A bug: caught first at its rung, with its layer named and its verdict. A control: not noticed by any."""
        found = self.headline
        if self.bug.is_control or found is None:
            return self.bug.is_control and found is None
        return (found.number, found.layer, found.verdict) == (self.bug.rung, self.bug.layer, self.bug.verdict)


def run(ids: list[str], *, seed: int = 0, progress: Callable[[str], None] = lambda note: None) -> list[Outcome]:
    """Plant the named bugs, all if there are none, each in a small pair that is the same without it.

    Raises:
        UsageError: a name is not known.
    """
    benches: dict[str, _Bench] = {}
    outcomes = []
    for bug in chosen(ids):
        progress(f"{bug.id}: {bug.mechanism}")
        if bug.pair not in benches:
            benches[bug.pair] = _Bench(bug.pair, seed)
        outcomes.append(Outcome(bug, benches[bug.pair].climb(bug)))
    return outcomes


def planted(bug: Bug) -> type[Twin]:
    """The twin with the bug in it."""
    return import_module(f"parity.bugs.{bug.side}_").PLANTED[bug.id]


class _Bench:
    """A pair and what its sound sides show, each computed once for all bugs."""

    def __init__(self, pair: str, seed: int) -> None:
        recipe = PAIRS[pair]
        shapes = twin_class("numpy").build(recipe.network, recipe.config).shapes()
        self.case: Case = make_case(recipe, shapes, seed=seed)
        self.sound = {name: Observer(twin_class(name), self.case) for name in ("jax", "torch", "numpy")}

    def climb(self, bug: Bug) -> list[Rung]:
        observers = {**self.sound, bug.side: Observer(planted(bug), self.case)}
        return climb(self.case, list(observers.values()), rungs=RUNGS)
