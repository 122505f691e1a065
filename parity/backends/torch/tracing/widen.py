"""Wider types in the place of narrower ones, in a network that is otherwise the user's."""

import copy
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from parity.backends.torch.tracing.place import place
from parity.interface.literals import as_computed, as_written, table_as_written

WIDE = {
    torch.float32: torch.float64,
    torch.float16: torch.float64,
    torch.bfloat16: torch.float64,
    torch.complex64: torch.complex128,
    torch.complex32: torch.complex128,
}
SINGLE = {torch.float64: torch.float32, torch.float16: torch.float32, torch.bfloat16: torch.float32}
SINGLE_COMPLEX = {torch.complex128: torch.complex64, torch.complex32: torch.complex64}
SHORT = {torch.float16, torch.bfloat16, torch.complex32}
"""Narrower than what users run a network in."""
MARK = "_netparity_table"
"""The attribute of a tensor that depends on no input and on nothing that is learnt: "held" if the network held it, or
made it of numbers, else "made"."""
OURS = str(Path(__file__).parents[3])
NETWORKS = str(Path(OURS, "bugs"))
"""A room of ours that holds networks, with planted bugs."""
BETWEEN = {
    str(Path(OURS, "backends", "torch", "tracing", name))
    for name in ("overrides.py", "tables.py", "tape.py", "widen.py", "attention.py", "exact.py")
} | {str(Path(OURS, "backends", "torch", "programs", "recorder.py"))}
"""Files whose frames stand between a network's lines."""
LIBRARIES = (str(Path(torch.__file__).parent), str(Path(np.__file__).parent))
STANDARD = sysconfig.get_paths()["stdlib"]


def counterpart(dtype: torch.dtype, precision: torch.dtype) -> torch.dtype:
    """The type of a network's arrays in a pass of that precision: complex ones stay complex, whole numbers whole."""
    if precision == torch.float64:
        return WIDE.get(dtype, dtype)
    return {**SINGLE, **SINGLE_COMPLEX}.get(dtype, dtype)


def in_precision(model: nn.Module, precision: torch.dtype) -> nn.Module:
    """A copy of a network in that precision on the chosen device: parameters, buffers, and the tensors that its modules
    hold as they are, in attributes, lists or dictionaries."""
    model = copied(model).to(place())
    model._apply(lambda tensor: tensor.to(counterpart(tensor.dtype, precision)))
    registered = {id(tensor) for tensor in (*model.parameters(), *model.buffers())}

    def change(value: Any) -> Any:
        if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter) and id(value) not in registered:
            return converted_table(value, precision).to(place())
        if type(value) in (list, tuple):
            return type(value)(map(change, value))
        return {key: change(item) for key, item in value.items()} if type(value) is dict else value

    for module in model.modules() if not isinstance(model, torch.jit.ScriptModule) else ():
        for name, value in list(vars(module).items()):
            if name not in nn.Module().__dict__:
                module.__dict__[name] = change(value)
    return model


def converted_table(tensor: torch.Tensor, precision: torch.dtype) -> torch.Tensor:
    """A constant of a network in that precision; what people typed is read as they typed it."""
    dtype = counterpart(tensor.dtype, precision)
    if tensor.dtype == torch.float32 and dtype == torch.float64 and not tensor.requires_grad and not tensor.is_meta:
        array = tensor.detach().cpu().numpy()
        wide = table_as_written(array) if array.ndim else np.asarray(as_written(float(array), array.dtype))
        return torch.tensor(wide)
    return tensor.detach().cpu().to(dtype) if dtype != tensor.dtype else tensor


def copied(model: nn.Module) -> nn.Module:
    """A deep copy; PyTorch does not copy tensors that were computed, as the weights of an old weight norm are."""
    computed = [v for module in model.modules() for v in vars(module).values() if isinstance(v, torch.Tensor)]
    return copy.deepcopy(model, {id(t): t.detach().clone() for t in computed if not t.is_leaf})


@contextmanager
def restored(model: nn.Module) -> Iterator[None]:
    """Let every module hold what it held before, whatever the network puts into its attributes meanwhile."""
    modules = [m for m in model.modules() if not isinstance(m, torch.jit.ScriptModule)]
    saved = [(m, dict(vars(m)), dict(m._parameters), {n: _clone(b) for n, b in m._buffers.items()}) for m in modules]
    trained = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    for module, attributes, _, _ in saved:
        for name, value in attributes.items():
            if name not in ("_parameters", "_buffers", "_modules"):
                module.__dict__[name] = _clone(value)
    try:
        yield
    finally:
        for parameter, flag in trained:
            parameter.requires_grad_(flag)
        for module, attributes, parameters, buffers in saved:
            module.__dict__.clear()
            module.__dict__.update(attributes)
            for held, before in ((module._parameters, parameters), (module._buffers, buffers)):
                held.clear()
                held.update(before)


def _clone(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter):
        return value.detach().clone()
    return value.copy() if type(value) in (list, dict, set) else value


def widened_arguments(args: Sequence[Any], kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of a call, tensors and single numbers of NumPy's among them in wider types."""
    return tuple(map(widened, args)), {key: widened(value) for key, value in kwargs.items()}


def widened(value: Any) -> Any:
    """A tensor, or the tensors of a list, in wider types; a number that float32 rounded as it was written."""
    if isinstance(value, torch.Tensor):
        return _widened(value) if value.dtype in WIDE and not value.is_sparse else value
    if isinstance(value, np.float32 | np.float16):
        return as_written(float(value), value.dtype)
    if type(value) is float:
        return as_computed(value)
    if type(value) in (list, tuple) and any(isinstance(item, torch.Tensor | np.floating) for item in value):
        return type(value)(map(widened, value))
    return value


def _widened(tensor: torch.Tensor) -> torch.Tensor:
    wide = tensor.to(WIDE[tensor.dtype])
    if hasattr(tensor, MARK):
        setattr(wide, MARK, getattr(tensor, MARK))
    return wide


def users_line() -> str:
    """The innermost line of the network that is running, as "file:line"; "" where there is none."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(OURS) and name not in BETWEEN and not name.startswith(NETWORKS):
            return ""
        if name not in BETWEEN and not _of_a_library(name):
            return f"{Path(name).name}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def _of_a_library(name: str) -> bool:
    if name.startswith((*LIBRARIES, "<")):
        return True
    return name.startswith(STANDARD) and "-packages" + os.sep not in name


@contextmanager
def single_finfo(precision: torch.dtype) -> Iterator[None]:
    """Let a network that asks for the limits of its own type be told those of float32, in which its user runs it."""
    original: Callable[..., Any] = torch.finfo

    def finfo(dtype: Any = None) -> Any:
        dtype = torch.get_default_dtype() if dtype is None else dtype
        return original(counterpart(dtype, torch.float32) if precision == torch.float64 else dtype)

    try:
        setattr(torch, "finfo", finfo if precision == torch.float64 else original)  # noqa: B010 - mypy takes it for a class
        yield
    finally:
        setattr(torch, "finfo", original)  # noqa: B010 - as above
