"""Whether edits of a program let a value take itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from parity.interface.programs.operations import Alias, Edit, Taken
from parity.interface.programs.program import Program


def goes_round(program: Program, edits: Sequence[Edit]) -> bool:
    """Whether edits let a value take itself in the whole pass, whatever the program starts from now.

    Args:
        program: the operations, with all that is undone in them.
        edits: what is changed besides.
    """
    graph = _Graph.of(program, (*program.lasting, *edits))
    done, above = set[int](), set[int]()
    open_ = [(value, False) for value in graph.edited()]
    while open_:
        value, is_left = open_.pop()
        if is_left:
            above.discard(value)
            done.add(value)
        elif value in above:
            return True
        elif value not in done:
            above.add(value)
            open_.append((value, True))
            open_ += [(each, False) for each in graph.needs(value) if each not in done]
    return False


@dataclass(frozen=True)
class _Graph:
    """What is needed to make each value with edits made."""

    program: Program
    aliases: dict[int, Alias]
    taken: dict[tuple[int, int], int]

    @classmethod
    def of(cls, program: Program, edits: Sequence[Edit]) -> "_Graph":
        aliases = {edit.value: edit for edit in edits if isinstance(edit, Alias)}
        return cls(program, aliases, {(e.operation, e.place): e.other for e in edits if isinstance(e, Taken)})

    def edited(self) -> list[int]:
        """The values that are made otherwise."""
        results = [value for number, _ in self.taken for value in self.program.operations[number].results]
        return [*self.aliases, *results]

    def needs(self, value: int) -> list[int]:
        """The values that one is made of."""
        alias = self.aliases.get(value)
        if alias is not None and alias.function is not None:
            return [alias.other]
        maker = self.program.maker.get(value if alias is None else alias.other)
        if maker is None:
            return []
        operands = enumerate(self.program.operations[maker].operands)
        return [self.taken.get((maker, place), operand) for place, operand in operands]
