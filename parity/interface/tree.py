"""Leaves of nested results and arguments, whatever they are made of."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def leaves(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(Name, leaf) of a tree of mappings, sequences, named tuples and dataclasses, in order; None is no leaf.

    The name of a lone leaf is ""; below it is "[0]", "['key']" or ".field" for every level.
    """
    for own, item in _children(tree):
        yield from leaves(item, f"{name}{own}")
    if tree is not None and not _is_node(tree):
        yield name, tree


def _is_node(tree: Any) -> bool:
    return isinstance(tree, Mapping | list | tuple) or (is_dataclass(tree) and not isinstance(tree, type))


def _children(tree: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(tree) and not isinstance(tree, type):
        yield from ((f".{field.name}", getattr(tree, field.name)) for field in fields(tree))
    elif isinstance(tree, Mapping):
        yield from ((f"[{key!r}]", item) for key, item in tree.items())
    elif isinstance(tree, tuple) and hasattr(tree, "_fields"):
        yield from ((f".{field}", getattr(tree, field)) for field in tree._fields)
    elif isinstance(tree, list | tuple):
        yield from ((f"[{i}]", item) for i, item in enumerate(tree))
