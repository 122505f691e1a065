"""Networks whose layers learn their sizes from what they are given first."""

from typing import Any

import torch
from torch import nn

from parity.backends.torch.inputs import given_of
from parity.backends.torch.widen import copied
from parity.interface.observation import Inputs


def materialised(model: nn.Module, inputs: Inputs) -> nn.Module:
    """The network, or where some of its arrays have no size yet a copy of it that was run once.

    Args:
        model: the user's network, which is not changed.
        inputs: an example.
    """
    if not any(_has_no_size(tensor) for tensor in (*model.parameters(), *model.buffers())):
        return model
    model = copied(model).cpu()
    args, kwargs, _ = given_of(inputs, torch.float32, False)
    was_training = model.training
    with torch.no_grad():
        model.eval()(*args, **kwargs)
    return model.train(was_training)


def _has_no_size(tensor: Any) -> bool:
    return bool(nn.parameter.is_lazy(tensor))
