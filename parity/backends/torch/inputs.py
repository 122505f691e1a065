"""What a PyTorch network is given: arguments, and the targets of a loss, as tensors of one precision."""

from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree

from parity.backends.torch.tracing.place import place
from parity.backends.torch.tracing.widen import counterpart
from parity.errors import UsageError
from parity.interface.observation import Inputs
from parity.interface.sides.trained import Objective
from parity.interface.tree import leaves, mapped

DTYPES = {"float32": torch.float32, "float64": torch.float64}
Tensors = dict[str, torch.Tensor]


def given_of(inputs: Inputs, dtype: torch.dtype, gradients: bool) -> tuple[tuple[Any, ...], dict[str, Any], Tensors]:
    """Arguments, keyword arguments, and the floating leaves by name, for their gradients.

    With gradients a network is given copies of these, which it may change in place as it may change a user's inputs.
    """

    def convert(leaf: Any) -> Any:
        tensor = tensor_of(leaf, dtype)
        return tensor.requires_grad_(gradients) if inexact(tensor) else tensor

    trees = [mapped(tree, lambda _, leaf: convert(leaf)) for tree in (tuple(inputs.args), dict(inputs.kwargs))]
    floating = {name: leaf for tree in trees for name, leaf in leaves(tree) if inexact(leaf)}
    if gradients:
        trees = [mapped(tree, lambda _, leaf: leaf.clone() if inexact(leaf) else leaf) for tree in trees]
    args, kwargs = trees
    return args, kwargs, floating


def inexact(leaf: Any) -> bool:
    """Whether a leaf is a tensor of floating or complex numbers."""
    return isinstance(leaf, torch.Tensor) and (leaf.is_floating_point() or leaf.is_complex())


def loss_of(objective: Objective, result: Any, dtype: torch.dtype) -> torch.Tensor:
    """The user's loss of what the network returns.

    Raises:
        UsageError: it is not one floating number.
    """
    loss = objective.loss(result, pytree.tree_map(lambda leaf: _target(leaf, dtype), objective.targets))
    if not isinstance(loss, torch.Tensor) or loss.shape != () or not loss.is_floating_point():
        got = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, torch.Tensor) else type(loss).__name__
        raise UsageError(
            f"the loss for PyTorch gave {got}; expected one floating number: reduce it, by its mean for one"
        )
    return objective.scale * loss


def _target(leaf: Any, dtype: torch.dtype) -> Any:
    """A leaf of targets as `tensor_of` gives it; whole numbers become int64, which PyTorch's losses take as labels."""
    tensor = tensor_of(leaf, dtype)
    whole = isinstance(tensor, torch.Tensor) and not tensor.is_floating_point() and tensor.dtype != torch.bool
    return tensor.long() if whole else tensor


def tensor_of(leaf: Any, dtype: torch.dtype) -> Any:
    """An array as a tensor on the chosen device, of that precision if it is floating or complex; anything else as it
    is."""
    if not isinstance(leaf, np.ndarray | np.generic):
        return leaf
    tensor = torch.tensor(np.asarray(leaf))
    return tensor.to(place(), counterpart(tensor.dtype, dtype))
