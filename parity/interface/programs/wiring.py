"""What edits put in the place of what: the one meaning of `Alias` and `Taken`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parity.interface.programs.operations import Alias, Edit, Operation, Taken


@dataclass(frozen=True)
class Wiring:
    """The values that stand for others once edits are made; of two edits of one place the later one counts.

    Args:
        operations: The operations of the program.
        aliases: Value → the edit that puts another one in its place.
        taken: Number of an operation and the place of an operand → the value that it takes there.
    """

    operations: Sequence[Operation]
    aliases: Mapping[int, Alias]
    taken: Mapping[tuple[int, int], int]

    @classmethod
    def of(cls, operations: Sequence[Operation], edits: Sequence[Edit]) -> "Wiring":
        """Read off edits."""
        aliases = {edit.value: edit for edit in edits if isinstance(edit, Alias)}
        return cls(operations, aliases, {(e.operation, e.place): e.other for e in edits if isinstance(e, Taken)})

    def standing_for(self, value: int) -> int:
        """The value in the place of one; itself where a function makes it of another."""
        alias = self.aliases.get(value)
        return value if alias is None or alias.function is not None else alias.other

    def derived(self, value: int) -> Alias | None:
        """The edit by which a function makes a value of another; None where none does."""
        alias = self.aliases.get(value)
        return None if alias is None or alias.function is None else alias

    def operands(self, number: int) -> list[int]:
        """The values that an operation takes."""
        operands = self.operations[number].operands
        if not self.taken:
            return list(operands)
        return [self.taken.get((number, place), value) for place, value in enumerate(operands)]
