"""Rules for optimizers, schedules and rates of dropout."""

import ast
import itertools
from collections.abc import Iterator

from parity.interface.programs.undone import Undone
from parity.repairs.rules.candidate import Candidate, Context
from parity.repairs.rules.keywords import with_setting
from parity.repairs.source.files import SourceFile, TextEdit
from parity.repairs.source.nodes import called
from parity.repairs.source.static import is_value, value_of

BY_GROUP = " (by group)"


def calls(context: Context, side: str) -> Iterator[tuple[SourceFile, ast.Call]]:
    """The calls of a framework's functions and classes in the pair's files."""
    for file in context.project.files.values():
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call) and file.side(node.func) == side:
                yield file, node


def optimizer(context: Context, undone: Undone) -> Iterator[Candidate]:
    """A setting of PyTorch's optimizer."""
    name = undone.setting.removesuffix(BY_GROUP)
    for file, node in calls(context, "torch"):
        if called(node) != undone.spot.operation:
            continue
        if undone.setting.endswith(BY_GROUP) and node.args:
            first = file.words(node.args[0])
            text = f'[{{**group, "{name}": value}} for group, value in zip({first}, {undone.wanted}, strict=True)]'
            yield Candidate("torch", [file.replaced(node.args[0], text)], f"write {name}={undone.wanted} by group")
        else:
            for edits in with_setting(file, node, (name,), ..., undone.wanted):
                yield Candidate("torch", edits, f"write {name}={undone.wanted}")


def optax_setting(context: Context, undone: Undone) -> Iterator[Candidate]:
    """The same setting of optax's optimizer, which is to be PyTorch's."""
    for file, node in calls(context, "flax"):
        if file.dotted(node.func).startswith("optax.") and "(" not in undone.setting:
            keywords = [k for k in node.keywords if k.arg == undone.setting]
            if keywords:
                yield Candidate(
                    "flax", [file.replaced(keywords[0].value, undone.was)], f"{undone.setting}={undone.was}"
                )


def dropout(context: Context, undone: Undone) -> Iterator[Candidate]:
    """The rate of a dropout."""
    was = ast.literal_eval(undone.was)
    for file, node in calls(context, "torch"):
        if "dropout" in called(node).lower() and any(is_value(file, a, was) for a in _arguments(node)):
            for edits in with_setting(file, node, ("p",), was, undone.wanted):
                yield Candidate("torch", edits, f"write {undone.wanted} for the rate {undone.was}")


def _arguments(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(k.value for k in node.keywords)]


def schedule(context: Context, undone: tuple[Undone, ...]) -> Iterator[Candidate]:
    """Numbers of optax's schedule: those that are written, and those that what is computed with comes from."""
    steps = [(file, n) for file, n in calls(context, "flax") if file.dotted(n.func).startswith("optax.")]
    if any(undoing.means[:2] == ("apply", "floor") for undoing in undone):
        for file, node in steps:
            for edits in with_setting(file, node, ("staircase",), ..., "True"):
                yield Candidate("flax", edits, "write staircase=True")
    changes = [(ast.literal_eval(u.was), ast.literal_eval(u.wanted)) for u in undone if u.kind == "setting"]
    numbers = [(was, new) for was, new in changes if isinstance(was, int | float) and isinstance(new, int | float)]
    for file, node in steps:
        each = [_written(file, node, was, new) for was, new in numbers]
        for chosen in itertools.product(*each):
            if edits := [edit for edit in chosen if edit is not None]:
                yield Candidate("flax", edits, "write " + ", ".join(edit.text for edit in edits))
        for was, new in numbers:
            for argument in _arguments(node):
                value = value_of(file, argument)
                if isinstance(value, int | float) and not isinstance(value, bool) and value != was:
                    text = repr(type(value)(value + new - was))
                    yield Candidate("flax", [file.replaced(argument, text)], f"write {text}")


def _written(file: SourceFile, node: ast.Call, was: float, new: float) -> list[TextEdit | None]:
    edits: list[TextEdit | None] = [
        file.replaced(argument, repr(type(was)(new))) for argument in _arguments(node) if is_value(file, argument, was)
    ]
    return [*edits, None]
