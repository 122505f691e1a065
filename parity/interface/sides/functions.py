"""Where the functions of the users' that a network runs are written."""

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from parity.interface.user_code import NOT_USERS

Place = tuple[str, int]
"""A file, and the first line of a function in it."""


def functions_of(modules: Iterable[Any]) -> list[Place]:
    """Where the methods of the modules' classes, the functions that the modules hold, and all that these may call by
    name are written, each once; only what is the users'.

    Args:
        modules: The modules of a network, of any framework.
    """
    seen: dict[FunctionType, None] = {}
    waiting = [function for module in modules for function in _of_module(module)]
    while waiting:
        function = waiting.pop()
        if function not in seen and _is_users(function):
            seen[function] = None
            waiting += _named_in(function)
    return [(function.__code__.co_filename, function.__code__.co_firstlineno) for function in seen]


def _of_module(module: Any) -> Iterator[FunctionType]:
    yield from _functions(vars(module).values())
    for cls in type(module).__mro__:
        yield from _functions(vars(cls).values())


def _functions(values: Iterable[Any]) -> Iterator[FunctionType]:
    for value in values:
        inner = value.fget if isinstance(value, property) else value
        try:
            inner = inspect.unwrap(inner) if callable(inner) else inner
        except ValueError:  # it is wrapped without end: it has every name
            continue
        if isinstance(inner, FunctionType):
            yield inner


def _is_users(function: FunctionType) -> bool:
    return not NOT_USERS & set(Path(function.__code__.co_filename).parents)


def _named_in(function: FunctionType) -> Iterator[FunctionType]:
    """The functions that a function names: global ones, those of modules, and those that it closes over."""
    names = function.__code__.co_names
    known = [function.__globals__[name] for name in names if name in function.__globals__]
    inside = [vars(module).get(name) for module in known if isinstance(module, ModuleType) for name in names]
    yield from _functions([*known, *inside, *_closed_over(function)])


def _closed_over(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # nothing is in it yet
            continue
