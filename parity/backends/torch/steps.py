"""Steps of training over a user's PyTorch network, and of its optimizer alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from parity.backends.torch.copies import Copies, load
from parity.backends.torch.inputs import DTYPES, given_of, loss_of, tensor_of
from parity.backends.torch.optimizers import Group, Stepper
from parity.backends.torch.passes import setting
from parity.backends.torch.results import flattened
from parity.backends.torch.tracing.overrides import PassOverrides
from parity.backends.torch.tracing.place import place
from parity.backends.torch.tracing.tape import array_of
from parity.backends.torch.tracing.widen import copied
from parity.errors import UsageError
from parity.interface.observation import Inputs
from parity.interface.sides.trained import Objective
from parity.interface.trace import Arrays, Precision, Trajectory


class Steps:
    """Steps that change a network's arrays.

    Args:
        copies: the network.
    """

    def __init__(self, copies: Copies) -> None:
        self._copies = copies

    def train(
        self,
        native: Mapping[str, NDArray],
        inputs: Sequence[Inputs],
        targets: Sequence[Arrays],
        optimizer: Any,
        objective: Objective | None,
    ) -> Trajectory:
        """Float64 training steps, as `Side.train` has them."""
        model = copied(self._copies.model(torch.float64)).train()
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in self._copies.parameters)
        load(model, native)
        stepper, losses = Stepper(optimizer, self._groups(optimizer, dict(model.named_parameters()))), []
        for batch, target in zip(inputs, targets, strict=True):
            args, kwargs, _ = given_of(batch, torch.float64, False)
            overrides = PassOverrides(torch.float64, None, self._copies.gelu, noise=self._copies.noise)
            with setting(torch.float64), overrides:
                result = model(*args, **kwargs)
                loss = loss_of(objective, result, torch.float64) if objective else _distance(result, target)
                stepper.zero_grad()
                loss.backward()
                stepper.step()
            losses.append(loss.item())
        after = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        return Trajectory(np.array(losses), {name: array_of(after[name]).copy() for name in native})

    def _groups(self, optimizer: Any, tensors: Mapping[str, torch.Tensor]) -> list[Group]:
        """The optimizer's groups with tensors in the place of the user's parameters of the same names.

        Raises:
            UsageError: none of them is the network's.
        """
        names = {id(parameter): name for name, parameter in self._copies.user.named_parameters()}
        if not any(id(parameter) in names for group in _groups(optimizer) for parameter in group["params"]):
            raise UsageError(
                "the PyTorch optimizer holds none of the network's parameters; make it of torch_model.parameters()"
            )
        return [
            {**group, "params": [tensors[n] for p in group["params"] if (n := names.get(id(p), "")) in tensors]}
            for group in _groups(optimizer)
        ]

    def update(
        self,
        optimizer: Any,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        precision: Precision,
    ) -> list[Arrays]:
        """Parameters after every step of the optimizer alone, as `Side.update` has them."""
        tensors = {n: tensor_of(a, DTYPES[precision]).requires_grad_() for n, a in parameters.items()}
        if tensors.keys() <= self._copies.declared:
            groups = self._groups(optimizer, tensors)
        else:
            groups = [{**_groups(optimizer)[0], "params": list(tensors.values())}]
        stepper, steps = Stepper(optimizer, groups), []
        for gradient in gradients:
            for name, tensor in tensors.items():
                tensor.grad = torch.tensor(gradient[name], dtype=tensor.dtype, device=tensor.device)
            with setting(DTYPES[precision]), PassOverrides(DTYPES[precision], None):
                stepper.step()
            steps.append({name: array_of(tensor).copy() for name, tensor in tensors.items()})
        return steps


def _groups(optimizer: Any) -> list[Group]:
    """Parameter groups of an optimizer, which may come in a tuple with its scheduler."""
    return (optimizer[0] if isinstance(optimizer, tuple) else optimizer).param_groups


def _distance(result: Any, targets: Mapping[str, NDArray]) -> torch.Tensor:
    """Mean of the squared distances of the floating output leaves from the targets."""
    outputs = {name: t for name, t in flattened(result, torch.float64).items() if t.is_floating_point()}
    squares = [
        (outputs[name] - torch.tensor(target, device=place())).square().flatten() for name, target in targets.items()
    ]
    return torch.cat(squares).mean()
