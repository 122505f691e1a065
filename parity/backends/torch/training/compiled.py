"""Training in PyTorch by compiled steps: forward pass, gradients, clipping and update are one program."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import torch
from torch.optim.adam import adam
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from parity.backends.torch.training.network import TorchNetwork
from parity.backends.torch.training.session import LossAndHits, TorchSession, fetched, hits_of
from parity.data import Batch
from parity.interface.runs import Steps
from parity.recipes import Optimizer
from torchnets.optimizers import clip_by_global_norm

STEPS_PER_CALL = 8
SMALL = 20_000
"""Largest number of parameters for which several steps go into one program, one after the other: a call costs about as
much as a step of so small a network. On a CPU larger ones are not compiled at all, which brought nothing: forward and
backward of the VGG, batch 32, took 458 ms of one core eager and 474 ms compiled, of the MLP 26.5 and 26.3 ms, and the
fused Adam, the fastest, is not compiled anyway."""
Kept = dict[str, list[torch.Tensor]]  # name of a moment, or "step" → a tensor a parameter


def is_small(parameters: Iterable[torch.Tensor]) -> bool:
    """Whether a step of these parameters is so short that several go into one program."""
    return sum(p.numel() for p in parameters) <= SMALL


class CompiledTorchSession(TorchSession):
    """A training run of a PyTorch network whose steps are compiled.

    Gradients are those of `torch.func.grad`, updates those of `torch.optim`'s own functions, in one graph that
    `torch.compile` fuses. It starts after the compiler is done, tens of seconds; each step is then faster. A network of
    up to 20,000 parameters takes eight steps a call, and steps left over one by one.

    Source: https://docs.pytorch.org/docs/stable/torch.compiler.html. Differs from `TorchSession` in rounding only.
    """

    def __init__(self, network: TorchNetwork, optimizer: Optimizer) -> None:
        super().__init__(network, optimizer)
        self.steps_per_call = STEPS_PER_CALL if is_small(self._parameters) else 1
        self._kept: Kept | None = None
        self._programs: dict[int, Callable[..., Any]] = {}

    def _load(self, state: Any) -> None:
        super()._load(state)
        self._kept = None

    def _advance(self, batches: Sequence[Batch], learning_rates: Sequence[float]) -> Steps:
        rates = torch.tensor(learning_rates, dtype=self._run.dtype, device=self._run.torch_device)
        steps: list[LossAndHits] = []
        for block in self._blocks(batches):
            steps += self._call(block, rates[len(steps) : len(steps) + len(block)])
        return Steps([batch.count for batch in batches], lambda: fetched(steps))

    def _blocks(self, batches: Sequence[Batch]) -> Iterator[list[Batch]]:
        """Batches of one shape, as many as a program takes, or one."""
        for _, group in groupby(batches, lambda batch: [array.shape for array in batch.arguments]):
            alike = list(group)
            whole = len(alike) // self.steps_per_call * self.steps_per_call
            yield from (alike[i : i + self.steps_per_call] for i in range(0, whole, self.steps_per_call))
            yield from ([batch] for batch in alike[whole:])

    def _call(self, block: Sequence[Batch], rates: torch.Tensor) -> list[LossAndHits]:
        inputs, labels = zip(*map(self._arguments_and_labels, block), strict=True)
        kept = self._kept = self._kept or self._moments()
        with torch.no_grad():
            steps = self._program(len(block))(self._parameters, self._buffers(), kept, inputs, labels, rates)
        return [(loss.clone(), hits.clone()) for loss, hits in steps]

    def _buffers(self) -> dict[str, torch.Tensor]:
        return dict(self._run.model.named_buffers())

    def _moments(self) -> Kept:
        """The optimizer's own moments, made if it has none yet, so that it and the program share them."""
        state = self._optimizer.state
        for p in self._parameters:
            for moment in self.optimizer.moments:
                state[p].setdefault(moment, torch.zeros_like(p))
            if self.optimizer.kind != "sgd":  # float64, for 1 − β^step loses half its digits in float32
                state[p]["step"] = torch.tensor(float(self.step), dtype=torch.float64, device=p.device)
        names = [*self.optimizer.moments, *(["step"] if self.optimizer.kind != "sgd" else [])]
        return {name: [state[p][name] for p in self._parameters] for name in names}

    def _program(self, steps: int) -> Callable[..., Any]:
        if steps not in self._programs:
            graphs = "reduce-overhead" if self._run.torch_device.type == "cuda" else None  # CUDA graphs
            self._programs[steps] = torch.compile(self._steps, fullgraph=True, dynamic=False, mode=graphs)
        return self._programs[steps]

    def _steps(
        self,
        parameters: list[torch.Tensor],
        buffers: dict[str, torch.Tensor],
        kept: Kept,
        inputs: Sequence[tuple[torch.Tensor, ...]],
        labels: Sequence[torch.Tensor],
        rates: torch.Tensor,
    ) -> list[LossAndHits]:
        """The program: one step a batch, one after the other; parameters, buffers and moments change in place."""
        steps = []
        for i, (x, y) in enumerate(zip(inputs, labels, strict=True)):
            named = dict(zip(self._names, parameters, strict=True))
            gradients, (loss, hits) = torch.func.grad(self._objective, has_aux=True)(named, buffers, x, y)
            self._update(parameters, list(gradients.values()), kept, rates[i])
            steps.append((loss, hits))
        return steps

    def _objective(
        self,
        parameters: dict[str, torch.Tensor],
        buffers: dict[str, torch.Tensor],
        x: tuple[torch.Tensor, ...],
        y: torch.Tensor,
    ) -> tuple[torch.Tensor, LossAndHits]:
        logits = torch.func.functional_call(self._run.model, (parameters, buffers), x)
        loss = self._run.loss(logits, y)
        return loss, (loss.detach(), hits_of(logits, y))

    def _update(
        self, parameters: list[torch.Tensor], gradients: list[torch.Tensor], kept: Kept, rate: torch.Tensor
    ) -> None:
        """Take an optimizer step, clipping included, by the functions behind `torch.optim`'s classes."""
        spec = self.optimizer
        if spec.clip_norm is not None:
            gradients = clip_by_global_norm(gradients, spec.clip_norm)
        if spec.kind == "adam":
            adam(
                parameters, gradients, kept["exp_avg"], kept["exp_avg_sq"], [], kept["step"],
                foreach=True, capturable=True, amsgrad=False, beta1=spec.betas[0], beta2=spec.betas[1], lr=rate,
                weight_decay=spec.weight_decay, eps=spec.eps, maximize=False,
            )  # fmt: skip
        elif spec.kind == "rmsprop":
            rmsprop(
                parameters, gradients, kept["square_avg"], [], [], kept["step"],
                foreach=True, capturable=True, lr=rate,  # type: ignore[arg-type] # as above
                alpha=spec.alpha, eps=spec.eps, weight_decay=0.0,
                momentum=0.0, centered=False,
            )  # fmt: skip
        else:
            sgd(
                parameters, gradients, list(kept.get("momentum_buffer", [None] * len(parameters))),
                foreach=False, weight_decay=0.0, momentum=spec.momentum, lr=rate,  # type: ignore[arg-type] # PyTorch's own annotation lacks tensors
                dampening=0.0, nesterov=False,
                maximize=False,
            )  # fmt: skip
