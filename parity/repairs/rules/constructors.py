"""The constructor of a layer: found by its path, its class and its side, and given another setting."""

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from parity.repairs.rules.keywords import with_setting
from parity.repairs.source.files import SourceFile, TextEdit
from parity.repairs.source.nodes import called
from parity.repairs.source.project import Project

Constructor = tuple[SourceFile, ast.Call]


def constructors(project: Project, side: str, path: str, kind: str = "") -> list[Constructor]:
    """The calls that may make the layer of a path: those that are kept under its name first, then those of its class.

    Args:
        project: the pair's files.
        side: "flax" or "torch".
        path: path of the layer, such as "encoder.0.norm".
        kind: name of its class; "" where it is not known.
    """
    calls = [
        (file, node)
        for file in project.files.values()
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call) and _may_make(file, node, side)
    ]
    last = next((part for part in reversed(path.split(".")) if not part.isdecimal()), "")
    ours = [(f, n) for f, n in calls if not kind or called(n) == kind or file_local(f, n, kind)]
    named = [(f, n) for f, n in ours if last and kept_as(f, n, last)]
    place = path.rpartition(".")[2]
    if place.isdecimal():
        named += [(f, n) for f, n in ours if (f, n) not in named and _nth(f, n, int(place))]
    return [*named, *([pair for pair in ours if pair not in named] if kind else [])]


def file_local(file: SourceFile, call: ast.Call, kind: str) -> bool:
    """Whether a call makes a class of the user's that is one of that name's, or calls what is chosen between some."""
    classes = {node.name: node for node in ast.walk(file.tree) if isinstance(node, ast.ClassDef)}
    made = classes.get(called(call))
    return made is not None and any(_last(base) == kind for base in made.bases)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _may_make(file: SourceFile, call: ast.Call, side: str) -> bool:
    """Whether a call may make a layer of that side: a class of its framework, or one of the file's own."""
    name = called(call)
    return name[:1].isupper() and (file.side(call.func) or side) == side


def kept_as(file: SourceFile, call: ast.Call, name: str) -> bool:
    """Whether what a call makes is kept under a name: `self.norm = nn.LayerNorm(3)`, `name="norm"`, Linen's own
    "LayerNorm_0"."""
    if any(k.arg == "name" and isinstance(k.value, ast.Constant) and k.value.value == name for k in call.keywords):
        return True
    for node in file.above(call):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return any(getattr(target, "attr", getattr(target, "id", "")) == name for target in targets)
        if isinstance(node, ast.stmt):
            break
    kind, _, number = name.rpartition("_")
    return number.isdecimal() and kind == called(call)


def _nth(file: SourceFile, call: ast.Call, place: int) -> bool:
    """Whether a call is the n-th argument of another, as in `nn.Sequential`."""
    parent = file.parents.get(call)
    return isinstance(parent, ast.Call) and call in parent.args and parent.args.index(call) == place


def set_in_constructor(
    project: Project, side: str, layer: tuple[str, str], names: Sequence[str], values: tuple[Any, str]
) -> Iterator[list[TextEdit]]:
    """Edits that make a layer with another setting.

    Args:
        project, side: the pair's files, and the side.
        layer: path and class of the layer.
        names: the keywords that may be the setting's name.
        values: the value that it has (`...` where that is not known), and the one that it shall have as source.
    """
    for file, call in constructors(project, side, *layer):
        yield from with_setting(file, call, names, *values)
