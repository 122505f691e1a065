"""Copies of a user's PyTorch network, which is never changed itself."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from parity.backends.torch.inputs import given_of, inexact
from parity.backends.torch.tracing.place import place
from parity.backends.torch.tracing.widen import converted_table, copied, counterpart, in_precision
from parity.interface.observation import Inputs, Noise
from parity.interface.trace import Arrays


class Copies:
    """A user's network, and a copy of it in each precision.

    Args:
        user: the network; all its arrays have a size.
        gelu: form of every GELU in passes over the copies, "exact" or "tanh"; None leaves them.
        noise: numbers of the network's draws that are no dropout; None lets it draw them.
    """

    def __init__(self, user: nn.Module, gelu: str | None = None, noise: Noise | None = None) -> None:
        self.user, self.gelu, self.noise = user, gelu, noise
        self._copies: dict[torch.dtype, nn.Module] = {}

    @cached_property
    def native(self) -> Arrays:
        """Copies of all floating parameters and buffers, in float64."""
        named = dict(self.user.named_parameters())
        arrays = {name: t.detach().cpu().to(counterpart(t.dtype, torch.float64)) for name, t in named.items()}
        tables = {n: converted_table(t.detach().cpu(), torch.float64) for n, t in self.user.named_buffers()}
        return {n: _frozen(t.numpy().copy()) for n, t in {**arrays, **tables}.items() if inexact(t)}

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Names of the parameters that require gradients."""
        return frozenset(name for name, parameter in self.user.named_parameters() if parameter.requires_grad)

    @cached_property
    def declared(self) -> frozenset[str]:
        """Names of all parameters."""
        return frozenset(name for name, _ in self.user.named_parameters())

    def model(self, dtype: torch.dtype) -> nn.Module:
        """The copy in that precision, whose recurrent layers drop nothing; whoever runs it restores it."""
        if dtype not in self._copies:
            model = in_precision(self.user, dtype)
            for module in model.modules():
                if isinstance(module, nn.RNNBase):
                    module.dropout = 0.0
            self._copies[dtype] = model
        return self._copies[dtype]


def load(model: nn.Module, native: Mapping[str, NDArray]) -> None:
    """Let a network hold these arrays."""
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    with torch.no_grad():
        for name, array in native.items():
            tensors[name].copy_(torch.tensor(array))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def materialised(model: nn.Module, inputs: Inputs) -> nn.Module:
    """The network, or where some of its arrays have no size yet a copy of it that was run once.

    Args:
        model: the user's network, which is not changed.
        inputs: an example.
    """
    if not any(_has_no_size(tensor) for tensor in (*model.parameters(), *model.buffers())):
        return model
    model = copied(model).to(place())
    args, kwargs, _ = given_of(inputs, torch.float32, False)
    was_training = model.training
    with torch.no_grad():
        model.eval()(*args, **kwargs)
    return model.train(was_training)


def _has_no_size(tensor: Any) -> bool:
    return bool(nn.parameter.is_lazy(tensor))
