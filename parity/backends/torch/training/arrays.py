"""PyTorch's tensors as NumPy arrays and back; images and activations (B, H, W, C) here are (B, C, H, W) there."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def array_of(tensor: torch.Tensor) -> NDArray[Any]:
    """The array of a result that nothing will change, without copying it where it is on the CPU."""
    return tensor.detach().cpu().numpy()


def copy_of(tensor: torch.Tensor) -> NDArray[Any]:
    """A copy of what a later step may change."""
    return np.array(array_of(tensor))


def nhwc(tensor: torch.Tensor) -> NDArray[Any]:
    """The array of an activation, with channels last where it is four-dimensional."""
    array = array_of(tensor)
    return np.ascontiguousarray(np.moveaxis(array, 1, -1)) if array.ndim == 4 else array


def nchw(array: NDArray[Any]) -> NDArray[Any]:
    """The array with channels second where it is four-dimensional."""
    return np.ascontiguousarray(np.moveaxis(array, -1, 1) if array.ndim == 4 else array)


def laid_out_as(parameter: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """The gradient in the parameter's order of memory, as `backward()` leaves it and `torch.autograd.grad` does not.

    PyTorch's fused optimizers read both from memory as they lie, and so give one element another's gradient where the
    orders differ: measured with torch 2.13's fused Adam on the CPU.
    """
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter, requires_grad=False).copy_(gradient)
