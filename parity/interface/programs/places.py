"""Which operations of a program a line of the user's source asks for: those of all turns of a loop, for example."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby

from parity.interface.programs.operations import Operation


class Places:
    """The operations of a program by the lines that ask for them.

    Args:
        operations: All operations of a program, in the order in which they ran.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations

    def alike(self, number: int) -> list[int]:
        """The operations that the same line asks for in the same place and with the same settings: those of all steps
        of a loop, or of all calls of a function."""
        settings = repr(self.operations[number].settings)
        return [place for place in self.visits(number) if repr(self.operations[place].settings) == settings]

    def visits(self, number: int) -> list[int]:
        """The operations of that name that the same line asks for in the same place, whatever their settings."""
        operation = self.operations[number]
        places = self._by_place[self._keys[number]] if operation.place else [number]
        return [place for place in places if len(self.operations[place].results) == len(operation.results)]

    def turn(self, number: int) -> int:
        """The place of an operation among those of its name that its line asks for, from 0."""
        return self._keys[number][2]

    @cached_property
    def _keys(self) -> list[tuple[str, str, int]]:
        """Line, name, and place of that name among what the line asks for; a line that asks for the same several times
        over is taken to be run as often."""
        keys: list[tuple[str, str, int]] = []
        for place, run in groupby(self.operations, key=lambda each: each.place):
            names = [each.name for each in run]
            counts = Counter[str]()
            for number, name in enumerate(names):
                counts = Counter[str]() if number % period(names) == 0 else counts
                keys.append((place, name, counts[name]))
                counts[name] += 1
        return keys

    @cached_property
    def _by_place(self) -> dict[tuple[str, str, int], list[int]]:
        places: dict[tuple[str, str, int], list[int]] = {}
        for number, key in enumerate(self._keys):
            places.setdefault(key, []).append(number)
        return places


def period(names: Sequence[object]) -> int:
    """The length of what a list repeats; its own length if it repeats nothing."""
    for length in range(1, len(names) // 2 + 1):
        if len(names) % length == 0 and all(name == names[i % length] for i, name in enumerate(names)):
            return length
    return len(names)
