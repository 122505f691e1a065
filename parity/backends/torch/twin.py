"""PyTorch networks as the checks see them, through NumPy."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from parity.backends.torch.training.arrays import array_of, copy_of, nchw, nhwc
from parity.backends.torch.training.compiled import CompiledTorchSession, is_small
from parity.backends.torch.training.network import Tensors, TorchNetwork, kinds_of
from parity.backends.torch.training.parallel import ParallelTorchSession
from parity.backends.torch.training.session import TorchSession
from parity.backends.torch.training.tape import taps
from parity.data import Batch, Inputs, as_arguments
from parity.interface.network import in_setting
from parity.interface.trace import Arrays, Gradients, Probe, Reading, Trace, call_names, call_path
from parity.interface.twin import Twin
from parity.recipes import Optimizer
from parity.weights import layer_of


class TorchTwin(TorchNetwork, Twin):
    """A PyTorch network with what the checks ask for; NHWC images and activations are turned into NCHW and back."""

    def _inputs(self, x: NDArray) -> torch.Tensor:
        return self.tensor(nchw(x)).contiguous()

    def _arguments(self, inputs: Inputs) -> tuple[torch.Tensor, ...]:
        return tuple(self._inputs(array) for array in as_arguments(inputs))

    def _labels(self, batch: Batch) -> torch.Tensor:
        return self._inputs(batch.labels)

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

    def _call(self, buffers: Tensors, tensors: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return torch.func.functional_call(self.model, buffers, tensors)

    @in_setting
    def forward(self, inputs: Inputs, *, training: bool) -> NDArray:
        """Logits (B, classes), with nothing captured."""
        with self._mode(training) as buffers, torch.no_grad():
            return nhwc(self._call(buffers, self._arguments(inputs)))

    @in_setting
    def trace(self, batch: Batch, cotangent: NDArray, *, training: bool) -> Trace:
        """One pass with every layer's output, loss and gradients captured."""
        tensors = self._arguments(batch.inputs)
        learnable, watched = self._learnable(), _differentiable(tensors[0])
        with self._mode(training) as buffers, taps(self.model) as calls:
            logits = self._call(buffers, tensors)
        names = call_names([path for path, _, _ in calls])
        outputs = [output for _, _, output in calls]
        pulled = torch.autograd.grad(
            logits, [*watched, *outputs, *learnable.values()], self._inputs(cotangent), retain_graph=True
        )
        to_input, (to_outputs, to_parameters) = pulled[: len(watched)], _parted(pulled[len(watched) :], len(calls))
        loss = self.loss(logits, self._labels(batch))
        training_gradients = self.training_gradients(loss, list(learnable.values())) if training else []
        gradients = Gradients(
            parameters=self.canonical(dict(zip(learnable, to_parameters, strict=True))),
            input=nhwc(to_input[0]) if to_input else np.empty(0),
            outputs={name: nhwc(g) for name, g in zip(names, to_outputs, strict=True)},
        )
        return Trace(
            outputs={name: nhwc(output) for name, output in zip(names, outputs, strict=True)},
            inputs={name: nhwc(tensor) for name, (_, tensor, _) in zip(names, calls, strict=True)},
            gradients=gradients,
            loss=array_of(loss),
            training_gradients=self.canonical(dict(zip(learnable, training_gradients, strict=training))),
            buffers=self.canonical(buffers),
        )

    @in_setting
    def isolate(self, probes: Mapping[str, Probe], *, training: bool) -> dict[str, Reading]:
        """Each call alone, on its probe."""
        return {call: self._isolated(call_path(call), probe, training) for call, probe in probes.items()}

    def _isolated(self, path: str, probe: Probe, training: bool) -> Reading:
        module = self.model.get_submodule(path)
        layers = kinds_of(self.model)
        learnable = {name: p for name, p in self._learnable().items() if layer_of(name, layers)[0] == path}
        x = self._inputs(probe.input)
        watched = _differentiable(x)
        with self._mode(training) as buffers:
            prefix = f"{path}." if path else ""
            inner = {name.removeprefix(prefix): b for name, b in buffers.items() if name.startswith(prefix)}
            output = torch.func.functional_call(module, inner, (x,))
        pulled = torch.autograd.grad(output, [*watched, *learnable.values()], self._inputs(probe.cotangent))
        gradients = self.canonical(dict(zip(learnable, pulled[len(watched) :], strict=True)))
        return Reading(nhwc(output), nhwc(pulled[0]) if watched else np.empty(0), gradients)

    @in_setting
    def state(self, batches: Sequence[Batch]) -> tuple[Arrays, NDArray]:
        """Buffers after a training-mode pass over each batch, then the logits of the last in evaluation mode."""
        with self._mode(True) as buffers, torch.no_grad():
            for batch in batches:
                tensors = self._arguments(batch.inputs)
                self._call(buffers, tensors)
        with self._mode(False), torch.no_grad():
            logits = self._call(buffers, tensors)
        return self.canonical(buffers), nhwc(logits)

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
        rule, values = self.optimizer(list(tensors.values()), optimizer), list(tensors.values())
        steps = []
        for gradient, learning_rate in zip(gradients, learning_rates, strict=True):
            self.apply(rule, values, [self.tensor(gradient[name]) for name in tensors], optimizer, learning_rate)
            kept = {f"parameter.{name}": copy_of(t) for name, t in tensors.items()}
            for moment in optimizer.moments:
                states = {name: rule.state[t].get(moment) for name, t in tensors.items()}
                kept |= {f"{moment}.{name}": copy_of(t) for name, t in states.items() if t is not None}
            steps.append(kept)
        return steps

    def session(self, optimizer: Optimizer, *, brief: bool = False) -> TorchSession:
        """Begin a training run, compiled where `compiled` is set and it pays, which it does not for a few steps."""
        if self.devices.count > 1:
            return ParallelTorchSession(self, optimizer)
        pays = is_small(self.model.parameters()) or self.torch_device.type != "cpu"
        pays = pays and not any(
            isinstance(module, nn.RNNBase) for module in self.model.modules()
        )  # it cannot be compiled
        return (CompiledTorchSession if self.compiled and pays and not brief else TorchSession)(self, optimizer)

    def receive(self, batch: Batch) -> Batch:
        """The batch as PyTorch holds it on the twin's device, read back."""
        *inputs, labels = (
            nhwc(torch.tensor(nchw(array), device=self.torch_device)) for array in (*batch.arguments, batch.labels)
        )
        return Batch(tuple(inputs) if isinstance(batch.inputs, tuple) else inputs[0], labels)


def _differentiable(x: torch.Tensor) -> list[torch.Tensor]:
    """The inputs, which the pass is to be differentiated by from now on; none where they are whole numbers."""
    return [x.requires_grad_()] if x.is_floating_point() else []


def _parted(tensors: Sequence[torch.Tensor], first: int) -> tuple[Sequence[torch.Tensor], Sequence[torch.Tensor]]:
    """The first so many, and the others."""
    return tensors[:first], tensors[first:]
