"""The one exception that reaches a user as a single line."""

from collections.abc import Iterable
from difflib import get_close_matches


class UsageError(Exception):
    """Bad input. Its message says what was got, what was expected and what to do, in one line.

    The command prints it without a traceback and exits with code 2. What cannot be printed, such as a file's line
    breaks and control characters, is escaped.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(text: str) -> str:
    """The text with what cannot be printed escaped, so that it is one line."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun: "1 comparison", "1,454 comparisons"; the plural ends in "s" unless it is given."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def unknown_name(kind: str, got: str, known: Iterable[str]) -> UsageError:
    """Make the error for a name that is not known, with the nearest known ones (all of them if none is near)."""
    names = sorted(known)
    near = get_close_matches(got, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}"
    return UsageError(f"unknown {kind} {got!r}; {hint}")
