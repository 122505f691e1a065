"""Watches a pass for tables: tensors that depend neither on a network's inputs nor on what it learns."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map

from parity.backends.torch.tracing.widen import MARK, users_line
from parity.checks.tables import is_table, nudged
from parity.interface.observation import Table

SHAPED = frozenset({"zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "new_tensor"})
"""Functions that take no more of their first tensor than its shape and type."""
TYPED = frozenset({"type_as", "to", "expand_as", "view_as", "reshape_as"})
"""Functions that take no more of their second tensor than its shape and type."""
DRAWN = ("rand", "normal", "bernoulli", "multinomial", "poisson", "empty", "dropout", "exponential", "uniform")
"""What the names of functions begin with whose results depend on more than their arguments."""
MADE = frozenset({"tensor", "as_tensor", "asarray", "FloatTensor", "scalar_tensor"})


class TableWatch:
    """Follows the tensors that depend on nothing through the calls of a pass.

    Args:
        moves: Whether what the network holds of them is moved by half a unit of float32's last place.
    """

    def __init__(self, moves: bool = False) -> None:
        self._moves = moves
        self._moved: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._met: dict[int, torch.Tensor] = {}
        self.tables: list[tuple[torch.Tensor, str]] = []

    def held(self, tensor: Any) -> Any:
        """Mark a tensor that the network holds, or made of numbers; gives it back."""
        if isinstance(tensor, torch.Tensor) and not tensor.requires_grad:
            setattr(tensor, MARK, "held")
        return tensor

    def entering(self, func: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments of a call, moved where that is asked for; tables that meet something else are noted."""
        name = getattr(func, "__name__", "")
        tensors = _tensors((args, kwargs))
        if self._moves:
            args, kwargs = tree_map(self._as_moved, (args, kwargs))
        if name in SHAPED | TYPED or name.startswith("__get") or all(map(_is_fixed, tensors)):
            return args, kwargs
        changed = _changed_argument(name, args)
        for tensor in tensors:
            if _is_fixed(tensor) and tensor is not changed:
                self._note(tensor)
        return args, kwargs

    def leaving(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Mark the result of a call, if it depends on nothing, and what the call has changed, if it does now."""
        name = getattr(func, "__name__", "")
        tensors = _tensors((args, kwargs))
        tensors = tensors[:1] if name in TYPED else [] if name in SHAPED else tensors
        fixed = all(map(_is_fixed, tensors)) and not name.startswith(DRAWN)
        changed = _changed_argument(name, args)
        for tensor in _tensors(result):
            if tensor is not changed and not hasattr(tensor, MARK) and fixed and not tensor.requires_grad:
                setattr(tensor, MARK, "held" if name in MADE else "made")
        if changed is not None and not fixed and hasattr(changed, MARK):
            delattr(changed, MARK)

    def _as_moved(self, leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor) or getattr(leaf, MARK, "") != "held" or not is_table(_numbers(leaf)):
            return leaf
        if id(leaf) not in self._moved:
            moved = torch.tensor(nudged(_numbers(leaf)), device=leaf.device)
            setattr(moved, MARK, "made")
            self._moved[id(leaf)] = leaf, moved
        return self._moved[id(leaf)][1]

    def _note(self, tensor: torch.Tensor) -> None:
        if id(tensor) in self._met or not (tensor.is_floating_point() or tensor.is_complex()) or tensor.numel() < 2:
            return
        self._met[id(tensor)] = tensor
        shown = self._as_moved(tensor) if self._moves else tensor
        self.tables.append((shown.detach().clone(), users_line()))

    @contextmanager
    def of_numpy(self) -> Iterator[None]:
        """Mark what is made of NumPy's arrays, of which PyTorch tells nobody."""
        original = torch.from_numpy
        torch.from_numpy = lambda array: self.held(original(array))  # type: ignore[assignment]
        try:
            yield
        finally:
            torch.from_numpy = original


def tables(plain: TableWatch, moved: TableWatch) -> list[Table]:
    """The tables of two passes of one network, the second of which moved what the network holds."""
    if [t.shape for t, _ in plain.tables] != [t.shape for t, _ in moved.tables]:
        return []
    pairs = zip(plain.tables, moved.tables, strict=True)
    return [Table(_numbers(a), _numbers(b), place) for (a, place), (b, _) in pairs]


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _numbers(tensor: torch.Tensor) -> Any:
    return tensor.detach().cpu().resolve_conj().resolve_neg().numpy()


def _is_fixed(tensor: torch.Tensor) -> bool:
    return hasattr(tensor, MARK) and not tensor.requires_grad


def _changed_argument(name: str, args: Any) -> Any:
    """The tensor that a call changes in its place, if it does."""
    in_place = name in ("__setitem__", "copy_") or name.startswith("__i") or (name.endswith("_") and name[-2:] != "__")
    return args[0] if in_place and args and isinstance(args[0], torch.Tensor) else None
