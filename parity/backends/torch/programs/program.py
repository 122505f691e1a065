"""A recorded pass of a PyTorch network, whose operations can be computed again."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils._pytree import tree_leaves

from parity.backends.torch.copies import Copies, load
from parity.backends.torch.inputs import DTYPES, given_of, loss_of
from parity.backends.torch.passes import setting
from parity.backends.torch.programs.pulls import pulled
from parity.backends.torch.programs.recorder import ITERATED, Recorded, Recorder
from parity.backends.torch.results import flattened
from parity.backends.torch.tracing.overrides import PassOverrides
from parity.backends.torch.tracing.place import place
from parity.backends.torch.tracing.tape import array_of
from parity.backends.torch.tracing.widen import restored
from parity.interface.observation import Inputs
from parity.interface.programs.operations import Kind, Values
from parity.interface.programs.program import Program, Pull
from parity.interface.side import Pass
from parity.interface.tree import leaves

WIDE = DTYPES["float64"]


class TorchProgram(Program):
    """One recorded pass."""

    def __init__(self, recorded: Recorded, origins: Mapping[int, tuple[Kind, str]], named: Values) -> None:
        super().__init__([each for each, _, _ in recorded.operations], origins, recorded.calls, named)
        self._recorded = recorded

    @contextmanager
    def running(self) -> Iterator[None]:
        """No gradients; new tensors are float64."""
        with setting(WIDE), torch.no_grad():
            yield

    def run_one(
        self, number: int, operands: Sequence[torch.Tensor], settings: Mapping[str, Any]
    ) -> Sequence[torch.Tensor]:
        """What the call gives; what it changes in its place is a copy."""
        _, call, changed = self._recorded.operations[number]
        tensors = [t.clone() if place in changed else t for place, t in enumerate(operands)]
        result = call.again(tensors, settings)
        items = list(result) if call.func is ITERATED else result
        made = [t for t in tree_leaves(items) if isinstance(t, torch.Tensor)]
        fresh = [t for t in made if not any(t is tensors[place] for place in changed)]
        return [*fresh, *(tensors[place] for place in changed)]

    def pull(self, number: int) -> Pull:
        """How gradients go back through the call, or through the user's function that it is part of."""
        return pulled(self, self._recorded, number)

    def given_array(self, value: int) -> torch.Tensor:
        """Give the tensor as it was when it was first used."""
        return self._recorded.tensors[value]

    def as_numpy(self, array: torch.Tensor) -> NDArray:
        """Give the tensor in NumPy, as in the results of a pass."""
        return array_of(array)

    def as_native(self, array: NDArray) -> torch.Tensor:
        """A tensor of its own."""
        return torch.tensor(array, device=place())


def program(copies: Copies, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> TorchProgram:
    """Run one pass in float64 and record it."""
    model = copies.model(WIDE).train(how.training)
    recorder = Recorder(how.derivatives)
    with restored(model), torch.no_grad():
        load(model, native)
        args, kwargs, _ = given_of(inputs, WIDE, False)
        names = _names(model, recorder, args, kwargs)
        overrides = PassOverrides(WIDE, how.mask, copies.gelu, how.training)
        with setting(WIDE), torch.set_grad_enabled(how.derivatives), recorder, overrides, recorder.of_calls(model):
            result = model(*args, **kwargs)
            outputs = flattened(result, WIDE)
            loss = None if how.objective is None else loss_of(how.objective, result, WIDE)
        recorder.close()
        named = Values(
            {name: recorder.number(tensor) for name, tensor in outputs.items()},
            {name: recorder.number(b) for name, b in model.named_buffers() if name in native},
            None if loss is None else recorder.number(loss),
        )
    recorded = recorder.recorded
    origins = {number: names.get(number, ("constant", "")) for number in recorded.tensors}
    return TorchProgram(recorded, origins, named)


def _names(model: nn.Module, recorder: Recorder, args: Any, kwargs: Any) -> dict[int, tuple[Kind, str]]:
    """Number of each array of the network and of each input → what it is, and its name."""
    inputs = [(name, t) for name, t in (*leaves(args), *leaves(kwargs)) if isinstance(t, torch.Tensor)]
    names: dict[int, tuple[Kind, str]] = {recorder.number(tensor): ("input", name) for name, tensor in inputs}
    arrays = (*model.named_parameters(), *model.named_buffers())
    return names | {recorder.number(tensor): ("array", name) for name, tensor in arrays}
