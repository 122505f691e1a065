"""Bugs planted in the PyTorch twins of the zoo: each is the twin with one small method or layer replaced."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import torchnets
from parity.backends.torch.twin import TorchTwin
from parity.bugs.torch_planting import model_changed, of_class
from torchnets.layers import Attention

Tensor = torch.Tensor


def every(cls: type, change: Callable[[Any], None]) -> type[TorchTwin]:
    """The twin with all its modules of one class changed."""

    def change_all(model: nn.Module) -> None:
        for module in model.modules():
            if type(module) is cls:
                change(module)

    return model_changed(change_all)


class _ScaledBefore(Attention):
    def forward(self, x: Tensor) -> Tensor:
        scale = (x.shape[-1] // self.heads) ** -0.5
        query, key, value = self.split(self.query(x * scale)), self.split(self.key(x)), self.split(self.value(x))
        shares = torch.einsum("bthd,bshd->bhts", query, key).softmax(-1)
        return self.out(torch.einsum("bhts,bshd->bthd", shares, value).reshape(x.shape))


class _ByHand(Attention):
    def forward(self, x: Tensor) -> Tensor:
        scale = (x.shape[-1] // self.heads) ** -0.5
        query, key, value = self.split(self.query(x) * scale), self.split(self.key(x)), self.split(self.value(x))
        shares = torch.einsum("bthd,bshd->bhts", query, key).softmax(-1)
        return self.out(torch.einsum("bhts,bshd->bthd", shares, value).reshape(x.shape))


class _MeanOfTokens(torchnets.ViT):
    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), 1, -1), x], dim=1) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


PLANTED: dict[str, type[TorchTwin]] = {
    "vit-norm-epsilon": every(nn.LayerNorm, lambda norm: setattr(norm, "eps", 1e-5)),
    "vit-scaled-before": every(Attention, lambda module: setattr(module, "__class__", _ScaledBefore)),
    "vit-pool": of_class("", _MeanOfTokens),
    "vit-by-hand": every(Attention, lambda module: setattr(module, "__class__", _ByHand)),
}
