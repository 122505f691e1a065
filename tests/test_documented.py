"""The names that docstrings explain are there: parameters under "Args:", attributes and fields under "Attributes:"."""

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from tests.docstrings import ROOT, documented, entries, sources

Function = ast.FunctionDef | ast.AsyncFunctionDef
PROPERTIES = {"property", "cached_property"}


class Module(NamedTuple):
    """A module: its text as a tree, its classes by name, and what its other names stand for."""

    tree: ast.Module
    classes: Mapping[str, ast.ClassDef]
    imports: Mapping[str, str]


Modules = Mapping[str, Module]


def parsed(source: str) -> Module:
    """The module of a text."""
    tree = ast.parse(source)
    imports: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            imports |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            imports |= {alias.asname: alias.name for alias in node.names if alias.asname}
    return Module(tree, {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}, imports)


def modules() -> dict[str, Module]:
    """All modules of the packages by their dotted names."""
    names = {
        path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in sources()
    }
    return {name: parsed(path.read_text()) for path, name in names.items()}


def lineage(modules: Modules, place: str, node: ast.ClassDef) -> Iterator[ast.ClassDef]:
    """A class of the module `place`, and those of ours that it inherits from, the nearest first."""
    yield node
    for base in node.bases:
        name = ast.unparse(base.value if isinstance(base, ast.Subscript) else base)
        if (parent := class_of(modules, place, name)) is not None and parent[1] is not node:
            yield from lineage(modules, *parent)


def class_of(modules: Modules, place: str, name: str) -> tuple[str, ast.ClassDef] | None:
    """The class that a dotted name in the module `place` stands for, with its own module; None if it is not ours."""
    if place not in modules:
        outer, _, inner = place.rpartition(".")
        return class_of(modules, outer, f"{inner}.{name}") if outer else None
    module = modules[place]
    if name in module.classes:
        return place, module.classes[name]
    first, _, rest = name.partition(".")
    if first not in module.imports:
        return None
    holder, _, last = f"{module.imports[first]}{rest and '.'}{rest}".rpartition(".")
    return class_of(modules, holder, last)


def parameters(node: Function) -> set[str]:
    """The parameters of a function as its docstring is to call them: "*args" and "**options" with their stars."""
    every = node.args
    stars = [f"*{every.vararg.arg}"] if every.vararg else []
    stars += [f"**{every.kwarg.arg}"] if every.kwarg else []
    return {argument.arg for argument in (*every.posonlyargs, *every.args, *every.kwonlyargs)} | set(stars)


def fields(node: ast.ClassDef) -> set[str]:
    """The fields that a class declares."""
    return {ast.unparse(item.target) for item in node.body if isinstance(item, ast.AnnAssign)}


def arguments(modules: Modules, place: str, node: ast.ClassDef) -> set[str]:
    """What a class is made from: the parameters of the nearest `__init__`, and the fields that are declared nearer."""
    names: set[str] = set()
    for each in lineage(modules, place, node):
        makers = [item for item in each.body if isinstance(item, Function) and item.name == "__init__"]
        if makers:
            return names | parameters(makers[0])
        names |= fields(each)
    return names


def attributes(modules: Modules, place: str, node: ast.ClassDef) -> set[str]:
    """What an object of a class has: fields, names of the class, properties, and what methods assign to `self`."""
    names = set()
    for each in lineage(modules, place, node):
        names |= fields(each)
        names |= {ast.unparse(name) for item in each.body if isinstance(item, ast.Assign) for name in item.targets}
        names |= {item.name for item in each.body if isinstance(item, Function) and is_property(item)}
        names |= {part.attr for part in ast.walk(each) if isinstance(part, ast.Attribute) and is_set_on_self(part)}
    return names


def is_property(node: Function) -> bool:
    """Whether a method is read as an attribute."""
    return any(ast.unparse(decorator).rpartition(".")[2] in PROPERTIES for decorator in node.decorator_list)


