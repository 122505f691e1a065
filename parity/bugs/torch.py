"""Bugs planted in the PyTorch twin: each is the twin with one small method or layer replaced."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn, optim
from torch.nn import functional as F

import torchnets
from parity.backends.torch.twin import TorchTwin
from parity.bugs import torch_devices as devices
from parity.bugs.torch_planting import loss_changed, model_changed, of_class
from parity.bugs.zoo import torch as zoo
from parity.bugs.zoo import torch_diffusion as zoo_diffusion
from parity.bugs.zoo import torch_latent as zoo_latent
from parity.bugs.zoo import torch_sequences as zoo_sequences
from parity.data import Batch, Stream
from parity.interface.trace import Arrays, Trajectory
from parity.recipes import Optimizer
from torchnets import gru, layers

Tensor = torch.Tensor


def _optimizer(make: Callable[[Sequence[Tensor], Optimizer], optim.Optimizer]) -> type[TorchTwin]:
    """The twin with another optimizer."""

    class Planted(TorchTwin):
        def optimizer(self, parameters: Sequence[Tensor], spec: Optimizer) -> optim.Optimizer:
            return make(parameters, spec)

    return Planted


def _receive(change: Callable[[Batch], Batch]) -> type[TorchTwin]:
    """The twin whose pipeline changes the batch."""

    class Planted(TorchTwin):
        def receive(self, batch: Batch) -> Batch:
            return change(super().receive(batch))

    return Planted


def norms(change: Callable[[nn.BatchNorm2d], None]) -> type[TorchTwin]:
    """The twin with all its BatchNorms changed."""

    def change_all(model: nn.Module) -> None:
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                change(module)

    return model_changed(change_all)


def _norm_class(cls: type[nn.BatchNorm2d]) -> type[TorchTwin]:
    """The twin whose BatchNorms are of another class."""
    return norms(lambda norm: setattr(norm, "__class__", cls))


def _no_conv_bias(model: Any) -> None:
    model.features[0].conv.bias = None


def _no_statistics(model: Any) -> None:
    model.features[2].norm = nn.BatchNorm2d(7, eps=1e-5, track_running_stats=False)


class _NotTransposed(TorchTwin):
    def import_weights(self, weights: Mapping[str, NDArray]) -> Arrays:
        native = super().import_weights(weights)
        return {**native, "hh.weight": native["hh.weight"].T}


class _GatesZR(TorchTwin):
    def import_weights(self, weights: Mapping[str, NDArray]) -> Arrays:
        return {
            name: _z_before_r(array) if "cell" in name else array
            for name, array in super().import_weights(weights).items()
        }


def _z_before_r(array: NDArray) -> NDArray:
    r, z, n = np.split(array, 3)
    return np.concatenate([z, r, n])


class _FlippedCell(gru.GRUCell):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        x_r, x_z, x_n = self.hx(x).chunk(3, dim=-1)
        h_r, h_z, h_n = self.hh(h).chunk(3, dim=-1)
        z = torch.sigmoid(x_z + h_z)
        return z * torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n) + (1 - z) * h


class _DifferenceCell(gru.GRUCell):
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        x_r, x_z, x_n = self.hx(x).chunk(3, dim=-1)
        h_r, h_z, h_n = self.hh(h).chunk(3, dim=-1)
        n = torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n)
        return n + torch.sigmoid(x_z + h_z) * (h - n)


class _ScalePlusOne(nn.BatchNorm2d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + F.batch_norm(
            x, self.running_mean, self.running_var, None, None, self.training, 0.0, self.eps
        )


class _StuckInEval(nn.BatchNorm2d):
    def train(self, mode: bool = True) -> "_StuckInEval":
        del mode
        return super().train(False)


class _Twice(nn.BatchNorm2d):
    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            super().forward(x)
        return super().forward(x)


class _LeakyMLP(torchnets.MLP):
    def forward(self, x: Tensor) -> Tensor:
        x = self.flatten(x)
        for i, layer in enumerate(self.layers):
            x = layer(x if i == 0 else F.leaky_relu(x, 0.01))
        return x


class _StartsAtOne(torchnets.RNN):
    def forward(self, x: Tensor) -> Tensor:
        h = x.new_ones(x.shape[0], self.hidden_size)
        for x_t in x.unbind(1):
            h = self.tanh(self.hx(x_t) + self.hh(h))
        return self.ph(h)


class _SigmoidTanh(nn.Tanh):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * torch.sigmoid(2 * x) - 1


class _Bfloat16Operands(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        if x.dtype is torch.float64:
            return super().forward(x)
        return F.linear(x.bfloat16().to(x.dtype), self.weight.bfloat16().to(x.dtype), self.bias)


class _Float32Inside(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.float(), self.weight.float(), self.bias.float()).to(x.dtype)


class _TimesEight(TorchTwin):
    def training_gradients(self, loss: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
        return [8 * g for g in super().training_gradients(loss, parameters)]


class _PilingUp(TorchTwin):
    _sum: list[Tensor] | None = None

    def start(self) -> Self:
        run = super().start()
        run._sum = [torch.zeros_like(p) for p in run.model.parameters()]
        return run

    def training_gradients(self, loss: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
        gradients = super().training_gradients(loss, parameters)
        if self._sum is None:
            return gradients
        self._sum = [s + g for s, g in zip(self._sum, gradients, strict=True)]
        return self._sum


class _TrainsInEval(TorchTwin):
    def start(self) -> Self:
        run = super().start()
        run.model.eval()
        return run


class _RateOneLate(TorchTwin):
    def train(self, batches: Sequence[Batch], optimizer: Optimizer, learning_rates: Sequence[float]) -> Trajectory:
        return super().train(batches, optimizer, [learning_rates[0], *learning_rates[:-1]])


class _MomentsReset(TorchTwin):
    def train(self, batches: Sequence[Batch], optimizer: Optimizer, learning_rates: Sequence[float]) -> Trajectory:
        before, losses = self.weights(), []
        for batch, rate in zip(batches, learning_rates, strict=True):
            step = super().train([batch], optimizer, [rate])
            self.load(step.weights)
            losses.append(step.losses[0])
        self.load(before)
        return Trajectory(np.array(losses), step.weights)


def _truncated(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.1, a=-0.2, b=0.2, generator=_generator(module.weight))


def _orthogonal_whole(model: Any) -> None:
    drawn = model.cell.hh.weight
    model.cell.hh.weight = nn.Parameter(torch.linalg.qr(torch.randn(drawn.shape, generator=_generator(drawn)))[0])


def _orthogonal_by_svd(model: Any) -> None:
    drawn = model.hh.weight
    left, _, right = torch.linalg.svd(torch.randn(drawn.shape, generator=_generator(drawn)))
    model.hh.weight = nn.Parameter(left @ right)


def _generator(drawn: Tensor) -> torch.Generator:
    """A generator seeded by what the sound constructor drew."""
    return torch.Generator().manual_seed(int(drawn.detach().abs().sum() * 1e6))


def _wrong_fan_in(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            layers.initialize(module, "default", 9 * module.out_channels, None)


class _SameOrder(TorchTwin):
    def feed(self, stream: Stream, positions: Sequence[tuple[int, int]]) -> Iterator[Batch]:
        return super().feed(stream, [(0, step) for _, step in positions])


def _uint8(batch: Batch) -> Batch:
    pixels = np.clip((batch.inputs + 2) * 64, 0, 255).astype(np.uint8)
    return replace(batch, inputs=(pixels - np.uint8(123)).astype(np.float32) / np.float32(64))


def _channels_last(model: Any) -> None:
    model.to(memory_format=torch.channels_last)


PLANTED: dict[str, type[TorchTwin]] = {
    "input-bias": model_changed(lambda model: setattr(model, "hx", nn.Linear(1, model.hidden_size, bias=True))),
    "no-conv-bias": model_changed(_no_conv_bias),
    "no-statistics": model_changed(_no_statistics),
    "not-transposed": _NotTransposed,
    "bn-eps-1e-3": norms(lambda norm: setattr(norm, "eps", 1e-3)),
    "bn-eps-1.01e-5": norms(lambda norm: setattr(norm, "eps", 1.01e-5)),
    "scale-plus-1": _norm_class(_ScalePlusOne),
    "stuck-in-eval": _norm_class(_StuckInEval),
    "wrong-activation": of_class("", _LeakyMLP),
    "first-state": of_class("", _StartsAtOne),
    "bf16-matmul": of_class("layers.0", _Bfloat16Operands),
    "float32-inside": of_class("layers.1", _Float32Inside),
    "loss-sum": loss_changed(lambda logits, labels: F.cross_entropy(logits, labels, reduction="sum")),
    "gradients-x8": _TimesEight,
    "label-shift": loss_changed(lambda logits, labels: F.cross_entropy(logits, (labels + 1) % logits.shape[1])),
    "label-smoothing": loss_changed(lambda logits, labels: F.cross_entropy(logits, labels, label_smoothing=0.1)),
    "softmax-axis": loss_changed(lambda logits, labels: F.nll_loss(F.log_softmax(logits, 0), labels)),
    "bn-momentum-0.9": norms(lambda norm: setattr(norm, "momentum", 0.9)),
    "statistics-twice": _norm_class(_Twice),
    "adamw": _optimizer(
        lambda p, spec: optim.AdamW(
            p, spec.learning_rate, betas=spec.betas, eps=spec.eps, weight_decay=spec.weight_decay
        )
    ),
    "adam-eps": _optimizer(
        lambda p, spec: optim.Adam(p, spec.learning_rate, betas=spec.betas, eps=1e-5, weight_decay=spec.weight_decay)
    ),
    "sgd-dampening": _optimizer(lambda p, spec: optim.SGD(p, spec.learning_rate, spec.momentum, dampening=0.9)),
    "gradients-pile-up": _PilingUp,
    "trains-in-eval": _TrainsInEval,
    "rate-one-late": _RateOneLate,
    "moments-reset": _MomentsReset,
    "truncated-init": model_changed(_truncated),
    "fan-in-axes": model_changed(_wrong_fan_in),
    "same-order": _SameOrder,
    "pixels-0-255": _receive(lambda batch: replace(batch, inputs=batch.inputs * np.float32(255))),
    "uint8-arithmetic": _receive(_uint8),
    "labels-in-feed": _receive(lambda batch: replace(batch, labels=batch.labels + 1)),
    "gates-z-r": _GatesZR,
    "update-flipped": of_class("cell", _FlippedCell),
    "orthogonal-whole": model_changed(_orthogonal_whole),
    "state-by-difference": of_class("cell", _DifferenceCell),
    "orthogonal-by-svd": model_changed(_orthogonal_by_svd),
    "log-softmax-twice": loss_changed(
        lambda logits, labels: F.nll_loss(F.log_softmax(F.log_softmax(logits, 1), 1), labels)
    ),
    "foreach": _optimizer(
        lambda p, spec: optim.Adam(
            p, spec.learning_rate, betas=spec.betas, eps=spec.eps, weight_decay=spec.weight_decay, foreach=True
        )
    ),
    "channels-last": model_changed(_channels_last),
    "tanh-by-sigmoid": of_class("tanh", _SigmoidTanh),
    "log-sum-exp": loss_changed(
        lambda logits, labels: (logits.logsumexp(1) - logits.gather(1, labels[:, None])[:, 0]).mean()
    ),
    **devices.PLANTED,
    **zoo.PLANTED,
    **zoo_latent.PLANTED,
    **zoo_sequences.PLANTED,
    **zoo_diffusion.PLANTED,
}
