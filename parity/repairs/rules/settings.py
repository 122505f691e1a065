"""Rules for one setting of an operation, and for numbers that are written."""

import ast
from collections.abc import Iterator
from typing import Any

from parity.interface.programs.undone import Undone
from parity.repairs.rules.candidate import Candidate, Context
from parity.repairs.rules.constructors import set_in_constructor
from parity.repairs.rules.keywords import with_setting
from parity.repairs.source.files import SourceFile, TextEdit
from parity.repairs.source.nodes import called, of_spot, on_line, operands
from parity.repairs.source.static import is_value

NUMBERS = ("number", "argument", "other", "input", "exponent", "self")
"""What the names of settings begin with that are operands."""
KEYWORDS = {
    "dim": ("dim", "axis"), "axis": ("axis", "dim"), "axes": ("axis", "axes", "dim"), "dimension": ("axis",),
    "window_strides": ("strides",), "rhs_dilation": ("kernel_dilation",),
    "stride": ("stride", "strides"), "eps": ("eps", "epsilon"), "keepdim": ("keepdim", "keepdims"), "y": ("y",),
    "correction": ("correction", "unbiased", "ddof"), "accuracy": (), "p": ("p", "rate"), "index": (),
}  # fmt: skip
"""Setting of an operation → the keywords that it may have in a source; of others it is their name."""


def setting(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits for an operation's setting that is to be another one."""
    for edits, words in _edits(context, undone):
        yield Candidate(undone.side, edits, words)


def setting_elsewhere(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that write, on the other side's line, what this side has."""
    side = "torch" if undone.side == "flax" else "flax"
    line = context.difference.lines.get(side, "")
    if line and _plain(undone.was) and _plain(undone.wanted):
        its = ast.literal_eval(undone.wanted)
        for file, node in reversed(list(on_line(context.project, line))):
            if is_value(file, node, its):
                yield Candidate(side, [file.replaced(node, undone.was)], f"write {undone.was} for {undone.wanted}")


def _edits(context: Context, undone: Undone) -> Iterator[tuple[list[TextEdit], str]]:
    was, wanted = ast.literal_eval(undone.was) if _plain(undone.was) else ..., undone.wanted
    number = undone.setting.startswith(NUMBERS) or " " in undone.setting
    names = KEYWORDS.get(undone.setting, (undone.setting,))
    values = [(was, wanted), *_single(undone.setting, was, wanted)]
    if not number and names:
        words = f"write {names[0]}={wanted}"
        for old, new in values:
            for file, node in of_spot(context.project, undone.spot):
                if isinstance(node, ast.Call):
                    for edits in with_setting(file, node, names, old, new):
                        yield edits, words
        for edits in _in_layers(context, undone, names, (was, wanted)):
            yield edits, words
    for edits in numbers(context, undone, was, wanted):
        yield edits, f"write {wanted} for {undone.was}"


def _single(name: str, was: Any, wanted: str) -> list[tuple[Any, str]]:
    """Axes as JAX has them and as people write them: (1,) is 1."""
    value = ast.literal_eval(wanted) if _plain(wanted) else None
    if name == "axes" and isinstance(was, tuple) and len(was) == 1 and isinstance(value, tuple) and len(value) == 1:
        return [(was[0], repr(value[0]))]
    return []


def _plain(words: str) -> bool:
    try:
        ast.literal_eval(words)
    except (ValueError, SyntaxError):
        return False
    return True


def _in_layers(context: Context, undone: Undone, names: tuple[str, ...], values: Any) -> Iterator[list[TextEdit]]:
    """The setting in the constructors of the layers that the line calls."""
    for file, node in on_line(context.project, undone.spot.place):
        if isinstance(node, ast.Call) and not file.dotted(node.func):
            func = node.func.value if isinstance(node.func, ast.Subscript) else node.func
            if isinstance(node.func, ast.Call):
                yield from with_setting(file, node.func, names, *values)
            elif isinstance(func, ast.Attribute):
                yield from set_in_constructor(context.project, undone.side, (func.attr, ""), names, values)


def numbers(context: Context, undone: Undone, was: Any, wanted: str) -> Iterator[list[TextEdit]]:
    """A number on the line that is to be another one: what the operation takes, else any of that value."""
    done: set[tuple[Any, ...]] = set()
    for certain in (True, False):
        for file, node in of_spot(context.project, undone.spot):
            for operand in reversed(operands(file, node)):
                if is_value(file, operand, was) or (not certain and _may_be_number(file, operand)):
                    edit = file.replaced_whole(operand, wanted)
                    if edit not in done:
                        done.add(edit)  # type: ignore[arg-type]
                        yield [edit]
    for file, node in reversed(list(on_line(context.project, undone.spot.place))):
        if was is not ... and is_value(file, node, was):
            edit = file.replaced(node, wanted)
            if edit not in done:
                done.add(edit)  # type: ignore[arg-type]
                yield [edit]


def _may_be_number(file: SourceFile, node: ast.expr) -> bool:
    """Whether an expression may be a number of Python's: arithmetic on names and numbers."""
    inner = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    if any(called(call) not in ("len", "int", "float", "sqrt") for call in inner):
        return False
    return isinstance(node, ast.BinOp | ast.UnaryOp | ast.Constant | ast.Name | ast.Attribute)
