"""What a PyTorch network returns: its leaves, and where it draws random numbers."""

import traceback
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from parity.backends.torch.inputs import Tensors
from parity.interface.observation import Leaf, LeafKind
from parity.interface.tree import leaves, returned_leaves
from parity.interface.user_code import NOT_USERS

NUMBERS = (np.ndarray, np.generic, bool, int, float, complex)


def flattened(result: Any, dtype: torch.dtype) -> Tensors:
    """The tensors and numbers among the leaves of a result, by name; a complex one as its two parts, and Python's
    floating numbers in the dtype."""
    tensors: Tensors = {}
    for name, leaf in leaves(result):
        if not _is_numeric(leaf):
            continue
        tensor = leaf if isinstance(leaf, torch.Tensor) else _number(leaf, dtype)
        parts = {".real": tensor.real, ".imag": tensor.imag} if tensor.is_complex() else {"": tensor}
        tensors |= {name + suffix: part for suffix, part in parts.items()}
    return tensors


def described(result: Any) -> dict[str, Leaf]:
    """All leaves of a result, by name: those that `flattened` gives, and what is no tensor."""
    tensors = flattened(result, torch.float32)
    arrays = {name: Leaf(_kind(tensor), tuple(tensor.shape)) for name, tensor in tensors.items()}
    rest = {
        name: Leaf("other", (), type(leaf).__name__) for name, leaf in returned_leaves(result) if not _is_numeric(leaf)
    }
    return arrays | rest


def _number(leaf: Any, dtype: torch.dtype) -> torch.Tensor:
    tensor = torch.as_tensor(leaf)
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _is_numeric(leaf: Any) -> bool:
    if isinstance(leaf, torch.Tensor):
        return True
    return isinstance(leaf, NUMBERS) and np.asarray(leaf).dtype.kind in "biufc"


def _kind(tensor: torch.Tensor) -> LeafKind:
    if tensor.is_floating_point():
        return "floating"
    return "truth" if tensor.dtype == torch.bool else "whole"


OURS = Path(__file__).parents[2]
NO_NETWORKS = {OURS, *(Path(str(module.__file__)).parent for module in (torch, np))}
"""Folders of code that is no network: ours, PyTorch's and NumPy's."""


class DrawPlaces(TorchFunctionMode):
    """Notes the calls that move PyTorch's random generator, as "file line number (function)"."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, None] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = torch.get_rng_state()
        result = func(*args, **(kwargs or {}))
        if not torch.equal(before, torch.get_rng_state()):
            self.places[f"{_users_line()} ({getattr(func, '__name__', 'a function')})"] = None
        return result


def _users_line() -> str:
    """The innermost line of the user's code that is running, else of a library that is none of the framework's."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_stack()]
    others = [frame for frame in frames if not NO_NETWORKS & set(frame[0].parents) and frame[0].is_file()]
    users = [frame for frame in others if not NOT_USERS & set(frame[0].parents)]
    path, line = (users or others or frames)[-1]
    return f"{path.name} line {line}"
