"""A pair that a user's file makes: "path/to/file.py:function"."""

import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from parity.errors import UsageError, unknown_name

OPTIONS = (
    "to_flax",
    "to_torch",
    "optimizers",
    "schedules",
    "schedule_steps",
    "loss",
    "targets",
    "accept",
    "dropout",
    "probes",
    "map",
)
"""What the function may give besides, by these names."""


def is_target(name: str) -> bool:
    """Whether a name on the command line is that of a function in a file."""
    return ":" in name and name.partition(":")[0].endswith(".py")


def load(target: str) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Flax's model, PyTorch's, the inputs and the options that the function returns.

    Raises:
        UsageError: no such file or function, or it returns something else.
    """
    place, _, name = target.rpartition(":")
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"there is no file {place}; give path/to/file.py:function")
    module = _imported(path)
    if not hasattr(module, name):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown_name(f"function in {place}", name, known)
    found = getattr(module, name)()
    if not isinstance(found, list | tuple) or len(found) not in (3, 4):
        raise UsageError(
            f"{target} returned {type(found).__name__}; expected (flax_model, torch_model, inputs) and, where there "
            f"are options, a dict of them as the fourth"
        )
    flax, torch, inputs, options = (*found, {})[:4]
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
