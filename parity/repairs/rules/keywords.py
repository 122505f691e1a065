"""A setting of a call: its keyword changed, a positional argument changed, or a keyword added."""

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from parity.repairs.source.files import SourceFile, TextEdit
from parity.repairs.source.static import is_value


def with_setting(
    file: SourceFile, call: ast.Call, names: Sequence[str], was: Any, wanted: str
) -> Iterator[list[TextEdit]]:
    """Edits that give a call another value of a setting, the likeliest first.

    Args:
        file, call: the call.
        names: the keywords that may be its name, the likeliest first.
        was: the value that it has; `...` where that is not known.
        wanted: the value that it shall have, as Python's source.
    """
    for keyword in call.keywords:
        if keyword.arg in names:
            yield [file.replaced(keyword.value, wanted)]
            return
    for star in (keyword for keyword in call.keywords if keyword.arg is None):
        yield from _in_dictionaries(file, call, names, wanted)
        yield [file.replaced(star.value, f'{{**{file.words(star.value)}, "{names[0]}": {wanted}}}')]
    if was is not ...:
        for argument in reversed(call.args):
            if is_value(file, argument, was):
                yield [file.replaced(argument, wanted)]
    for name in names:
        yield [added(file, call, f"{name}={wanted}")]


def added(file: SourceFile, call: ast.Call, text: str) -> TextEdit:
    """The edit that adds an argument to the end of a call."""
    inner = [*call.args, *(keyword.value for keyword in call.keywords)]
    if not inner:
        _, end = file.span(call)
        return TextEdit(file.path, end - 1, end - 1, text)
    _, end = file.span(max(inner, key=lambda node: file.span(node)[1]))
    _, close = file.span(call)
    between = file.text[end : close - 1]
    if (comma := between.find(",")) >= 0:  # a comma after the last argument
        return TextEdit(file.path, end + comma + 1, end + comma + 1, f" {text},")
    depth = len(between) - len(between.replace(")", ""))
    if depth:  # the last argument is in parentheses
        end += between.rfind(")") + 1
    return TextEdit(file.path, end, end, f", {text}")


def _in_dictionaries(file: SourceFile, call: ast.Call, names: Sequence[str], wanted: str) -> Iterator[list[TextEdit]]:
    """Edits of the dictionaries of the class around that have the setting."""
    around = next((node for node in file.above(call) if isinstance(node, ast.ClassDef)), file.tree)
    for node in ast.walk(around):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in names:
                    yield [file.replaced(value, wanted)]
