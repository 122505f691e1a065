"""Bugs planted in the PyTorch twins of the diffusion models: each is the twin with one method or layer replaced."""

import torch
from torch import nn
from torch.nn import functional as F

import torchnets
from parity.backends.torch.twin import TorchTwin
from parity.bugs.torch_planting import of_class
from parity.bugs.zoo.torch import every
from torchnets.layers import TimedBlock, Upsample, timestep_embedding

Tensor = torch.Tensor


class _HalvesSwapped(torchnets.UNet):
    def condition(self, steps: Tensor) -> Tensor:
        waves = timestep_embedding(steps, self.width, cosine_first=True, shift=1)
        return self.time2(F.silu(self.time1(waves)))


class _WithoutShift(torchnets.UNet):
    def condition(self, steps: Tensor) -> Tensor:
        waves = timestep_embedding(steps, self.width, cosine_first=False, shift=0)
        return self.time2(F.silu(self.time1(waves)))


class _SkipFirst(torchnets.UNet):
    def forward(self, x: Tensor, steps: Tensor) -> Tensor:
        condition = self.condition(steps.to(x.dtype))
        x = self.stem(x)
        skips = [x]
        for layer in self.down:
            x = layer(x, condition) if isinstance(layer, TimedBlock) else layer(x)
            skips.append(x)
        for block in self.middle:
            x = block(x, condition)
        for layer in self.up:
            x = torch.cat([skips.pop(), x], dim=1) if isinstance(layer, TimedBlock) else x
            x = layer(x, condition) if isinstance(layer, TimedBlock) else layer(x)
        return self.head(F.silu(self.norm(x)))


class _Repeated(Upsample):
    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))


class _PixelsTurned(torchnets.DiT):
    def joined(self, x: Tensor) -> Tensor:
        x = x.reshape(x.shape[0], self.side, self.side, self.patch_size, self.patch_size, -1)
        x = x.permute(0, 5, 1, 4, 2, 3)
        return x.reshape(*x.shape[:2], self.side * self.patch_size, self.side * self.patch_size)


class _SineFirst(torchnets.DiT):
    def condition(self, steps: Tensor, classes: Tensor) -> Tensor:
        waves = timestep_embedding(steps, self.frequencies, cosine_first=False, shift=0)
        return self.time2(F.silu(self.time1(waves))) + self.label(classes)


PLANTED: dict[str, type[TorchTwin]] = {
    "unet-halves-swapped": of_class("", _HalvesSwapped),
    "unet-frequency-shift": of_class("", _WithoutShift),
    "unet-norm-epsilon": every(nn.GroupNorm, lambda norm: setattr(norm, "eps", 1e-5)),
    "unet-skip-first": of_class("", _SkipFirst),
    "unet-repeated": every(Upsample, lambda module: setattr(module, "__class__", _Repeated)),
    "dit-pixels-turned": of_class("", _PixelsTurned),
    "dit-sine-first": of_class("", _SineFirst),
}
