"""Calls of NNX classes that are replaced for a while."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def patched_calls(classes: Iterable[type], wrap: Callable[[type, Any], Any]) -> Iterator[None]:
    """Replace each class's `__call__` by `wrap(class, call)` meanwhile; a class that only inherited one has none of its
    own afterwards."""
    originals = {cls: cls.__call__ for cls in set(classes)}
    overrides = {cls: "__call__" in vars(cls) for cls in originals}
    try:
        for cls, call in originals.items():
            setattr(cls, "__call__", wrap(cls, call))  # noqa: B010 - mypy forbids assigning to a method
        yield
    finally:
        for cls, call in originals.items():
            if overrides[cls]:
                setattr(cls, "__call__", call)  # noqa: B010 - as above
            else:
                delattr(cls, "__call__")
