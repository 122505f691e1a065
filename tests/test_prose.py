"""The prose of docstrings: an entry of a section can be read without its name, and no docstring begins clipped."""

import ast
from collections.abc import Iterator

import pytest

from tests.docstrings import ROOT, documented, entries, sources

BARE = {
    *("of", "as", "in", "by", "at", "from", "on", "for", "to", "with"),
    *("whose", "where", "is", "see"),
}
"""Words that cannot begin the text of an entry: they lean on its name instead of saying what it is."""
CLIPPED = {"Of", "As", "In", "By", "That"}
"""Words that cannot begin a docstring, for the same reason."""


def docstrings(source: str) -> Iterator[tuple[str, str]]:
    """The name and the docstring of everything in a module that has one; the module's own name is ""."""
    for node, docstring in documented(ast.parse(source)):
        yield getattr(node, "name", ""), docstring


def first_word(text: str) -> str:
    """The first word of a text, without the signs beside it."""
    return text.split()[0].strip('.,;:"')


def faults(source: str) -> list[str]:
    """What is clipped in the docstrings of a module, a line each."""
    clipped = []
    for name, docstring in docstrings(source):
        if first_word(docstring) in CLIPPED:
            clipped.append(f'{name} begins "{docstring.splitlines()[0]}"; give it a whole sentence')
        clipped += [
            f'{name}, {entry.names}: "{entry.text}"; say what it is, so that it can be read without the name before it'
            for entry in entries(docstring)
            if first_word(entry.text).lower() in BARE
        ]
    return clipped


def test_no_docstring_is_clipped() -> None:
    clipped = [f"{path.relative_to(ROOT)}: {fault}" for path in sources() for fault in faults(path.read_text())]
    assert not clipped, "\n".join(clipped)


def test_many_entries_are_read() -> None:
    """The test above cannot pass because the scan reads nothing."""
    texts = [path.read_text() for path in sources()]
    assert sum(len(list(entries(docstring))) for text in texts for _, docstring in docstrings(text)) > 500


SOUND = '''"""A module."""


class Layer:
    """A layer of a network.

    Args:
        weights: arrays of the layer, by name.
        size, depth: number of features, and of layers, as
            integers from 1.
        **options: further options of the layer.

    Of the arrays, none is copied.

    Raises:
        ValueError: a weight is missing.
    """

    def apply(self, weights):
        """Apply the layer.

        In training, statistics are updated.
        """
'''


def test_sound_docstrings_have_no_fault() -> None:
    assert faults(SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("weights: arrays of the layer, by name.", "weights: of the layer.", "Layer, weights"),
        ("number of features, and of layers, as", "of the layers, as", "Layer, size, depth"),
        ("**options: further options of the layer.", "**options: see `Layer`.", "Layer, **options"),
        ("a weight is missing.", "as `apply`.", "Layer, ValueError"),
        ("A layer of a network.", "Of a network.", "Layer begins"),
        ("Apply the layer.", "As its parent.", "apply begins"),
        ('"""A module."""', '"""By hand."""', " begins"),
    ],
)
def test_clipped_docstrings_are_found(old: str, new: str, place: str) -> None:
    assert old in SOUND
    (fault,) = faults(SOUND.replace(old, new))
    assert fault.startswith(place)


@pytest.mark.parametrize("word", sorted(BARE))
def test_every_bare_word_is_found(word: str) -> None:
    assert faults(SOUND.replace("arrays of the layer, by name.", f"{word} the layer."))


@pytest.mark.parametrize("word", sorted(CLIPPED))
def test_every_clipped_beginning_is_found(word: str) -> None:
    assert faults(SOUND.replace("A layer of a network.", f"{word} a network."))
