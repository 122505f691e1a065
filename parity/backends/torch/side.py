"""A user's PyTorch network, seen through NumPy."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from parity.backends.torch.inputs import DTYPES, Tensors, given_of, loss_of
from parity.backends.torch.lazy import materialised
from parity.backends.torch.optimizers import Stepper, rates
from parity.backends.torch.overrides import PassOverrides, plain_paths
from parity.backends.torch.results import Draws, described, flattened
from parity.backends.torch.tables import TableWatch, tables
from parity.backends.torch.tape import Tape, array_of, taps
from parity.backends.torch.training.precision import strict_float32
from parity.backends.torch.units import units_of
from parity.backends.torch.widen import converted_table, copied, counterpart, in_precision, restored
from parity.checks.referee import repeats
from parity.errors import UsageError
from parity.interface.observation import Inputs, PassResult, Returned, Table
from parity.interface.packing import Packing
from parity.interface.side import Objective, Pass, Side
from parity.interface.trace import Arrays, Precision, Trajectory, call_names
from parity.interface.unit import Unit


class TorchSide(Side):
    """A PyTorch module of any kind."""

    framework = "torch"

    def __init__(self, model: nn.Module, inputs: Inputs) -> None:
        if not isinstance(model, nn.Module):
            raise UsageError(f"got {type(model).__name__} as PyTorch model; expected an nn.Module")
        self._user = materialised(model, inputs)
        self._example = inputs
        self._gelu: str | None = None
        self._copies: dict[torch.dtype, nn.Module] = {}

    @cached_property
    def units(self) -> Sequence[Unit]:
        """Layers that hold arrays."""
        started: dict[str, int] = {}
        taped = self._pass(self.native, self._example, Pass())
        for call in sorted(taped.calls, key=lambda call: call.start):
            started.setdefault(call.path, len(started))
        own = units_of(self._model(torch.float64), started)
        untied = [replace(unit, arrays=self._untied(unit)) for unit in own]
        return [unit for unit in untied if unit.arrays]

    def _untied(self, unit: Unit) -> dict[str, Packing]:
        """The arrays that are not another layer's too; that layer has them."""
        return {role: p for role, p in unit.arrays.items() if not any(name in self.ties for name in p.names)}

    @cached_property
    def native(self) -> Arrays:
        """Copies of all floating parameters and buffers, in float64."""
        named = dict(self._user.named_parameters())
        arrays = {name: t.detach().cpu().to(counterpart(t.dtype, torch.float64)) for name, t in named.items()}
        tables = {n: converted_table(t.detach().cpu(), torch.float64) for n, t in self._user.named_buffers()}
        return {n: _frozen(t.numpy().copy()) for n, t in {**arrays, **tables}.items() if _inexact(t)}

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Those that require gradients."""
        return frozenset(name for name, parameter in self._user.named_parameters() if parameter.requires_grad)

    @cached_property
    def declared(self) -> frozenset[str]:
        """All parameters."""
        return frozenset(name for name, _ in self._user.named_parameters())

    @property
    def stored(self) -> Mapping[str, str]:
        """Names of the user's dtypes."""
        named = {**dict(self._user.named_parameters()), **dict(self._user.named_buffers())}
        return {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in named.items()}

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
        result, random = self._twice(inputs, training, leaves_dropout=not training)
        noisy = random and (training or self._twice(inputs, training, leaves_dropout=False)[1])
        return Returned(described(result), self._places(inputs, training) if random else (), noisy)

    def _twice(self, inputs: Inputs, training: bool, leaves_dropout: bool) -> tuple[Any, bool]:
        """The result, and whether that of a second call is another one."""
        first, second = (self._called(inputs, training, leaves_dropout, seed) for seed in (0, 1))
        arrays = [list(map(array_of, flattened(result, torch.float32).values())) for result in (first, second)]
        return first, len(arrays[0]) != len(arrays[1]) or not all(map(repeats, *arrays))

    def _called(
        self, inputs: Inputs, training: bool, leaves_dropout: bool, seed: int, draws: Draws | None = None
    ) -> Any:
        """What the network returns in float32, with the generator at that seed; the user's is as before afterwards."""
        model = self._model(torch.float32).train(training)
        overrides = PassOverrides(torch.float32, None, self._gelu, training, leaves_dropout=leaves_dropout)
        with restored(model):
            _load(model, self.native)
            args, kwargs, _ = given_of(inputs, torch.float32, False)
            with _setting(torch.float32), overrides, draws or nullcontext(), torch.no_grad():
                torch.manual_seed(seed)
                return model(*args, **kwargs)

    def _places(self, inputs: Inputs, training: bool) -> tuple[str, ...]:
        """Where the network draws random numbers."""
        draws = Draws()
        self._called(inputs, training, not training, 0, draws)
        return tuple(draws.places) or ("a place that is not known",)

    def run(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        """One pass."""
        return self._pass(native, inputs, how)

    def tables(self, inputs: Inputs, held: Sequence[str]) -> list[Table]:
        """What meets, in evaluation, the inputs or what depends on them."""
        return tables(self._watched(inputs, held, TableWatch()), self._watched(inputs, held, TableWatch(moves=True)))

    def _watched(self, inputs: Inputs, held: Sequence[str], watch: TableWatch) -> TableWatch:
        """The watch, after a forward pass in float64."""
        model = self._model(torch.float64).eval()
        with restored(model):
            _load(model, self.native)
            for name, buffer in model.named_buffers():
                watch.held(buffer if name in held else None)
            for module in model.modules():
                for value in list(vars(module).values()):
                    watch.held(value)
            args, kwargs, _ = given_of(inputs, torch.float64, False)
            overrides = PassOverrides(torch.float64, None, self._gelu, False, watch=watch)
            with _setting(torch.float64), overrides, watch.of_numpy(), torch.no_grad():
                model(*args, **kwargs)
        return watch

    def _model(self, dtype: torch.dtype) -> nn.Module:
        if dtype not in self._copies:
            model = in_precision(self._user, dtype)
            for module in model.modules():
                if isinstance(module, nn.RNNBase):
                    module.dropout = 0.0
            self._copies[dtype] = model
        return self._copies[dtype]

    def _pass(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        dtype = DTYPES[how.precision]
        model = self._model(dtype).train(how.training)
        with restored(model):
            return self._passed(model, native, inputs, how)

    def _passed(self, model: nn.Module, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        dtype, wanted = DTYPES[how.precision], how.pulls
        _load(model, native)
        learnable = {name: p for name, p in model.named_parameters() if _inexact(p) and name in native}
        for parameter in learnable.values():
            parameter.requires_grad_(wanted)
        args, kwargs, given = given_of(inputs, dtype, wanted)
        with (
            _setting(dtype),
            PassOverrides(dtype, how.mask, self._gelu, how.training) as mode,
            taps(model, how.capture, how.feeds) as tape,
            torch.set_grad_enabled(wanted),
        ):
            result = model(*args, **kwargs)
            outputs = flattened(result, dtype)
            loss = None if how.objective is None else loss_of(how.objective, result, dtype)
        ends = list(_ends(outputs, loss, how.cotangents or {}))
        sources = [*learnable.values(), *given.values(), *(t for e in tape for t in e.outputs if t.requires_grad)]
        pulled = _pull(ends, sources) if wanted else {}
        buffers = dict(model.named_buffers())
        return PassResult(
            outputs={name: array_of(tensor) for name, tensor in outputs.items()},
            calls=tuple(entry.call(pulled) for entry in tape),
            buffers={name: array_of(buffers[name]).copy() for name in native if name in buffers},
            parameter_gradients=_pulled(pulled, learnable) if wanted else {},
            input_gradients=_pulled(pulled, given) if wanted else {},
            dropouts=tuple(mode.dropouts),
            narrow=_narrow(tape, dtype),
            gelus=tuple(mode.gelus),
            undone=tuple(dict.fromkeys(mode.casts)),
            loss=None if loss is None else array_of(loss),
        )

    def train(
        self,
        native: Mapping[str, NDArray],
        inputs: Sequence[Inputs],
        targets: Sequence[Arrays],
        optimizer: Any,
        objective: Objective | None = None,
    ) -> Trajectory:
        """Float64 training steps."""
        model = copied(self._model(torch.float64)).train()
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in self.parameters)
        _load(model, native)
        own, losses = self._stepper(optimizer, model), []
        for batch, target in zip(inputs, targets, strict=True):
            args, kwargs, _ = given_of(batch, torch.float64, False)
            with _setting(torch.float64), PassOverrides(torch.float64, None, self._gelu):
                result = model(*args, **kwargs)
                loss = loss_of(objective, result, torch.float64) if objective else _distance(result, target)
                own.zero_grad()
                loss.backward()
                own.step()
            losses.append(loss.item())
        after = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        return Trajectory(np.array(losses), {name: array_of(after[name]).copy() for name in native})

    def _stepper(self, optimizer: Any, model: nn.Module) -> Stepper:
        """The same optimizer over a copy's parameters, group by group."""
        return Stepper(optimizer, self._groups(optimizer, dict(model.named_parameters())))

    def _groups(self, optimizer: Any, tensors: Mapping[str, torch.Tensor]) -> list[dict[str, Any]]:
        """The optimizer's groups with tensors in the place of the user's parameters of the same names.

        Raises:
            UsageError: none of them is the network's.
        """
        names = {id(parameter): name for name, parameter in self._user.named_parameters()}
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
        """Feed a stream of gradients to the optimizer alone."""
        tensors = {n: _tensor(a, DTYPES[precision]).requires_grad_() for n, a in parameters.items()}
        if tensors.keys() <= self.declared:
            own = Stepper(optimizer, self._groups(optimizer, tensors))
        else:
            own = Stepper(optimizer, [{**_groups(optimizer)[0], "params": list(tensors.values())}])
        seen = []
        for given in gradients:
            for name, tensor in tensors.items():
                tensor.grad = torch.tensor(given[name], dtype=tensor.dtype)
            with _setting(DTYPES[precision]), PassOverrides(DTYPES[precision], None):
                own.step()
            seen.append({name: array_of(tensor).copy() for name, tensor in tensors.items()})
        return seen

    def rates(self, schedule: Any, steps: int, precision: Precision) -> NDArray:
        """PyTorch computes them in Python's float64; in float32 they are these, rounded."""
        return rates(schedule, steps).astype(precision)

    def undo(self, eps: Mapping[str, float], gelu: str | None) -> "TorchSide":
        """The same network with other epsilons and another form of GELU."""
        other = TorchSide(copied(self._user), self._example)
        other._gelu = gelu or self._gelu
        for path, value in eps.items():
            setattr(other._user.get_submodule(path), "eps", value)  # noqa: B010 - mypy takes it for a tensor
        return other

    def adopt(self, native: Mapping[str, NDArray]) -> nn.Module:
        """A copy of the user's network that holds these arrays."""
        model = copied(self._user)
        _load(model, native)
        return model


@contextmanager
def _setting(dtype: torch.dtype) -> Iterator[None]:
    with strict_float32(), plain_paths(dtype), torch.random.fork_rng(devices=[]):
        yield


End = tuple[torch.Tensor, torch.Tensor]


def _ends(outputs: Tensors, loss: torch.Tensor | None, cotangents: Mapping[str, NDArray]) -> Iterator[End]:
    """What is differentiated, with its cotangent: the loss, or the outputs."""
    if loss is not None:
        yield loss, torch.ones_like(loss)
        return
    yield from ((outputs[name], torch.tensor(c, dtype=outputs[name].dtype)) for name, c in cotangents.items())


def _pull(ends: Sequence[End], sources: Sequence[torch.Tensor]) -> dict[int, torch.Tensor]:
    """Pull-back of the cotangents to each source, by identity."""
    ends = [(end, cotangent) for end, cotangent in ends if end.requires_grad]
    if not ends:
        return {}
    found = torch.autograd.grad([o for o, _ in ends], sources, [c for _, c in ends], allow_unused=True)
    return {id(source): g for source, g in zip(sources, found, strict=True) if g is not None}


def _pulled(pulled: Mapping[int, torch.Tensor], sources: Mapping[str, torch.Tensor]) -> Arrays:
    return {n: array_of(pulled[id(t)]) if id(t) in pulled else np.zeros(t.shape) for n, t in sources.items()}


def _narrow(tape: Tape, dtype: torch.dtype) -> dict[str, str]:
    """Calls whose results are of a narrower floating type than the pass's."""
    bits, found = torch.finfo(dtype).bits, {}
    for name, entry in zip(call_names([entry.path for entry in tape]), tape, strict=True):
        for tensor in entry.outputs:
            if _floats(tensor) and torch.finfo(tensor.dtype).bits < bits:
                found[name] = str(tensor.dtype).removeprefix("torch.")
    return found


def _distance(result: Any, targets: Mapping[str, NDArray]) -> torch.Tensor:
    """Mean of the squared distances of the floating output leaves from the targets."""
    outputs = {name: t for name, t in flattened(result, torch.float64).items() if _floats(t)}
    squares = [(outputs[name] - torch.tensor(target)).square().flatten() for name, target in targets.items()]
    return torch.cat(squares).mean()


def _groups(optimizer: Any) -> list[dict[str, Any]]:
    """Parameter groups of an optimizer, which may come in a tuple with its scheduler."""
    return (optimizer[0] if isinstance(optimizer, tuple) else optimizer).param_groups


def _load(model: nn.Module, native: Mapping[str, NDArray]) -> None:
    own = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    with torch.no_grad():
        for name, array in native.items():
            own[name].copy_(torch.tensor(array))


def _tensor(array: NDArray, precision: torch.dtype) -> torch.Tensor:
    tensor = torch.tensor(array)
    return tensor.to(counterpart(tensor.dtype, precision))


def _inexact(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _floats(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point()


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
