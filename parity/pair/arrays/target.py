"""A pair that a user's file makes: "path/to/file.py:function"."""

import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from parity.errors import UsageError, unknown_name
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


def load(target: str) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Flax's model, PyTorch's model, the inputs and the options that the function returns.

    Args:
        target: "path/to/file.py:function".

    Raises:
        UsageError: There is no such file or function, or it returns something else.
    """
    path = require_file(target)
    place, _, name = target.rpartition(":")
    module = _imported(path)
    if not hasattr(module, name):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown_name(f"function in {place}", name, known)
    made = getattr(module, name)()
    if not isinstance(made, list | tuple) or len(made) not in (3, 4):
        raise UsageError(
            f"{target} returned {type(made).__name__}; expected (flax_model, torch_model, inputs) and, where there "
            f"are options, a dict of them as the fourth"
        )
    flax, torch, inputs, options = (*made, {})[:4]
    return flax, torch, inputs, _options(target, options)


def _imported(path: Path) -> Any:
    """The file as a module; its folder is searched for what it imports, as for a script."""
    sys.path.insert(0, str(path.resolve().parent))
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def _options(target: str, options: Any) -> dict[str, Any]:
    if not isinstance(options, Mapping):
        raise UsageError(f"{target} returned {type(options).__name__} as options; expected a dict")
    for name in options:
        if name not in OPTIONS:
            raise unknown_name(f"option of {target}", name, OPTIONS)
    return dict(options)
