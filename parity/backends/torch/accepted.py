"""What is taken as a PyTorch network: modules whose numbers and code can be followed."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from parity.errors import UsageError
from parity.interface.user_code import kind_of

WRAPPERS = {"OptimizedModule": "_orig_mod", "DataParallel": "module", "DistributedDataParallel": "module"}
"""Name of a class of PyTorch's that only runs another module in its own way → the attribute that holds that one."""


def accepted(model: Any) -> nn.Module:
    """The module that a check runs: what `torch.compile` or `DataParallel` wraps, else the model itself.

    Raises:
        UsageError: It is no module, or one that cannot be run with other weights in float64.
    """
    while type(model).__name__ in WRAPPERS and type(model).__module__.startswith("torch."):
        model = getattr(model, WRAPPERS[type(model).__name__])
    if not isinstance(model, nn.Module):
        hint = f": make one, {model.__name__}(…)" if isinstance(model, type) else ""
        raise UsageError(f"got {kind_of(model)} as PyTorch model; expected an nn.Module{hint}")
    for reason in _hindrances(model):
        raise UsageError(reason)
    return model


def _hindrances(model: nn.Module) -> Iterator[str]:
    """Sentences that say why the network cannot be compared, and what to do."""
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_meta:
            yield (
                f"got PyTorch's {name} on the meta device, where it holds no numbers; expected numbers: load weights, "
                'or call model.to_empty(device="cpu") and initialise them'
            )
    known = {id(module) for module in model.modules()}
    for name, module in model.named_modules():
        where = f"PyTorch's {name or 'network'} ({type(module).__name__})"
        if isinstance(module, torch.jit.ScriptModule):
            yield f"{where} is scripted or traced, which cannot be followed; give the nn.Module that it was made of"
        if ".quantized." in f"{type(module).__module__}.":
            yield f"{where} is quantised, which has no float64; compare the network before it is quantised"
        for attribute, value in vars(module).items():
            if not attribute.startswith("_") and _hides_modules(value, known):
                yield (
                    f"{where} holds modules in a plain {type(value).__name__} at {attribute}: PyTorch does not know "
                    "their parameters, which are not trained or saved; write nn.ModuleList or nn.ModuleDict"
                )


def _hides_modules(value: Any, known: set[int]) -> bool:
    """Whether a list, tuple or dictionary holds modules with parameters that the network does not know."""
    if type(value) not in (list, tuple, dict):
        return False
    items = value.values() if isinstance(value, dict) else value
    hidden = [item for item in items if isinstance(item, nn.Module) and id(item) not in known]
    return any(True for module in hidden for _ in module.parameters())
