"""Rules for a table that holds other numbers: a number that only one side writes is what it is made of otherwise."""

import ast
from collections import Counter
from collections.abc import Iterator

from parity.interface.programs.undone import Undone
from parity.repairs.rules.candidate import Candidate, Context, instead
from parity.repairs.source.files import SourceFile

Number = tuple[SourceFile, ast.Constant]
OTHER = {"flax": "torch", "torch": "flax"}


def literals(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits of a number in a formula that only one side has: the other side's for it, or the formula without it."""
    if undone.means or undone.kind != "change":
        return
    numbers = {side: _numbers(context, side) for side in OTHER}
    counts = {side: Counter(node.value for _, node in pairs) for side, pairs in numbers.items()}
    for side in (undone.side, OTHER[undone.side]):
        lone = {value for value, count in counts[side].items() if count > counts[OTHER[side]][value]}
        wanted = [value for value, count in counts[OTHER[side]].items() if count > counts[side][value]]
        for file, node in numbers[side]:
            if node.value in lone:
                yield from _without(side, file, node)
                for value in wanted:
                    yield Candidate(side, [instead(file, node, repr(value))], f"write {value!r} for {node.value!r}")


def _numbers(context: Context, side: str) -> list[Number]:
    """The numbers that a side's classes compute with."""
    pairs: list[Number] = []
    for file in context.project.files.values():
        for definition in ast.walk(file.tree):
            if isinstance(definition, ast.ClassDef) and any(file.side(base) == side for base in definition.bases):
                pairs += [
                    (file, node)
                    for node in ast.walk(definition)
                    if isinstance(node, ast.Constant) and _is_computed_with(file, node)
                ]
    return pairs


def _is_computed_with(file: SourceFile, node: ast.Constant) -> bool:
    number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return number and isinstance(file.parents.get(node), ast.BinOp)


def _without(side: str, file: SourceFile, node: ast.Constant) -> Iterator[Candidate]:
    """The sum or the product without the number."""
    parent = file.parents.get(node)
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add | ast.Mult):
        rest = parent.right if parent.left is node else parent.left
        yield Candidate(side, [instead(file, parent, file.words(rest))], f"leave {node.value!r} out")
