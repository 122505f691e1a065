"""The study's experiments as data, one file each; standard library only."""

from importlib import import_module
from pkgutil import iter_modules

from parity.errors import unknown_name
from parity.recipes.spec import Init, Optimizer, Recipe

__all__ = ["Init", "Optimizer", "Recipe", "load", "names"]


def names() -> list[str]:
    """Names of all recipes, in alphabetical order."""
    return sorted(module.name for module in iter_modules(__path__) if module.name != "spec")


def load(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: there is none; the nearest names are given.
    """
    if name not in names():
        raise unknown_name("network", name, names())
    return import_module(f"{__name__}.{name}").RECIPE
