"""Values in all turns of a loop, or in all calls of a function: what is wrong in one of them is wrong in each."""

from collections.abc import Iterator, Sequence

from parity.pair.causes.search.piece import Half


def in_all_turns(half: Half, values: Sequence[int]) -> Iterator[list[tuple[int, ...]]]:
    """These values in every turn of the lines that make them, where there are several and these are the first; then
    they alone.

    Args:
        half: one side's part of a piece.
        values: values that belong together, such as what an activation takes and what it gives.
    """
    columns = [_column(half, value) for value in values]
    count = max(map(len, columns))
    first = all(column[0] == value for column, value in zip(columns, values, strict=True))
    if count > 1 and first and all(len(column) in (1, count) for column in columns):
        yield [tuple(column[turn % len(column)] for column in columns) for turn in range(count)]
    yield [tuple(values)]


def visits_inside(half: Half, number: int) -> list[int]:
    """An operation of a piece with those of the piece that the same line asks for in its other turns."""
    inside = set(half.numbers)
    return [each for each in half.program.places.visits(number) if each in inside]


def _column(half: Half, value: int) -> list[int]:
    """A value with those that the same operation gives in the other turns of its line."""
    maker = half.program.maker.get(value)
    if maker is None or maker not in half.numbers:
        return [value]
    place = half.program.operations[maker].results.index(value)
    return [half.program.operations[number].results[place] for number in visits_inside(half, maker)]
