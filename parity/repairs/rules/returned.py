"""The rule for what a network returns: another of its values."""

import ast
from collections.abc import Iterator

from parity.interface.programs.undone import SourceValue, Undone
from parity.repairs.rules.candidate import Candidate, Context, instead
from parity.repairs.source.files import SourceFile
from parity.repairs.source.nodes import of_value, statements

Function = ast.FunctionDef | ast.AsyncFunctionDef


def returned(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits of what a function returns, or binds to a name that it returns: one value's name for another's."""
    if undone.value is None or undone.other is None:
        return
    for file, function in _functions(context, undone.value):
        wanted = list(dict.fromkeys(_texts(context, file, function, undone.other)))
        expressions = {node for there, node in of_value(context.project, undone.value) if there is file}
        names = _names(function, expressions)
        yield from _not_in_place(undone, file, expressions)
        for node in _shown(file, function, names, expressions):
            for text in wanted:
                if text != file.words(node):
                    yield Candidate(undone.side, [instead(file, node, text)], f"return {text}")


def _not_in_place(undone: Undone, file: SourceFile, expressions: set[ast.expr]) -> Iterator[Candidate]:
    """A method that changes its array in place, such as `add_`, written as the one that does not."""
    for node in expressions:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.endswith("_"):
            name, words = node.func.attr, file.words(node)
            start = len(file.words(node.func)) - len(name)
            text = f"{words[:start]}{name.rstrip('_')}{words[start + len(name) :]}"
            yield Candidate(undone.side, [instead(file, node, text)], f"write {name.rstrip('_')} for {name}")


def _functions(context: Context, value: SourceValue) -> Iterator[tuple[SourceFile, Function]]:
    """The functions in which a value is made."""
    if value.made is not None:
        for file, statement in statements(context.project, value.made.place):
            function = next((node for node in file.above(statement) if isinstance(node, Function)), None)
            if function is not None:
                yield file, function


def _texts(context: Context, file: SourceFile, function: Function, value: SourceValue) -> Iterator[str]:
    """What may be written for a value: its names, or the expression of it."""
    expressions = [node for there, node in of_value(context.project, value) if there is file]
    inside = [node for node in expressions if function in file.above(node)]
    yield from sorted(_names(function, set(inside)))
    yield from (file.words(node) for node in inside)


def _names(function: Function, expressions: set[ast.expr]) -> set[str]:
    """The names that one of these expressions is bound to, and the names that are bound to those."""
    names: set[str] = set()
    for statement in ast.walk(function):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            value = statement.value
            if value in expressions or (isinstance(value, ast.Name) and value.id in names):
                names.add(statement.targets[0].id)
    return names


def _shown(file: SourceFile, function: Function, names: set[str], expressions: set[ast.expr]) -> Iterator[ast.expr]:
    """The places where a value is returned, or kept under another name, the last first."""
    places: list[ast.expr] = []
    for statement in ast.walk(function):
        if isinstance(statement, ast.Return) and statement.value is not None:
            every = (node for node in ast.walk(statement.value) if isinstance(node, ast.expr))
            places += [node for node in every if node in expressions or _is_name(node, names)]
        elif isinstance(statement, ast.Assign) and _is_name(statement.value, names):
            places.append(statement.value)
    yield from sorted(places, key=lambda node: -file.span(node)[0])


def _is_name(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names
