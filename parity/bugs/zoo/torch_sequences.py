"""Bugs planted in the PyTorch twins of `LSTM` and `BERT`."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import torchnets
from parity.backends.torch.twin import TorchTwin
from parity.bugs.torch_planting import loss_changed, of_class
from parity.bugs.zoo.torch import every
from torchnets.layers import Attention, PackedLSTM, attend

Tensor = torch.Tensor


class _StaysSorted(PackedLSTM):
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Any:  # type: ignore[override]
        if lengths is None:
            return super().forward(x)
        lengths, order = lengths.sort(descending=True)
        packed = pack_padded_sequence(x[order], lengths.cpu(), batch_first=True, enforce_sorted=True)
        return pad_packed_sequence(nn.LSTM.forward(self, packed)[0], batch_first=True, total_length=x.shape[1])[0]


class _Unpacked(PackedLSTM):
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Any:  # type: ignore[override]
        out = super().forward(x)
        if lengths is None:
            return out
        return out.where((torch.arange(x.shape[1], device=x.device) < lengths[:, None])[..., None], 0)


def _over_all(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten(), ignore_index=-100, reduction="sum") / labels.numel()


class _SegmentLeftOut(torchnets.BERT):
    def forward(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        there = None if self.padding is None else tokens != self.padding
        x = self.token(tokens) + self.position(torch.arange(tokens.shape[1], device=tokens.device))
        x = self.norm(x + 0 * self.segment(torch.zeros_like(tokens)))
        for block in self.blocks:
            x = block(x, there)
        x = self.transform_norm(F.gelu(self.transform(x), approximate="none"))
        return F.linear(x, self.token.weight, self.bias)


class _PaddingLookedAt(Attention):
    def forward(self, x: Tensor, there: Tensor | None = None) -> Tensor:
        return super().forward(x)


class _Additive(Attention):
    def forward(self, x: Tensor, there: Tensor | None = None) -> Tensor:
        if there is None:
            return super().forward(x)
        query, key, value = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        hidden = torch.finfo(x.dtype).min * (~there[:, None, None, :]).to(x.dtype)
        return self.out(attend(query, key, value, hidden).reshape(x.shape))


PLANTED: dict[str, type[TorchTwin]] = {
    "bert-norm-epsilon": every(nn.LayerNorm, lambda norm: setattr(norm, "eps", 1e-5)),
    "bert-padding-looked-at": every(Attention, lambda module: setattr(module, "__class__", _PaddingLookedAt)),
    "bert-segment-left-out": of_class("", _SegmentLeftOut),
    "bert-additive-mask": every(Attention, lambda module: setattr(module, "__class__", _Additive)),
    "zoo-lstm-stays-sorted": every(PackedLSTM, lambda layer: setattr(layer, "__class__", _StaysSorted)),
    "zoo-lstm-mean-of-all": loss_changed(_over_all),
    "zoo-lstm-unpacked": every(PackedLSTM, lambda layer: setattr(layer, "__class__", _Unpacked)),
}
