"""The names of variables and arguments: each is a noun of the field, and none says only that it was found or given."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("parity", "jaxnets", "torchnets", "benchmarks")
WORDS = frozenset({"found", "given", "own", "one", "said", "told"})
"""Names that tell nothing of what is in a variable; a layer is to be called `layer`, and a gradient `gradient`."""


def bound_names(source: str) -> Iterator[tuple[int, str]]:
    """The line and the name of every variable and argument that a module binds.

    The fields that a class declares are left out: many are the keys of a file.
    """
    tree = ast.parse(source)
    fields = {id(item.target) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for item in declared(node)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if id(node) not in fields:
                yield node.lineno, name
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.alias(asname=str(name)):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield node.lineno, name


def declared(node: ast.ClassDef) -> list[ast.AnnAssign]:
    """The declarations of fields in the body of a class."""
    return [item for item in node.body if isinstance(item, ast.AnnAssign)]


def faults(source: str) -> list[tuple[int, str]]:
    """The line and the name of the variables and arguments of a module that are to be called otherwise."""
    return [(line, name) for line, name in bound_names(source) if name in WORDS]


def sources() -> list[Path]:
    """All modules of the packages."""
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_variables_are_nouns() -> None:
    """No module of the packages has such a name; and many names are read, so that this says something."""
    names = {path.relative_to(ROOT): list(bound_names(path.read_text())) for path in sources()}
    listed = [f"{path}:{line}: {name}" for path, bound in names.items() for line, name in bound if name in WORDS]
    assert not listed, "call each by the noun that it is:\n" + "\n".join(listed)
    assert len(names) > 500
    assert sum(map(len, names.values())) > 10_000


SOUND = '''"""A module."""


class Record:
    told: int


def first(layers, *, key=None):
    """The first of the layers that was found and is no one's own."""
    from package import said as spoken

    for layer in layers:
        if gradient := layer.given(one=key):
            return gradient, spoken(found=layer.told)
    return [name for name in layers]
'''


def test_fields_texts_and_attributes_may_have_such_names() -> None:
    assert faults(SOUND) == []


@pytest.mark.parametrize("word", sorted(WORDS))
@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("(layers, *, key=None)", "({0}, *, key=None)", 8),
        ("(layers, *, key=None)", "(layers, *, {0}=None)", 8),
        ("(layers, *, key=None)", "(layers, **{0})", 8),
        ("said as spoken", "said as {0}", 10),
        ("for layer in layers:", "for {0} in layers:", 12),
        ("gradient := layer", "{0} := layer", 13),
        ("for name in layers]", "for {0} in layers]", 15),
    ],
)
def test_every_such_name_is_found(word: str, old: str, new: str, line: int) -> None:
    assert old in SOUND
    assert faults(SOUND.replace(old, new.format(word))) == [(line, word)]