def is_set_on_self(node: ast.Attribute) -> bool:
    """Whether this is an attribute of `self` that is assigned."""
    return isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"


def explained(modules: Modules, place: str) -> Iterator[tuple[str, str, bool]]:
    """Each name that the docstrings of a module explain: what has the docstring, the name, and whether it is there."""
    for node, docstring in documented(modules[place].tree):
        known: dict[str, set[str]] = {"Args": set(), "Attributes": set()}
        if isinstance(node, ast.ClassDef):
            known = {"Args": arguments(modules, place, node), "Attributes": attributes(modules, place, node)}
        elif isinstance(node, Function):
            known["Args"] = parameters(node)
        for entry in entries(docstring):
            for name in entry.names.split(", ") if entry.section in known else ():
                yield getattr(node, "name", ""), name, name in known[entry.section]


def faults(modules: Modules, place: str) -> list[str]:
    """What docstrings of a module explain and is not there: "Layer: size" for each."""
    return [f"{holder}: {name}" for holder, name, there in explained(modules, place) if not there]


def test_every_name_that_is_explained_is_there() -> None:
    every = modules()
    assert [f"{place}, {fault}" for place in every for fault in faults(every, place)] == []


def test_many_names_are_read() -> None:
    """The test above cannot pass because the scan reads nothing, or follows no class to another module."""
    every = modules()
    assert sum(len(list(explained(every, place))) for place in every) > 2500
    place, node = "parity.backends.flax.side", every["parity.backends.flax.side"].classes["FlaxSide"]
    assert {parent.name for parent in lineage(every, place, node)} >= {"Side", "Placed", "Described"}


BASE = '''
class Base:
    """A base.

    Attributes:
        size: the size.
    """

    def __init__(self, size, **options):
        """Build it.

        Args:
            size: the size.
            **options: further options.
        """
        self.size, self.depth = size, 1
'''
SOUND = '''
from dataclasses import dataclass

from package import base as bases


class Layer(bases.Base):
    """A layer.

    Args:
        size: the size.

    Attributes:
        size, depth: the size, and the depth.
        kind: the kind of every layer.
        width: the width.
    """

    kind = "layer"

    @property
    def width(self):
        return self.size

    def apply(self, inputs, *more, training=False):
        """Apply it.

        Args:
            inputs, *more: arrays.
            training: the mode.

        Raises:
            ValueError: there is no input.
        """


@dataclass
class Record(Layer):
    """A record.

    Args:
        size, number: the size, and the number.
    """

    number: int
'''


def found(sound: str) -> list[str]:
    """The faults of a module whose base class is in another one."""
    return faults({"package.base": parsed(BASE), "package.layer": parsed(sound)}, "package.layer")


def test_what_is_there_is_no_fault() -> None:
    assert found(SOUND) == []
    assert faults({"package.base": parsed(BASE)}, "package.base") == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("        size: the size.", "        sizes: the size.", "Layer: sizes"),
        ("        size: the size.", "        depth: no parameter.", "Layer: depth"),
        ("        size: the size.", "        options: without stars.", "Layer: options"),
        ("        kind: the kind", "        form: the kind", "Layer: form"),
        ("        kind: the kind", "        apply: a method.", "Layer: apply"),
        ("    @property\n", "", "Layer: width"),
        ('    kind = "layer"\n', "", "Layer: kind"),
        ("(bases.Base)", "(others.Base)", "Layer: size"),
        ("inputs, *more: arrays", "inputs, more: arrays", "apply: more"),
        ("training: the mode", "train: the mode", "apply: train"),
        ("training=False", "mode=False", "apply: training"),
        ("    number: int\n", "", "Record: number"),
        ("class Record(Layer)", "class Record", "Record: size"),
    ],
)
def test_what_is_not_there_is_found(old: str, new: str, fault: str) -> None:
    assert old in SOUND
    assert fault in found(SOUND.replace(old, new))


def test_a_module_has_no_arguments() -> None:
    assert found('"""A module.\n\nArgs:\n    size: the size.\n"""') == [": size"]
