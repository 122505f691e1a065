"""Experiments as data, one file each, of the study and of the zoo beyond it; standard library only."""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from parity.errors import unknown_name
from parity.recipes.spec import Init, Optimizer, Recipe, Rollouts

__all__ = ["GROUPS", "Init", "Optimizer", "Recipe", "Rollouts", "chosen", "every", "load", "names", "zoo_names"]


def names() -> list[str]:
    """Names of the study's recipes and of those that go beyond it with its networks, in alphabetical order."""
    return sorted(module.name for module in iter_modules(__path__) if module.name not in ("spec", "zoo"))


def zoo_names() -> list[str]:
    """Names of the recipes of the zoo, in alphabetical order."""
    return sorted(module.name for module in iter_modules([f"{path}/zoo" for path in __path__]))


def every() -> list[str]:
    """Names of all recipes, the study's first."""
    return [*names(), *zoo_names()]


GROUPS = {"study": names, "zoo": zoo_names}
"""Name of a group → the function that lists its recipes."""


def chosen(words: Sequence[str]) -> list[str]:
    """Names of the recipes that are asked for, each once, in the order of the words.

    Args:
        words: names of recipes, and of groups, each of which is all recipes of it; none is the study's.

    Raises:
        UsageError: a word is neither.
    """
    names = [name for word in words or ["study"] for name in (GROUPS[word]() if word in GROUPS else [load(word).name])]
    return list(dict.fromkeys(names))


def load(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: there is none; the nearest names are given.
    """
    if name not in every():
        raise unknown_name("network", name, every())
    return import_module(f"{__name__}.{name}" if name in names() else f"{__name__}.zoo.{name}").RECIPE
