"""PyTorch networks, seen through NumPy."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import torchnets
from parity.backends.torch.compiled import CompiledTorchSession, is_small
from parity.backends.torch.parallel import ParallelTorchSession
from parity.backends.torch.session import TorchSession
from parity.data import Batch
from parity.errors import UsageError
from parity.interface.trace import Arrays, Gradients, Precision, Probe, Reading, Trace, call_names, call_path
from parity.interface.twin import Config, Twin, in_setting
from parity.recipes import Optimizer
from parity.weights import WITHOUT_TWIN, Kind, from_canonical, shapes_of, to_canonical
from torchnets import losses, optimizers

KINDS: dict[type, Kind] = {nn.Linear: "dense", nn.Conv2d: "conv", nn.BatchNorm2d: "norm", nn.SyncBatchNorm: "norm"}
Tensors = dict[str, torch.Tensor]


class TorchTwin(Twin):
    """A PyTorch network. The joint turns NHWC images and activations into NCHW and back."""

    framework = "torch"

    def __init__(self, model: nn.Module, *, precision: Precision = "float64", device: str = "cpu") -> None:
        super().__init__(model, precision=precision, device=device)
        self.torch_device = _device(device)
        self.dtype = {"float32": torch.float32, "float64": torch.float64}[precision]
        self.model = copy.deepcopy(model).to(self.torch_device, self.dtype)

    def setting(self) -> AbstractContextManager[None]:
        """No TF32 or bfloat16 in matrix products and convolutions."""
        return strict_float32()

    # Construction and weights

    @classmethod
    def build(cls, network: str, config: Config, *, seed: int | None = None, init: str = "default") -> nn.Module:
        """Construct `torchnets.<network>`."""
        return getattr(torchnets, network)(**config, init=init, generator=torch.Generator().manual_seed(seed or 0))

    @classmethod
    def draw(cls, network: str, config: Config, *, seeds: Sequence[int], init: str) -> Arrays:
        """Initial weights of every seed."""
        draws = [_canonical_of(cls.build(network, config, seed=seed, init=init)) for seed in seeds]
        return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter and buffer by canonical name."""
        return shapes_of({name: tuple(t.shape) for name, t in _native(self.model).items()}, _kinds(self.model), "torch")

    def weights(self) -> Arrays:
        """Copies of all parameters and buffers."""
        return _canonical_of(self.model)

    def _load(self, weights: Mapping[str, NDArray]) -> None:
        native = self.import_weights(weights)
        own = self.model.state_dict()
        new = {name: self.tensor(array) for name, array in native.items()}
        counters = {n: torch.zeros_like(t) for n, t in own.items() if n.rpartition(".")[2] in WITHOUT_TWIN}
        self.model.load_state_dict({**new, **counters})

    def import_weights(self, weights: Mapping[str, NDArray]) -> Arrays:
        """Canonical weights in PyTorch's names and layouts."""
        return from_canonical(weights, _kinds(self.model), "torch")

    def canonical(self, native: Mapping[str, torch.Tensor]) -> Arrays:
        """PyTorch's tensors under canonical names, in canonical layouts."""
        return to_canonical({name: _array(t) for name, t in native.items()}, _kinds(self.model), "torch")

    # The network as functions

    def tensor(self, array: NDArray) -> torch.Tensor:
        """A copy of the array at the twin's precision."""
        return torch.tensor(array, dtype=self.dtype, device=self.torch_device)

    def _inputs(self, x: NDArray) -> torch.Tensor:
        return self.tensor(_to_nchw(x)).contiguous()

    def _labels(self, batch: Batch) -> torch.Tensor:
        return torch.tensor(batch.labels, dtype=torch.int64, device=self.torch_device)

    def _learnable(self) -> Tensors:
        return dict(self.model.named_parameters())

    @contextmanager
    def _mode(self, training: bool) -> Iterator[Tensors]:
        """Set the mode and lend copies of the buffers, which a pass may change."""
        before = self.model.training
        self.model.train(training)
        try:
            yield {name: buffer.clone() for name, buffer in self.model.named_buffers()}
        finally:
            self.model.train(before)

    def _call(self, buffers: Tensors, x: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(self.model, buffers, (x,))

    def loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss that is trained on."""
        return losses.cross_entropy(logits, labels)

    def training_gradients(self, loss: torch.Tensor, parameters: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """The gradients as the optimizer gets them."""
        return list(torch.autograd.grad(loss, parameters))

    # What the checks ask for

    @in_setting
    def forward(self, inputs: NDArray, *, training: bool) -> NDArray:
        """Logits, with nothing captured."""
        with self._mode(training) as buffers, torch.no_grad():
            return _array(self._call(buffers, self._inputs(inputs)))

    @in_setting
    def trace(self, batch: Batch, cotangent: NDArray, *, training: bool) -> Trace:
        """One pass with every layer's output, loss and gradients captured."""
        x = self._inputs(batch.inputs).requires_grad_()
        learnable = self._learnable()
        with self._mode(training) as buffers, _taps(self.model) as calls:
            logits = self._call(buffers, x)
        names = call_names([path for path, _, _ in calls])
        outputs = [output for _, _, output in calls]
        pulled = torch.autograd.grad(
            logits, [x, *outputs, *learnable.values()], self.tensor(cotangent), retain_graph=True
        )
        loss = self.loss(logits, self._labels(batch))
        training_gradients = self.training_gradients(loss, list(learnable.values())) if training else []
        own = pulled[1 + len(calls) :]
        gradients = Gradients(
            parameters=self.canonical(dict(zip(learnable, own, strict=True))),
            input=_nhwc(pulled[0]),
            outputs={name: _nhwc(g) for name, g in zip(names, pulled[1 : 1 + len(calls)], strict=True)},
        )
        return Trace(
            outputs={name: _nhwc(output) for name, output in zip(names, outputs, strict=True)},
            inputs={name: _nhwc(given) for name, (_, given, _) in zip(names, calls, strict=True)},
            gradients=gradients,
            loss=_array(loss),
            training_gradients=self.canonical(dict(zip(learnable, training_gradients, strict=training))),
            buffers=self.canonical(buffers),
        )

    @in_setting
    def isolate(self, probes: Mapping[str, Probe], *, training: bool) -> dict[str, Reading]:
        """Each call alone."""
        return {call: self._isolated(call_path(call), probe, training) for call, probe in probes.items()}

    def _isolated(self, path: str, probe: Probe, training: bool) -> Reading:
        module = self.model.get_submodule(path)
        own = {name: p for name, p in self._learnable().items() if name.rpartition(".")[0] == path}
        x = self._inputs(probe.input).requires_grad_()
        with self._mode(training) as buffers:
            prefix = f"{path}." if path else ""
            inner = {name.removeprefix(prefix): b for name, b in buffers.items() if name.startswith(prefix)}
            output = torch.func.functional_call(module, inner, (x,))
        gradients = torch.autograd.grad(output, [x, *own.values()], self._inputs(probe.cotangent))
        return Reading(_nhwc(output), _nhwc(gradients[0]), self.canonical(dict(zip(own, gradients[1:], strict=True))))

    @in_setting
    def state(self, batches: Sequence[Batch]) -> tuple[Arrays, NDArray]:
        """Buffers after a training-mode pass over each batch, then the logits of the last in evaluation mode."""
        with self._mode(True) as buffers, torch.no_grad():
            for batch in batches:
                x = self._inputs(batch.inputs)
                self._call(buffers, x)
        with self._mode(False), torch.no_grad():
            logits = self._call(buffers, x)
        return self.canonical(buffers), _array(logits)

    def optimizer(self, parameters: Sequence[torch.Tensor], spec: Optimizer) -> torch.optim.Optimizer:
        """The recipe's optimizer, without its clipping."""
        if spec.kind == "adam":
            return optimizers.adam(
                parameters, spec.learning_rate, betas=spec.betas, eps=spec.eps, weight_decay=spec.weight_decay
            )
        if spec.kind == "rmsprop":
            return optimizers.rmsprop(parameters, spec.learning_rate, alpha=spec.alpha, eps=spec.eps)
        return optimizers.sgd(parameters, spec.learning_rate, momentum=spec.momentum)

    def apply(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: Sequence[torch.Tensor],
        gradients: Sequence[torch.Tensor],
        spec: Optimizer,
        learning_rate: float,
    ) -> None:
        """One optimizer step, clipping included, on the given gradients."""
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        clipped = gradients if spec.clip_norm is None else optimizers.clip_by_global_norm(gradients, spec.clip_norm)
        for parameter, gradient in zip(parameters, clipped, strict=True):
            parameter.grad = gradient
        optimizer.step()

    @in_setting
    def update(
        self,
        optimizer: Optimizer,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        learning_rates: Sequence[float],
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone."""
        tensors = {name: self.tensor(array).requires_grad_() for name, array in parameters.items()}
        own, values = self.optimizer(list(tensors.values()), optimizer), list(tensors.values())
        seen = []
        for given, learning_rate in zip(gradients, learning_rates, strict=True):
            self.apply(own, values, [self.tensor(given[name]) for name in tensors], optimizer, learning_rate)
            found = {f"parameter.{name}": _copy(t) for name, t in tensors.items()}
            for moment in optimizer.moments:
                states = {name: own.state[t].get(moment) for name, t in tensors.items()}
                found |= {f"{moment}.{name}": _copy(t) for name, t in states.items() if t is not None}
            seen.append(found)
        return seen

    def session(self, optimizer: Optimizer, *, brief: bool = False) -> TorchSession:
        """Begin a training run, compiled where `compiled` is set and it pays, which it does not for a few steps."""
        if self.devices.count > 1:
            return ParallelTorchSession(self, optimizer)
        pays = is_small(self.model.parameters()) or self.torch_device.type != "cpu"
        return (CompiledTorchSession if self.compiled and pays and not brief else TorchSession)(self, optimizer)

    def start(self) -> "TorchTwin":
        """A twin of its own for a training run, in training mode."""
        run = copy.copy(self)
        run.model = copy.deepcopy(self.model).train()
        return run

    def receive(self, batch: Batch) -> Batch:
        """The batch as PyTorch holds it, read back."""
        inputs = torch.tensor(_to_nchw(batch.inputs), device=self.torch_device)
        return Batch(_nhwc(inputs), _array(self._labels(batch)))


@contextmanager
def strict_float32() -> Iterator[None]:
    """No TF32 or bfloat16 in matrix products and convolutions meanwhile."""
    backends: Any = torch.backends
    places = (backends.cuda.matmul, backends.cudnn.conv, backends.mkldnn.matmul, backends.mkldnn.conv)
    loose = [(place, place.fp32_precision) for place in places if place.fp32_precision not in ("ieee", "none")]
    try:
        for place, _ in loose:
            place.fp32_precision = "ieee"
        yield
    finally:
        for place, precision in loose:
            place.fp32_precision = precision


def _device(name: str) -> torch.device:
    if name == "gpu" and not torch.cuda.is_available():
        raise UsageError("PyTorch has no gpu device here; use --device cpu or install PyTorch for CUDA")
    return torch.device("cuda" if name == "gpu" else name)


def _kinds(model: nn.Module) -> dict[str, Kind]:
    return {
        path: kind for path, module in model.named_modules() for cls, kind in KINDS.items() if isinstance(module, cls)
    }


def _canonical_of(model: nn.Module) -> Arrays:
    return to_canonical({name: _copy(t) for name, t in _native(model).items()}, _kinds(model), "torch")


def _native(model: nn.Module) -> Tensors:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@contextmanager
def _taps(model: nn.Module) -> Iterator[list[tuple[str, torch.Tensor, torch.Tensor]]]:
    """Record (path, input, output) of every module call, in the order in which the calls end."""
    calls: list[tuple[str, torch.Tensor, torch.Tensor]] = []
    handles = [
        module.register_forward_hook(lambda _, given, output, path=path: calls.append((path, given[0], output)))
        for path, module in model.named_modules()
        if not isinstance(module, nn.ModuleList)
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _array(tensor: torch.Tensor) -> NDArray[Any]:
    """A result that nothing will change, without copying it."""
    return tensor.detach().cpu().numpy()


def _copy(tensor: torch.Tensor) -> NDArray[Any]:
    """A copy of what a later step may change."""
    return np.array(_array(tensor))


def _nhwc(tensor: torch.Tensor) -> NDArray[Any]:
    array = _array(tensor)
    return np.ascontiguousarray(np.moveaxis(array, 1, -1)) if array.ndim == 4 else array


def _to_nchw(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(np.moveaxis(array, -1, 1) if array.ndim == 4 else array)
