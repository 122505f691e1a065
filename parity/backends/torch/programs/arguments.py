"""The arguments of a call of one of PyTorch's functions: its tensors, and its settings by name."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch.utils import _pytree as pytree

from parity.interface.programs.operations import plain

Where = tuple[str, Any]
"""("argument", its place) or ("keyword", its name)."""
SHORT = {
    "truediv": "div",
    "rmul": "mul",
    "radd": "add",
    "rsub": "rsub",
    "iadd": "add",
    "imul": "mul",
    "matmul": "matmul",
}
UNCHECKED = frozenset(
    getattr(torch, name + kind) for name in ("lstm", "gru", "rnn_tanh", "rnn_relu") for kind in ("", "_cell")
)
"""Functions that read whatever memory they are told to: only the modules that call them check what they are given."""


CODED = frozenset({"reduction"})
"""Arguments that an operator takes as a number for what people write as a word."""
_POOL = {"ceil_mode": False, "count_include_pad": True}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    **{f"avg_pool{axes}d": _POOL for axes in (1, 2, 3)},
    **{name: {"correction": 1} for name in ("std", "var", "std_mean", "var_mean")},
}
"""Name of a function that does not tell its defaults → those that people write, by name."""


@dataclass(frozen=True)
class Operand:
    """The place of a tensor among a call's arguments: the n-th of them."""

    place: int


@dataclass(frozen=True)
class Written:
    """A call whose tensors are taken out.

    Args:
        func: the function.
        args, kwargs: its arguments with an `Operand` for every tensor.
        where: name of a setting → where it is among the arguments.
        settings: name of a setting → its value.
        shapes: the tensors' shapes, in order.
    """

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    where: Mapping[str, Where]
    settings: Mapping[str, Any]
    shapes: Sequence[torch.Size]

    def again(self, tensors: Sequence[torch.Tensor], settings: Mapping[str, Any]) -> Any:
        """The result of the call with these tensors and with these settings changed.

        Raises:
            ValueError: PyTorch would not check what is changed, but crash.
        """
        if self.func in UNCHECKED and (settings or [each.shape for each in tensors] != [*self.shapes]):
            raise ValueError(f"{name_of(self.func)} is run again only as it was: PyTorch does not check its arguments")
        args, kwargs = list(self.args), dict(self.kwargs)
        for name, value in settings.items():
            how, key = self.where[name]
            if how == "argument":
                args[key] = value
            else:
                kwargs[key] = value
        return self.func(*(_filled(a, tensors) for a in args), **{k: _filled(v, tensors) for k, v in kwargs.items()})


def _filled(argument: Any, tensors: Sequence[torch.Tensor]) -> Any:
    """An argument with its tensors put in; most are no more than a tensor or a plain value."""
    if isinstance(argument, Operand):
        return tensors[argument.place]
    if isinstance(argument, int | float | str | None):
        return argument
    return pytree.tree_map(lambda a: tensors[a.place] if isinstance(a, Operand) else a, argument)


def written(
    func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Written, list[torch.Tensor]]:
    """A call, and its tensors in order."""
    tensors: list[torch.Tensor] = []

    def taken(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor):
            return leaf
        tensors.append(leaf)
        return Operand(len(tensors) - 1)

    plain_args, plain_kwargs = pytree.tree_map(taken, (tuple(args), dict(kwargs)))
    where, settings = _settings(func, plain_args, plain_kwargs)
    return Written(func, plain_args, plain_kwargs, where, settings, [each.shape for each in tensors]), tensors


def _settings(
    func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[dict[str, Where], dict[str, Any]]:
    names, defaults = parameters(func)
    if len(names) < len(args):
        names = _names_in_schemas(name_of(func), len(args)) or names
    named: list[tuple[str, Where, Any]] = [
        (names[place] if place < len(names) else f"argument {place + 1}", ("argument", place), value)
        for place, value in enumerate(args)
    ]
    named += [(key, ("keyword", key), value) for key, value in kwargs.items()]
    argument_names = {name for name, _, _ in named}
    if not argument_names & {"unbiased", "argument 3"}:
        defaults = {**defaults, **DEFAULTS.get(name_of(func), {})}
    named += [(name, ("keyword", name), value) for name, value in defaults.items() if name not in argument_names]
    kept = [(name, where, value) for name, where, value in named if plain(value)]
    return {name: where for name, where, _ in kept}, {name: value for name, _, value in kept}


@cache
def parameters(func: Callable[..., Any]) -> tuple[Sequence[str], Mapping[str, Any]]:
    """Names of a function's parameters in order, and the defaults of those that can be given by name."""
    try:
        signature = inspect.signature(func)
        defaults = {
            p.name: p.default for p in signature.parameters.values() if p.default is not inspect.Parameter.empty
        }
        positional = [p.name for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_POSITIONAL]
        return positional if len(positional) == len(signature.parameters) else [], defaults
    except (TypeError, ValueError):
        described = _described().get(func)
        names = [] if described is None else list(inspect.signature(described).parameters)
        return names, _defaults_in_schema(name_of(func))


@cache
def _names_in_schemas(name: str, count: int) -> Sequence[str]:
    """The names of that many arguments, as the schemas of PyTorch's operators have them; none if none has so many."""
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{name}"):
        named = [each.name for each in schema.arguments if not each.kwarg_only]
        if len(named) >= count:
            return named
    return []


@cache
def _defaults_in_schema(name: str) -> Mapping[str, Any]:
    """The numbers and words that an operator takes where nothing is said, by name; none if it has several forms, of
    which the call may be any."""
    schemas = torch._C._jit_get_schemas_for_operator(f"aten::{name}")
    schemas = [schema for schema in schemas if not schema.overload_name.endswith("out")]
    if len(schemas) != 1:
        return {}
    with_default = [each for each in schemas[0].arguments if each.has_default_value() and each.name not in CODED]
    return {each.name: each.default_value for each in with_default if isinstance(each.default_value, float | int | str)}


@cache
def _described() -> Mapping[Any, Callable[..., Any]]:
    return torch.overrides.get_testing_overrides()


def name_of(func: Callable[..., Any]) -> str:
    """What people call a function: "mul" for `Tensor.__rmul__`, "mT" for what gives that attribute."""
    name = getattr(func, "__name__", type(func).__name__)
    if name == "__get__":
        return str(getattr(getattr(func, "__self__", None), "__name__", "attribute"))
    bare = name.strip("_")
    return SHORT.get(bare, bare)
