"""The edits that closed a gap, told as plain values with the user's lines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from parity.interface.programs.operations import Alias, Change, Edit, Returned, Setting, Taken
from parity.interface.programs.program import Program
from parity.interface.programs.undone import SourceValue, Spot, Undone, Use, source


def undone_of(side: str, program: Program, edits: Sequence[Edit], inside: Sequence[int]) -> tuple[Undone, ...]:
    """What edits of a side's program do, those of one line together.

    Args:
        side: "flax" or "torch".
        program: its operations.
        edits: what was changed.
        inside: numbers of the operations between what agrees and what does not.
    """
    teller = _Teller(side, program, inside)
    settings = [edit for edit in edits if isinstance(edit, Setting)]
    aliases = [edit for edit in edits if isinstance(edit, Alias) and not edit.means]
    changes = [edit for edit in edits if isinstance(edit, Change) or (isinstance(edit, Alias) and edit.means)]
    taken = [edit for edit in edits if isinstance(edit, Taken)]
    undone = [
        *(teller.returned(edit) for edit in edits if isinstance(edit, Returned)),
        *teller.settings(settings), *map(teller.alias, aliases), *map(teller.taken, taken), *teller.changes(changes)
    ]  # fmt: skip
    return tuple({repr(item): item for item in undone}.values())


class _Teller:
    """Tells of edits of one program."""

    def __init__(self, side: str, program: Program, inside: Sequence[int]) -> None:
        self.side, self.program = side, program
        self.calls: dict[int, str] = {}
        for call in program.calls:
            for value in call.outputs:
                self.calls.setdefault(value, call.path)
        self.uses: dict[int, list[tuple[int, int]]] = {}
        for number in inside:
            for place, value in enumerate(program.operations[number].operands):
                self.uses.setdefault(value, []).append((number, place))

    def settings(self, edits: Sequence[Setting]) -> Iterator[Undone]:
        for edit in edits:
            each = self.program.operations[edit.operation]
            was, wanted = source(each.settings.get(edit.name)), source(edit.value)
            if was and wanted:
                yield Undone(self.side, "setting", self.spot(edit.operation), edit.name, was, wanted)

    def alias(self, edit: Alias) -> Undone:
        maker, value, other = self.program.maker.get(edit.value), self.value(edit.value), self.value(edit.other)
        spot = value.made or (value.used[0].spot if value.used else Spot("", ""))
        operands = () if maker is None else self.program.operations[maker].operands
        if edit.other in operands:
            place = operands.index(edit.other)
            return Undone(self.side, "left out", spot, operand=place, value=value, other=other)
        again = maker is not None and self.program.maker.get(edit.other) in self.program.places.visits(maker)
        if again and value.part == other.part:
            return Undone(self.side, "run again", spot, value=value, other=other)
        return Undone(self.side, "another value", spot, value=value, other=other)

    def taken(self, edit: Taken) -> Undone:
        spot = self.spot(edit.operation)
        value = self.value(self.program.operations[edit.operation].operands[edit.place])
        only_here = replace(value, used=(Use(spot, edit.place),))
        return Undone(self.side, "another value", spot, value=only_here, other=self.value(edit.other))

    def returned(self, edit: Returned) -> Undone:
        value = self.value(edit.value)
        spot = value.made or Spot("", "")
        return Undone(self.side, "returned", spot, value=value, other=self.value(edit.other))

    def changes(self, edits: Sequence[Change | Alias]) -> Iterator[Undone]:
        groups: dict[tuple[str, ...], list[int]] = {}
        for edit in edits:
            groups.setdefault(tuple(edit.means), []).append(edit.value)
        for means, values in groups.items():
            value = self.value(values[0])
            spot = value.made or (value.used[0].spot if value.used else Spot("", ""))
            yield Undone(self.side, "change", spot, value=value, taken=self._taken(values), means=means)

    def _taken(self, values: Sequence[int]) -> bool:
        """Whether values are what the operations of one line take, and not all that those of one line give."""
        makers = [self.program.maker.get(value) for value in values]
        if makers[0] is None:
            return True
        results = {
            result for n in self.program.places.visits(makers[0]) for result in self.program.operations[n].results
        }
        return not results <= set(values) and any(
            {self.program.operations[n].operands[place] for n in self.program.places.visits(number)} == set(values)
            for number, place in self.uses.get(values[0], [])
        )

    def spot(self, number: int) -> Spot:
        each = self.program.operations[number]
        return Spot(each.name, each.place, self.program.places.turn(number))

    def value(self, value: int) -> SourceValue:
        maker = self.program.maker.get(value)
        results = () if maker is None else self.program.operations[maker].results
        uses = tuple(Use(self.spot(number), place) for number, place in self.uses.get(value, []))
        return SourceValue(
            None if maker is None else self.spot(maker),
            results.index(value) if value in results else 0,
            max(1, len(results)),
            self.calls.get(value, ""),
            _name(self.program.origins, value),
            uses,
        )


def _name(origins: Mapping[int, tuple[str, str]], value: int) -> str:
    kind, name = origins.get(value, ("", ""))
    return name if kind in ("array", "input") else ""
