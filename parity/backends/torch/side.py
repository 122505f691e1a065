"""A user's PyTorch network, seen through NumPy."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from parity.backends.torch.accepted import accepted
from parity.backends.torch.copies import Copies, load, materialised
from parity.backends.torch.optimizers import rates
from parity.backends.torch.passes import Passes
from parity.backends.torch.programs.program import program
from parity.backends.torch.spectral import iterate_as_flax
from parity.backends.torch.steps import Steps
from parity.backends.torch.tracing.widen import copied
from parity.backends.torch.units import units_of
from parity.interface.observation import Inputs, Noise, PassResult, Returned, Table
from parity.interface.packing import Packing
from parity.interface.programs.program import Program
from parity.interface.side import Pass, Side
from parity.interface.sides.functions import Place, functions_of
from parity.interface.sides.trained import Objective
from parity.interface.trace import Arrays, Precision, Trajectory
from parity.interface.unit import Unit


class TorchSide(Side):
    """A PyTorch module of any kind.

    Args:
        model: the module.
        inputs: an example, already in this side's own layout and order.
        gelu: form of every GELU in what is run, "exact" or "tanh"; None leaves them.
        noise: numbers of the network's draws that are no dropout; None lets it draw them.
    """

    framework = "torch"

    def __init__(
        self, model: nn.Module, inputs: Inputs, *, gelu: str | None = None, noise: Noise | None = None
    ) -> None:
        self._user = materialised(accepted(model), inputs)
        self._example = inputs
        self._copies = Copies(self._user, gelu, noise)
        self._passes, self._steps = Passes(self._copies), Steps(self._copies)

    @cached_property
    def units(self) -> Sequence[Unit]:
        """Layers that hold arrays."""
        started: dict[str, int] = {}
        taped = self._passes.run(self.native, self._example, Pass())
        for call in sorted(taped.calls, key=lambda call: call.start):
            started.setdefault(call.path, len(started))
        layers = units_of(self._copies.model(torch.float64), started)
        untied = [replace(unit, arrays=self._untied(unit)) for unit in layers]
        return [unit for unit in untied if unit.arrays]

    def _untied(self, unit: Unit) -> dict[str, Packing]:
        """The arrays that are not another layer's too; that layer has them."""
        return {role: p for role, p in unit.arrays.items() if not any(name in self.ties for name in p.names)}

    @property
    def native(self) -> Arrays:
        """Copies of all floating parameters and buffers, in float64."""
        return self._copies.native

    @property
    def parameters(self) -> frozenset[str]:
        """Those that require gradients."""
        return self._copies.parameters

    @property
    def declared(self) -> frozenset[str]:
        """All parameters."""
        return self._copies.declared

    @property
    def stored(self) -> Mapping[str, str]:
        """Names of the user's dtypes."""
        named = {**dict(self._user.named_parameters()), **dict(self._user.named_buffers())}
        return {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in named.items()}

    @property
    def unsaved(self) -> frozenset[str]:
        """Buffers that are not persistent."""
        return frozenset(name for name, _ in self._user.named_buffers()) - self._user.state_dict().keys()

    @property
    def functions(self) -> Sequence[Place]:
        """Those of every module."""
        return functions_of(self._user.modules())

    def standing(self, name: str) -> str:
        """PyTorch declares a parameter that requires gradients, one that does not, or a buffer."""
        if name in self.parameters:
            return "is trained"
        return "is frozen (requires_grad=False)" if name in self.declared else "is a buffer"

    @cached_property
    def ties(self) -> Mapping[str, str]:
        """Second names of parameters that have several."""
        first = {id(parameter): name for name, parameter in self._user.named_parameters()}
        every = self._user.named_parameters(remove_duplicate=False)
        return {name: first[id(p)] for name, p in every if first[id(p)] != name}

    @property
    def default_precision(self) -> tuple[bool, str]:
        """What PyTorch's switches ask for; convolutions may use TF32 on a GPU unless they are told not to."""
        products, gpu = torch.get_float32_matmul_precision(), torch.cuda.is_available()
        convolutions = "TF32" if gpu and torch.backends.cudnn.allow_tf32 else "float32"
        strict = products == "highest" and convolutions == "float32"
        return strict, f"float32_matmul_precision {products}, convolutions in {convolutions}"

    def returned(self, inputs: Inputs, training: bool = False) -> Returned:
        """What the network returns, and whether it is the same when it is called twice."""
        return self._passes.returned(inputs, training)

    def run(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        """One pass."""
        return self._passes.run(native, inputs, how)

    def program(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> Program:
        """One pass, operation by operation as the network asks PyTorch for them."""
        return program(self._copies, native, inputs, how)

    def tables(self, inputs: Inputs, held: Sequence[str]) -> list[Table]:
        """What meets, in evaluation, the inputs or what depends on them."""
        return self._passes.tables(inputs, held)

    def share(self, noise: Noise) -> None:
        """Gives the draws of passes and of training these numbers."""
        self._copies.noise = noise

    def train(
        self,
        native: Mapping[str, NDArray],
        inputs: Sequence[Inputs],
        targets: Sequence[Arrays],
        optimizer: Any,
        objective: Objective | None = None,
    ) -> Trajectory:
        """Float64 training steps."""
        return self._steps.train(native, inputs, targets, optimizer, objective)

    def update(
        self,
        optimizer: Any,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        precision: Precision,
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone."""
        return self._steps.update(optimizer, parameters, gradients, precision)

    def rates(self, schedule: Any, steps: int, precision: Precision) -> NDArray:
        """PyTorch computes them in Python's float64; in float32 they are these, rounded."""
        return rates(schedule, steps).astype(precision)

    def undo(self, eps: Mapping[str, float], gelu: str | None, power: Mapping[str, tuple[int, float]]) -> "TorchSide":
        """The same network with other epsilons, another form of GELU, and Flax's power iteration."""
        gelu, noise = gelu or self._copies.gelu, self._copies.noise
        other = TorchSide(copied(self._user), self._example, gelu=gelu, noise=noise)
        for path, value in eps.items():
            setattr(other._user.get_submodule(path), "eps", value)  # noqa: B010 - mypy takes it for a tensor
        for path, (steps, least) in power.items():
            iterate_as_flax(other._user.get_submodule(path), steps, least)
        return other

    def adopt(self, native: Mapping[str, NDArray]) -> nn.Module:
        """A copy of the user's network that holds these arrays."""
        model = copied(self._user)
        load(model, native)
        return model
