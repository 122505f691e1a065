"""A pair that a user's file makes: "path/to/file.py:function"."""

import ast
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from parity.errors import UsageError, unknown_name
from parity.interface.user_code import left, place_in_user_code, words
from parity.pair.arrays.patched import loader_of
from parity.pair.options import GROUP_OF

OPTIONS = ("to_flax", "to_torch", "training", "checks", "map", *GROUP_OF)
"""What the function may give besides: keywords of `parity.compare`, the former ones too."""


def is_target(name: str) -> bool:
    """Whether a name on the command line is that of a function in a file."""
    return ":" in name and name.partition(":")[0].endswith(".py")


def require_file(target: str) -> Path:
    """The path of the file that a target names.

    Args:
        target: "path/to/file.py:function".

    Raises:
        UsageError: There is no such file.
    """
    place, _, _ = target.rpartition(":")
    if not Path(place).is_file():
        raise UsageError(f"there is no file {place}; give path/to/file.py:function")
    return Path(place)


def require_function(target: str) -> None:
    """See that a target names a function that can be called, without running its file.

    Args:
        target: "path/to/file.py:function".

    Raises:
        UsageError: There is no such file, it is no Python, or it has no such function without arguments.
    """
    path, (place, _, name) = require_file(target), target.rpartition(":")
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        where = f" line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise UsageError(f"{place}{where} is no Python: {error.args[0]}") from None
    functions = {item.name: item for item in tree.body if isinstance(item, ast.FunctionDef)}
    if name in functions:
        _require_no_arguments(target, functions[name].args)
    elif not any(name in _names(item) or "*" in _names(item) for item in tree.body):
        raise unknown_name(f"function in {place}", name, [key for key in functions if not key.startswith("_")])


def line_of(target: str) -> int:
    """The line of the file on which the function of a target is defined, from 1; 1 where it is not seen."""
    place, _, name = target.rpartition(":")
    tree = ast.parse(Path(place).read_bytes())
    return next((item.lineno for item in tree.body if isinstance(item, ast.FunctionDef) and item.name == name), 1)


def functions(place: str) -> list[str]:
    """Names of the functions of a file that may make a pair: public ones that need no argument.

    Args:
        place: The path of the file, which is parsed and not run.

    Returns:
        The names in the order of the file; none if it cannot be read or is no Python.
    """
    try:
        tree = ast.parse(Path(place).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    definitions = [item for item in tree.body if isinstance(item, ast.FunctionDef) and not item.name.startswith("_")]
    return [item.name for item in definitions if not _required(item.args)]


def _require_no_arguments(target: str, arguments: ast.arguments) -> None:
    if names := _required(arguments):
        raise UsageError(f"{target} needs arguments ({', '.join(names)}); expected a function that needs none")


def _required(arguments: ast.arguments) -> list[str]:
    """Names of the arguments without which a function cannot be called."""
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)]
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [argument.arg for argument in (*required, *(a for a, default in pairs if default is None))]


def _names(item: ast.AST) -> set[str]:
    """The names that a statement of a module may define, those in its branches too; "*" if it imports all of another
    module."""
    names = {node.id for node in ast.walk(item) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(item):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    return names


def load(target: str) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Flax's model, PyTorch's model, the inputs and the options that the function returns.

    Args:
        target: "path/to/file.py:function".

    Raises:
        UsageError: There is no such file or function, or it returns something else.
    """
    path = require_file(target)
    place, _, name = target.rpartition(":")
    module = _imported(path, place)
    if not hasattr(module, name):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown_name(f"function in {place}", name, known)
    if not callable(getattr(module, name)):
        kind = type(getattr(module, name)).__name__
        raise UsageError(f"{name} in {place} is of type {kind}; expected a function that returns the pair")
    try:
        made = getattr(module, name)()
    except SystemExit as error:
        raise UsageError(left(error, f"in {target}")) from error
    if not isinstance(made, list | tuple) or len(made) not in (3, 4):
        raise UsageError(
            f"{target} returned {type(made).__name__}; expected (flax_model, torch_model, inputs) and, where there "
            f"are options, a dict of them as the fourth"
        )
    flax, torch, inputs, options = (*made, {})[:4]
    return flax, torch, inputs, _options(target, options)


def _imported(path: Path, place: str) -> Any:
    """The file as a module; its folder is searched for what it imports, as for a script.

    Raises:
        UsageError: Its code raised something.
    """
    sys.path.insert(0, str(path.resolve().parent))
    spec = spec_from_file_location(path.stem, path, loader=loader_of(path.stem, path))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except UsageError:
        raise
    except SystemExit as error:
        raise UsageError(left(error, f"where {place} is imported")) from error
    except Exception as error:
        raise UsageError(f"{place} cannot be imported: {words(error)}{place_in_user_code(error)}") from error
    return module


def _options(target: str, options: Any) -> dict[str, Any]:
    if not isinstance(options, Mapping):
        raise UsageError(f"{target} returned {type(options).__name__} as options; expected a dict")
    for name in options:
        if name not in OPTIONS:
            raise unknown_name(f"option of {target}", name, OPTIONS)
    return dict(options)
