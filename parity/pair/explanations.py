"""The first difference of a check with its cause, each looked for once."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from parity.checks.verdict import Rung, Verdict
from parity.pair.causes.explained import only_probes, probe_of
from parity.pair.causes.first_difference import first_difference, with_padding
from parity.pair.causes.from_numbers import with_clue
from parity.pair.causes.search.explain import DEBUG, explained_by_undoing
from parity.pair.passes.check_state import CheckState
from parity.pair.repro.script import reproduced
from parity.pair.rungs.probing.probes import Located
from parity.report.records import Difference, Explanation


@dataclass
class Explanations:
    """The causes that were found so far.

    Args:
        of_rungs: The causes of what differs on a rung, by the rung's name, where they are not looked for in the
            operations of the networks.
        searches: Whether causes are looked for.
    """

    of_rungs: dict[str, Explanation] = field(default_factory=dict)
    searches: bool = True
    _asked: Difference | None = None
    _answer: Difference | None = None
    _script: tuple[Difference | None, tuple[str, bytes]] = None, ("", b"")

    def look(self, rung: Rung, earlier: Sequence[Rung], search: Callable[[], Explanation | None]) -> None:
        """Look for the cause of what differs on a rung, if it is the first that does; a search may fail.

        Args:
            rung: The rung as it was ruled; nothing is looked for unless it is different.
            earlier: The rungs before it.
            search: Finds the cause, or None. What it raises is swallowed, unless NETPARITY_DEBUG is set.
        """
        if rung.verdict is not Verdict.DIFFERENT or any(r.verdict is Verdict.DIFFERENT for r in earlier):
            return
        try:
            explanation = search()
        except Exception:  # what is tried may make users' code do anything; the check goes on without a cause
            if DEBUG in os.environ:
                raise
            explanation = None
        if explanation is not None:
            self.of_rungs[rung.name] = explanation

    def of(self, difference: Difference | None, state: CheckState, rungs: Sequence[Rung]) -> Difference | None:
        """The first difference with its cause.

        Args:
            difference: the first difference; None if there is none.
            state: what is known, before any convention was undone.
            rungs: the rungs; the first that differs is the difference's.
        """
        if not self.searches:
            return difference
        if difference != self._asked:
            self._asked = difference
            clue = with_clue(difference, state)
            if difference is not None and (known := self.of_rungs.get(difference.rung)) is not None:
                difference = replace(
                    difference, cause=known.cause, mend=known.mend, proof=known.proof, undone=known.undone
                )
            self._answer = explained_by_undoing(difference, state, rungs, clue)
        return self._answer

    def script(self, state: CheckState, name: str) -> tuple[str, bytes]:
        """The script that reproduces the difference that was asked for last, and what that reads."""
        if self._script[0] != self._asked or not self._script[1][0]:
            self._script = self._asked, reproduced(self._asked, state, name)
        return self._script[1]

    def beyond(self, rungs: Sequence[Rung], places: Mapping[int, Located]) -> Difference | None:
        """The first difference, where it is one that only a probe shows: where the networks part on that probe.

        Args:
            rungs: The rungs that count.
            places: What both sides showed on the first probe that they differ at, by the number of the rung.
        """
        failed = next((rung for rung in rungs if rung.verdict is Verdict.DIFFERENT), None)
        if (
            not self.searches
            or failed is None
            or failed.number not in places
            or failed.name in self.of_rungs
            or not only_probes(failed)
        ):
            return None
        located = places[failed.number]
        state, shown = located.state, [failed]
        difference = first_difference(shown, state.compared["evaluation"].layers, state.weight_map, state.lints)
        if difference is None:
            return None
        if difference != self._asked:
            self._asked = difference
            clue = with_clue(difference, state)
            clue = clue if clue is None or clue.cause else with_padding(clue, state.lints)
            self._answer = explained_by_undoing(difference, state, shown, clue, located.inputs)
        assert self._answer is not None
        return _headed(self._answer, located.name)


def headed(difference: Difference | None, rungs: Sequence[Rung]) -> Difference | None:
    """The first difference, which says so where all that differs on its rung is what probes show.

    Args:
        difference: The difference as a rung tells it; None if there is none.
        rungs: The rungs; the first that differs is the difference's.
    """
    failed = next((rung for rung in rungs if rung.verdict is Verdict.DIFFERENT), None)
    if difference is None or failed is None or not only_probes(failed):
        return difference
    odd = next(finding for finding in failed.findings if finding.verdict is Verdict.DIFFERENT)
    return _headed(difference, probe_of(odd))


def _headed(difference: Difference, probe: str) -> Difference:
    return replace(difference, text=f"the same on your inputs; different with {probe}: {difference.text}")
