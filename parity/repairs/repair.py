"""The repair of a pair: the cause proven, a patch tried on a copy, the pair proven again, until nothing is left."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from parity.errors import UsageError
from parity.files import write_atomically
from parity.pair.bar import NEARER, Bar, first_finding, gap_at
from parity.pair.passes.progress import Note, silent
from parity.repairs.candidates import candidates
from parity.repairs.copies import Check
from parity.repairs.differences import difference_of
from parity.repairs.progress import moved_on, parted_again, parts, passes_at
from parity.repairs.record import Repair, Round, Tried
from parity.repairs.rules.candidate import Candidate, Context
from parity.repairs.source.files import edited
from parity.repairs.source.project import Project
from parity.report.pair import Report

ROUNDS = 8
"""Causes that are mended one after the other, unless another number is asked for."""
MOST = 12
"""Patches that are tried for one cause."""
Texts = Mapping[Path, str]


class Repairer:
    """Repairs one pair.

    Args:
        check: checks the pair with some files' texts replaced, in a copy.
        side: the side whose source may be edited; None for the side that a mend names.
        rounds: the most causes that are mended.
        note: told in a few words what is being done.
    """

    def __init__(self, check: Check, side: str | None = None, rounds: int = ROUNDS, note: Note = silent) -> None:
        self.check, self.side, self.rounds, self.note = check, side, rounds, note
        self._released: set[str] = set()

    def repair(self, name: str, target: Path) -> Repair:
        """Look for patches until the pair is the same, no cause is proven, or no patch helps.

        Args:
            name: the pair's name.
            target: the file whose function makes the pair.

        Raises:
            UsageError: the pair cannot be checked.
        """
        project = Project(target)
        originals = project.texts
        first = self._checked(project.texts, originals)
        if isinstance(first, UsageError):
            raise first
        report, rounds = first, list[Round]()
        while not report.verdict.passes and len(rounds) < self.rounds:
            done, better, texts = self._round(project, report, originals)
            if done is not None:
                rounds.append(done)
            if better is None:
                break
            report, project = better, project.with_texts(texts)
        changed = {path: text for path, text in project.texts.items() if text != originals.get(path)}
        diff = difference_of({path: originals[path] for path in changed}, changed)
        return Repair(name, first, report, rounds, diff, changed, {path: originals[path] for path in changed})

    def _round(self, project: Project, report: Report, originals: Texts) -> tuple[Round | None, Report | None, Texts]:
        """One cause: what was tried, and the report and the texts with the patch that was kept."""
        first, finding = report.first_difference, first_finding(report)
        if first is None:
            return None, None, {}
        gap = finding[1].gap if finding is not None else math.nan
        done = Round(first.text, first.cause, first.mend, first.proof, dict(first.lines), gap)
        if not first.proof:
            return done, None, {}
        self.note(f"cause: {first.cause}")
        bar = None if finding is None or parted_again(first) else Bar(*finding)
        tried: list[Tried] = []
        best: tuple[Tried, Report, Texts] | None = None
        likeliest: Candidate | None = None
        for candidate in self._candidates(Context(project, report, first)):
            texts = _with(project, candidate)
            diff = difference_of({path: project.files[path].text for path in texts}, texts)
            self.note(f"trying a patch in {candidate.side}: {candidate.words}")
            made = self._checked({**project.texts, **texts}, originals, bar)
            patch, closed = _judged(report, made, candidate, diff)
            if closed and isinstance(made, Report):
                self._keep(candidate)
                return replace(done, tried=(*tried, patch)), made, texts
            tried.append(patch)
            if isinstance(made, Report) and NEARER * patch.gap < gap and (best is None or patch.gap < best[0].gap):
                best, likeliest = (patch, made, texts), candidate
        self._keep(likeliest)
        if best is None:
            return replace(done, tried=tuple(tried)), None, {}
        others = [patch for patch in tried if patch is not best[0]]
        return replace(done, tried=(*others, replace(best[0], kept=True, why=""))), best[1], best[2]

    def _keep(self, candidate: Candidate | None) -> None:
        if candidate is not None and candidate.releases:
            self._released.add(candidate.side)

    def _candidates(self, context: Context) -> Iterator[Candidate]:
        """The likeliest patches. A gradient that one side stops may be let through, but not on both sides in turn: the
        networks would be the same, and neither trained as it was meant to be."""
        allowed = (c for c in candidates(context, self.side) if not (c.releases and self._released - {c.side}))
        yield from islice(allowed, MOST)

    def _checked(self, texts: Texts, originals: Texts, bar: Bar | None = None) -> Report | UsageError:
        return self.check({str(path): text for path, text in texts.items() if text != originals.get(path)}, bar)


def _with(project: Project, candidate: Candidate) -> dict[Path, str]:
    """The texts of the files that a patch changes."""
    paths = dict.fromkeys(edit.path for edit in candidate.edits)
    return {path: edited(project.files[path].text, [e for e in candidate.edits if e.path == path]) for path in paths}


def _judged(before: Report, made: Report | UsageError, candidate: Candidate, diff: str) -> tuple[Tried, bool]:
    """What came of a patch, and whether the gap is closed where it was."""
    patch = Tried(candidate.side, candidate.words, diff, math.nan, False)
    if isinstance(made, UsageError):
        return replace(patch, why=f"the pair does not run with it: {made}"), False
    earlier, later = first_finding(before), first_finding(made)
    if made.verdict.passes:
        return replace(patch, gap=0.0 if earlier is None else gap_at(made, *earlier), kept=True), True
    if earlier is None:
        return replace(patch, why="the pair is not the same with it"), False
    gap = gap_at(made, *earlier)
    if parted := parts(before, made):
        return replace(patch, why=f"{parted} agreed, and differs with it"), False
    if moved_on(before, made):
        return replace(patch, gap=gap, kept=True), True
    if later is not None and (later[0] > earlier[0] or (later[0] == earlier[0] and passes_at(made, *earlier))):
        return replace(patch, gap=gap, kept=True), True
    words = f"from {earlier[1].gap:.2g} to {gap:.2g}" if not math.isnan(gap) else "and the pair parts elsewhere"
    return replace(patch, gap=gap, why=f"the gap there is not closed: {words}"), False


def written(repair: Repair, read: Callable[[Path], str]) -> Repair:
    """Write the patched texts to the user's files, each to a temporary name that is renamed.

    Args:
        repair: the repair.
        read: reads a file's text as it is now.

    Raises:
        UsageError: a file is no longer what it was when the repair began; nothing is written then. Or it cannot be
            written.
    """
    for path, text in repair.originals.items():
        try:
            now: str | None = read(path)
        except (OSError, ValueError):
            now = None
        if now != text:
            raise UsageError(f"{path} has changed since the repair began; nothing was written: run the repair again")
    for path, text in repair.texts.items():
        write_atomically(path, text)
    return replace(repair, written=tuple(str(path) for path in repair.texts))
