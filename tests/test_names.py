"""The names that modules bind: each is a noun or a verb of the field, and none says only that it was found or given."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("parity", "jaxnets", "torchnets", "benchmarks")
WORDS = frozenset({"found", "given", "own", "one", "said", "told"})
"""Names that tell nothing of what is in a variable; a layer is to be called `layer`, and a gradient `gradient`."""
KEYS = frozenset({"CalledDifferent.told", "Judged.told", "PairResult.told"})
"""Fields of classes that are written to records, whose keys they are: records that are there already have them."""


def bound_names(source: str) -> Iterator[tuple[int, str]]:
    """The line and the name of all that a module binds; a field is named after its class, "Class.field"."""
    tree = ast.parse(source)
    fields = {id(target): name for node in ast.walk(tree) for target, name in declared(node)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, fields.get(id(node), name)
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.alias(asname=str(name)):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield node.lineno, name


def declared(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """The target and the name of each field that is declared in the body of a class."""
    if isinstance(node, ast.ClassDef):
        for item in node.body:
            if isinstance(item, ast.AnnAssign):
                yield item.target, f"{node.name}.{ast.unparse(item.target)}"


def is_fault(name: str) -> bool:
    """Whether something is to be called otherwise: underscores and capitals make no noun of a word."""
    return name not in KEYS and name.rpartition(".")[2].strip("_").lower() in WORDS


def faults(source: str) -> list[tuple[int, str]]:
    """The line and the name of what is to be called otherwise in a module."""
    return [(line, name) for line, name in bound_names(source) if is_fault(name)]


def sources() -> list[Path]:
    """All modules of the packages."""
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_names_are_nouns_or_verbs() -> None:
    """No module of the packages has such a name; and many names are read, so that this says something."""
    names = {path.relative_to(ROOT): list(bound_names(path.read_text())) for path in sources()}
    listed = [f"{path}:{line}: {name}" for path, bound in names.items() for line, name in bound if is_fault(name)]
    assert not listed, "call each by the noun or the verb that it is:\n" + "\n".join(listed)
    assert len(names) > 500
    assert sum(map(len, names.values())) > 30_000
    assert {name for bound in names.values() for _, name in bound} >= KEYS


SOUND = '''"""A module."""


class PairResult:
    told: int
    verdict: str


class Layer:
    def __init__(self, weights):
        self.weights = weights


def first(layers, *, key=None):
    """The first of the layers that was found and is no one's own."""
    from package import said as spoken

    for layer in layers:
        if gradient := layer.given(one=key):
            return gradient, spoken(found=layer.told)
    return [name for name in layers]
'''


def test_keys_texts_and_what_others_named_may_have_such_names() -> None:
    assert faults(SOUND) == []


@pytest.mark.parametrize("form", ["{}", "_{}", "{}_", "__{}"])
@pytest.mark.parametrize("word", sorted(WORDS | {"Found", "OWN"}))
@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("class Layer", "class {0}", 9),
        ("def first", "def {0}", 14),
        ("def first", "async def {0}", 14),
        ("self.weights = ", "self.{0} = ", 11),
        ("self.weights = ", "self.{0}: int = ", 11),
        ("(layers, *, key=None)", "({0}, *, key=None)", 14),
        ("(layers, *, key=None)", "(layers, *, {0}=None)", 14),
        ("(layers, *, key=None)", "(layers, **{0})", 14),
        ("said as spoken", "said as {0}", 16),
        ("for layer in layers:", "for {0} in layers:", 18),
        ("gradient := layer", "{0} := layer", 19),
        ("for name in layers]", "for {0} in layers]", 21),
    ],
)
def test_every_such_name_is_found(form: str, word: str, old: str, new: str, line: int) -> None:
    assert old in SOUND
    name = form.format(word)
    assert faults(SOUND.replace(old, new.format(name))) == [(line, name)]


@pytest.mark.parametrize("word", sorted(WORDS))
def test_only_the_fields_that_are_keys_may_have_such_names(word: str) -> None:
    assert faults(SOUND.replace("verdict: str", f"{word}_: str")) == [(6, f"PairResult.{word}_")]
    assert faults(SOUND.replace("class PairResult", "class Pair")) == [(5, "Pair.told")]
