"""Training in PyTorch: channels-last, no wait for the device within a step; optimizers are those of the network."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from parity.backends.torch.training.arrays import nhwc
from parity.backends.torch.training.network import TorchNetwork
from parity.data import Batch, Inputs, as_arguments
from parity.interface.runs import Steps, TrainingState
from parity.interface.session import Session
from parity.interface.trace import Arrays
from parity.recipes import Optimizer

LossAndHits = tuple[torch.Tensor, torch.Tensor]
"""A step's mean loss and number of correct predictions, scalars on the device."""


class TorchSession(Session[TorchNetwork]):
    """A training run of a PyTorch network.

    Images stay as they come, NHWC in memory, which PyTorch calls NCHW in channels-last format; so are the network's
    kernels. (The VGG's step, batch 32, on 2 cores: 284 ms, against 310 ms in PyTorch's default format.)

    Args:
        network: what is trained; the run has a copy of it.
        optimizer: the recipe's optimizer.
    """

    def __init__(self, network: TorchNetwork, optimizer: Optimizer) -> None:
        super().__init__(network, optimizer)
        self._run = network.start()
        self._run.model.to(memory_format=torch.channels_last)
        self._names = [name for name, _ in self._run.model.named_parameters()]
        self._parameters = list(self._run.model.parameters())
        self._optimizer = self._run.optimizer(self._parameters, optimizer)

    def _load(self, state: TrainingState) -> None:
        self._run.load(state.weights)
        native = {moment: self._run.import_weights(arrays) for moment, arrays in state.moments.items()}
        kept: dict[int, dict[str, torch.Tensor]] = {  # in the parameters' own memory format
            i: {moment: torch.empty_like(p).copy_(self._run.tensor(native[moment][name])) for moment in native}
            for i, (name, p) in enumerate(zip(self._names, self._parameters, strict=True))
        }
        for entry in kept.values() if self.optimizer.kind != "sgd" else ():
            entry["step"] = torch.tensor(float(state.step))
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": kept, "param_groups": groups})

    def _state(self) -> TrainingState:
        return TrainingState(
            self._run.weights(), {moment: self._moment(moment) for moment in self.optimizer.moments}, self.step
        )

    def _moment(self, moment: str) -> Arrays:
        """A copy of a moment by canonical name; zeros before the first step, when PyTorch has none yet."""
        kept = [self._optimizer.state[p].get(moment, torch.zeros_like(p)) for p in self._parameters]
        return self._run.canonical({name: t.clone() for name, t in zip(self._names, kept, strict=True)})

    def _advance(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> Steps:
        steps = [self._step(batch, rate)[0] for batch, rate in zip(batches, learning_rates, strict=True)]
        return Steps([batch.count for batch in batches], lambda: self._fetched(steps))

    def _observed(self, batch: Batch, learning_rate: float) -> tuple[NDArray, Arrays]:
        step, gradients = self._step(batch, learning_rate)
        copies = {name: g.clone() for name, g in zip(self._names, gradients, strict=True)}
        return self._fetched([step])[0][0], self._run.canonical(copies)

    def _step(self, batch: Batch, learning_rate: float) -> tuple[LossAndHits, list[torch.Tensor]]:
        """Take one step: its loss and correct predictions, and its gradients in the order of the parameters."""
        step, gradients = self._pass(batch)
        self._run.apply(self._optimizer, self._parameters, gradients, self.optimizer, learning_rate)
        return step, gradients

    def _pass(self, batch: Batch) -> tuple[LossAndHits, list[torch.Tensor]]:
        x, labels = self._arguments_and_labels(batch)
        logits = self._run.model(*x)
        loss = self._run.loss(logits, labels)
        gradients = self._run.training_gradients(loss, self._parameters)
        return (loss.detach(), hits_of(logits, labels)), gradients

    def _fetched(self, steps: Sequence[LossAndHits]) -> tuple[NDArray, NDArray]:
        return fetched(steps)

    def _arguments_and_labels(self, batch: Batch) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        """Arguments and labels on the device; they may share memory with the batch, which nobody changes."""
        return self._inputs(batch.inputs), self._tensor(batch.labels)

    def _inputs(self, inputs: Inputs) -> tuple[torch.Tensor, ...]:
        return tuple(self._tensor(array) for array in as_arguments(inputs))

    def _tensor(self, array: NDArray) -> torch.Tensor:
        dtype = self._run.dtype if np.issubdtype(array.dtype, np.floating) else torch.int64
        x = torch.as_tensor(array, dtype=dtype, device=self._run.torch_device)
        return x.permute(0, 3, 1, 2) if x.ndim == 4 else x

    def wait(self) -> None:
        """Return when the device has done all that it was given."""
        if self._run.torch_device.type == "cuda":
            torch.cuda.synchronize()

    def _predict(self, inputs: Iterable[Inputs]) -> list[NDArray]:
        with self._evaluating():
            return [nhwc(self._run.model(*self._inputs(x))) for x in inputs]

    def _score(self, batch: Batch) -> LossAndHits:
        with self._evaluating():
            x, labels = self._arguments_and_labels(batch)
            logits = self._run.model(*x)
            return self._run.loss(logits, labels), hits_of(logits, labels)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        model = self._run.model
        before = model.training
        model.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            model.train(before)


def hits_of(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The number of correct predictions, a scalar, of logits (B, classes) and labels (B,); 0 if they are no classes."""
    if labels.is_floating_point():
        return torch.zeros((), dtype=torch.int64, device=labels.device)
    return (logits.detach().argmax(-1) == labels).sum()


def fetched(steps: Sequence[LossAndHits]) -> tuple[NDArray, NDArray]:
    """Losses and numbers of correct predictions of some steps, (steps,) each; waits for the device."""
    losses, hits = (torch.stack([step[i] for step in steps]).cpu().numpy() for i in (0, 1))
    return np.asarray(losses), np.asarray(hits)
