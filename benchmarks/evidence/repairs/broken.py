"""Every bug that is written into a source file and repaired there, by its name."""

from dataclasses import dataclass

from benchmarks.evidence.causes.planted import planted, planted_text
from benchmarks.evidence.causes.truths import TRUTHS
from benchmarks.evidence.repairs.sources import source_of
from parity.bugs.catalogue import BUGS, chosen

DRAWN = "drawn-"
"""How the name of a drawn bug begins; its number follows."""
_TEXTS = {bug.id: bug for bug in planted()}
PLANTED = [*(bug.id for bug in BUGS if bug.id in TRUTHS), *_TEXTS]
"""Names of the bugs that are planted in brought pairs, in the order of their record."""


@dataclass(frozen=True)
class Broken:
    """A pair with a bug, as a source file.

    Args:
        id, mechanism, side: name of the bug, what is wrong, and in which side.
        file, text: name of the file that holds the pair as its function `pair`, and what is in it.
    """

    id: str
    mechanism: str
    side: str
    file: str
    text: str


def drawn(until: int) -> list[str]:
    """The names of the first drawn bugs, which are those of `python -m benchmarks.evidence.draws bug`."""
    return [f"{DRAWN}{number}" for number in range(until)]


def place(name: str) -> tuple[int, int]:
    """Where a bug stands in its record: planted ones in the catalogue's order, then drawn ones by their numbers."""
    return (1, int(name.removeprefix(DRAWN))) if name.startswith(DRAWN) else (0, PLANTED.index(name))


def broken(name: str) -> Broken:
    """The source file of a bug: drawn, planted in a text, or one of the catalogue."""
    if name.startswith(DRAWN):
        return _drawn(name)
    if name in _TEXTS:
        bug = _TEXTS[name]
        return Broken(name, bug.what, bug.side, f"{bug.pair}.py", planted_text(bug).text)
    planted_bug = chosen([name])[0]
    return Broken(name, planted_bug.mechanism, planted_bug.side, *source_of(planted_bug))


def _drawn(name: str) -> Broken:
    from benchmarks.evidence.drawn.text.pair import source_of as text_of
    from benchmarks.evidence.draws import drawn as draw

    network, mutant = draw(int(name.removeprefix(DRAWN)), bug=True)
    text = text_of(network, mutant)
    return Broken(name, mutant.mutation.name, mutant.side, f"{name.replace('-', '_')}.py", text)
