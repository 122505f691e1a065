"""Whether edits of a program let a value take itself."""

from collections.abc import Sequence

from parity.interface.programs.operations import Edit
from parity.interface.programs.program import Program
from parity.interface.programs.wiring import Wiring


def goes_round(program: Program, edits: Sequence[Edit]) -> bool:
    """Whether edits let a value take itself in the whole pass, whatever the program starts from now.

    Args:
        program: the operations, with all that is undone in them.
        edits: what is changed besides.
    """
    wiring = Wiring.of(program.operations, (*program.lasting, *edits))
    done, above = set[int](), set[int]()
    open_ = [(value, False) for value in _edited(program, wiring)]
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
            open_ += [(each, False) for each in _needs(program, wiring, value) if each not in done]
    return False


def _edited(program: Program, wiring: Wiring) -> list[int]:
    """The values that are made otherwise."""
    return [*wiring.aliases, *(value for number, _ in wiring.taken for value in program.operations[number].results)]


def _needs(program: Program, wiring: Wiring, value: int) -> list[int]:
    """The values that one is made of."""
    derived = wiring.derived(value)
    if derived is not None:
        return [derived.other]
    maker = program.maker.get(wiring.standing_for(value))
    return [] if maker is None else wiring.operands(maker)
