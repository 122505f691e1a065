"""Plants bugs one at a time and climbs the ladder with each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from parity.backends import Devices, Twin, twin_class
from parity.bugs import brought
from parity.bugs.catalogue import Bug, chosen
from parity.bugs.pairs import PAIRS
from parity.checks.devices import NUMBER
from parity.checks.verdict import Rung, Verdict
from parity.pair.api import compare
from parity.report.records import Difference
from parity.twins.case import Case, make_case
from parity.twins.check import RUNGS, climb
from parity.twins.observe import RecipeSide


@dataclass(frozen=True)
class Outcome:
    """The verdicts of the ladder on one planted bug.

    Args:
        bug: the planted bug.
        rungs: the rungs with their verdicts.
        first: layer that the report on a brought pair names first; "" takes the headline's.
        cause: the cause in words, if the report on a brought pair, or rung 10, recognises it; else "".
        difference: the first difference that the report on a brought pair shows.
    """

    bug: Bug
    rungs: Sequence[Rung]
    first: str = ""
    cause: str = ""
    difference: Difference | None = None

    @property
    def layer(self) -> str:
        """The layer that is named, or the quantity that differs where there is no layer; "" if nothing differs."""
        headline = self.headline
        if self.first or headline is None:
            return self.first
        return headline.layer or (headline.headline.quantity if headline.headline else "")

    @property
    def headline(self) -> Rung | None:
        """The first rung that is not plainly the same."""
        return next((rung for rung in self.rungs if rung.verdict is not Verdict.SAME), None)

    @property
    def caught(self) -> bool:
        """Whether any rung noticed the bug."""
        return self.headline is not None

    @property
    def as_expected(self) -> bool:
        """Whether a bug was caught first at its rung, with its layer, verdict and cause, or a control by no rung."""
        headline = self.headline
        if self.bug.is_control or headline is None:
            return self.bug.is_control and headline is None
        named = self.cause == self.bug.cause or not self.bug.cause
        return named and (headline.number, self.layer, headline.verdict) == (
            self.bug.rung,
            self.bug.layer,
            self.bug.verdict,
        )


def run(ids: list[str], *, seed: int = 0, progress: Callable[[str], None] = lambda note: None) -> list[Outcome]:
    """Plant the named bugs, all if `ids` is empty, each in a small pair that is the same without it.

    Raises:
        UsageError: a name is not known.
    """
    benches: dict[str, Bench] = {}
    outcomes = []
    for bug in chosen(ids):
        progress(f"{bug.id}: {bug.mechanism}")
        if bug.pair in brought.PAIRS:
            outcomes.append(_brought(bug, seed))
            continue
        if bug.pair not in benches:
            benches[bug.pair] = Bench(bug.pair, seed)
        climbed = benches[bug.pair].climb(bug)
        outcomes.append(Outcome(bug, climbed, cause=next((rung.cause for rung in climbed if rung.cause), "")))
    return outcomes


def _brought(bug: Bug, seed: int) -> Outcome:
    """Plant a bug in a brought pair, and check the pair as a user would."""
    flax, torch, inputs, options = brought.make(bug.pair, bug.side, bug.plant)
    report = compare(flax, torch, inputs, seed=seed, name=bug.id, **options)
    difference = report.first_difference
    first, cause = (difference.layer_torch, difference.cause) if difference else ("", "")
    return Outcome(bug, report.rungs, first, cause, difference)


def planted(bug: Bug) -> type[Twin]:
    """The class of the twin with the bug in it."""
    return import_module(f"parity.bugs.{bug.side}").PLANTED[bug.id]


class Bench:
    """A pair with its sound sides, whose results are computed once for all bugs.

    Args:
        pair: a name in `PAIRS`.
        seed: seed of the case.
    """

    def __init__(self, pair: str, seed: int) -> None:
        recipe = PAIRS[pair]
        shapes = twin_class("numpy").build(recipe.network, recipe.config).shapes()
        self.case: Case = make_case(recipe, shapes, seed=seed, devices=[Devices(4)])
        self.sound = {name: RecipeSide(twin_class(name), self.case) for name in ("flax", "torch", "numpy")}

    def climb(self, bug: Bug) -> list[Rung]:
        """Judge all rungs with a bug in its side."""
        rungs = (*RUNGS, NUMBER) if bug.devices else RUNGS
        side = RecipeSide(planted(bug), self.case, make=partial(planted, bug))
        return self.ruled({bug.side: side}, rungs=rungs)

    def ruled(self, others: Mapping[str, RecipeSide], *, rungs: Sequence[int] = RUNGS) -> list[Rung]:
        """Judge rungs with other sides, by framework, in the place of the sound ones."""
        return climb(self.case, list({**self.sound, **others}.values()), rungs=rungs)
