"""What a repair found and did: plain values, ready for every form of output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parity.checks.verdict import Verdict
from parity.report.pair import Report


@dataclass(frozen=True)
class Tried:
    """A patch that was proven and kept, or dropped.

    Args:
        side: "flax" or "torch", the side whose source it edits.
        words: what it does, in words.
        diff: the patch, a unified diff.
        gap: how far the sides are apart with it at the place where they parted, relative to their size; NaN where that
            was not compared.
        kept: whether it was kept: the sides are the same with it, or nearer at that place.
        why: why it was dropped; "" if it was kept.
    """

    side: str
    words: str
    diff: str
    gap: float
    kept: bool
    why: str = ""


@dataclass(frozen=True)
class Round:
    """One cause, and what was done for it.

    Args:
        place: a sentence that says which output differs first.
        cause, mend, proof: the cause, what to write instead, and how the cause was proven.
        lines: each side's line, as "file.py:12".
        gap: how far the sides are apart there before a patch.
        tried: the patches that were tried, in order; the last is kept if any is.
    """

    place: str
    cause: str
    mend: str
    proof: str
    lines: Mapping[str, str]
    gap: float
    tried: Sequence[Tried] = ()

    @property
    def kept(self) -> Tried | None:
        """The patch that was kept."""
        return next((patch for patch in self.tried if patch.kept), None)


@dataclass(frozen=True)
class Repair:
    """A repair of a pair.

    Args:
        name: the pair, as "path/to/file.py:function".
        before, after: the reports before and after all patches that were kept.
        rounds: the causes, in the order in which they were found, with their patches.
        diff: all patches that were kept as one unified diff; "" if there is none.
        texts: file → its text with these patches.
        originals: file → its text when the repair began.
        written: the files that were written.
    """

    name: str
    before: Report
    after: Report
    rounds: Sequence[Round]
    diff: str
    texts: Mapping[Path, str] = field(default_factory=dict)
    originals: Mapping[Path, str] = field(default_factory=dict)
    written: Sequence[str] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict on the repaired pair."""
        return self.after.verdict

    @property
    def repaired(self) -> bool:
        """Whether a pair that did not pass does with these patches, proven by the whole check."""
        return bool(self.diff) and self.after.verdict.passes
