"""Leaves of nested results and arguments, whatever they are made of."""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import fields, is_dataclass
from typing import Any

from parity.errors import UsageError


def leaves(tree: Any, name: str = "", above: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(Name, leaf) of a tree of mappings, sequences, named tuples and dataclasses, in order; None is no leaf.

    The name of a lone leaf is ""; below it is "[0]", "['key']" or ".field" for every level. A tree that holds itself is
    a leaf where it does.

    Args:
        tree: The tree.
        name: The name of the tree itself.
        above: The trees that it is in.
    """
    again = _is_node(tree) and any(tree is other for other in above)
    for suffix, item in () if again else _children(tree):
        yield from leaves(item, f"{name}{suffix}", (*above, tree))
    if tree is not None and (again or not _is_node(tree)):
        yield name, tree


def returned_leaves(result: Any) -> Iterator[tuple[str, Any]]:
    """The leaves of what a network returns.

    Raises:
        UsageError: One can be gone through once only, as what a function with `yield` returns.
    """
    for name, leaf in leaves(result):
        if isinstance(leaf, Iterator):
            where = f" at {name}" if name else ""
            raise UsageError(
                f"a network returns a {type(leaf).__name__}{where}, which can be gone through once only; expected "
                "arrays: return a tuple or a list of what it yields"
            )
        yield name, leaf


def require_no_circle(tree: Any) -> None:
    """Raise UsageError if a tree of mappings, sequences, named tuples and dataclasses holds itself."""
    for name, leaf in leaves(tree):
        if _is_node(leaf):
            raise UsageError(
                f"the inputs hold a {type(leaf).__name__} that holds itself, at {name}; give one that does not"
            )


def mapped(tree: Any, change: Callable[[str, Any], Any], name: str = "") -> Any:
    """The tree with every leaf changed. Containers keep their types, also NamedTuples and dataclasses, of which copies
    are made; a mapping becomes a dict.

    Args:
        tree: Mappings, lists, tuples and dataclasses of leaves.
        change: Makes the new leaf of the nearest key or field above it, "" where there is none, and the leaf.
        name: The key or field that the tree itself is under.
    """
    if is_dataclass(tree) and not isinstance(tree, type):
        changed = copy(tree)
        for field in fields(tree):
            object.__setattr__(changed, field.name, mapped(getattr(tree, field.name), change, field.name))
        return changed
    if isinstance(tree, Mapping):
        return {key: mapped(item, change, str(key)) for key, item in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(mapped(getattr(tree, field), change, field) for field in tree._fields))
    if isinstance(tree, list | tuple):
        return type(tree)(mapped(item, change, name) for item in tree)
    return change(name, tree)


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
