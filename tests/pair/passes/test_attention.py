"""Dropout of attention weights: the same masks on both sides, and what Flax's default does is said."""

from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest
import torch
from flax import nnx

import parity
from parity.backends.flax.side import FlaxSide
from parity.backends.torch.side import TorchSide
from parity.backends.torch.tracing.attention import attend
from parity.checks.verdict import Verdict
from parity.interface.observation import Dropped, Inputs
from parity.interface.side import Pass

X = np.random.default_rng(0).standard_normal((3, 5, 8)).astype(np.float32)


class Port(nn.Module):
    """Weights dropped alike in all samples and heads, Flax's default; then causal ones, dropped each by itself."""

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.MultiHeadDotProductAttention(2, dropout_rate=0.3)(x, deterministic=not train)
        attention = nn.MultiHeadDotProductAttention(2, dropout_rate=0.3, broadcast_dropout=False)
        return attention(x, mask=nn.make_causal_mask(x[..., 0]), deterministic=not train)


class TorchAttending(torch.nn.Module):
    """With weights returned, which are dropped out by themselves, or causal ones without, in the fused function."""

    def __init__(self, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.attention = torch.nn.MultiheadAttention(8, 2, dropout=0.3, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if self.causal else None
        return self.attention(x, x, x, attn_mask=hidden, is_causal=self.causal, need_weights=not self.causal)[0]


def test_the_same_weights_are_dropped_and_masks_that_flax_shares_between_heads_are_said() -> None:
    port, model = Port(), torch.nn.Sequential(TorchAttending(False), TorchAttending(True))
    report = parity.compare(
        (port, port.init(jax.random.key(0), X)), model, X, checks=parity.Checks(dropout="shared", probes=False)
    )
    assert report.verdict is Verdict.SAME
    (one,) = report.lints
    assert one.setting == "broadcast_dropout"
    assert "Flax draws a mask of (1, 1, 5, 5), PyTorch one of (3, 2, 5, 5)" in one.text


def test_where_every_weight_is_dropped_all_tokens_are_alike() -> None:
    inputs, used = Inputs((X,)), []

    def nothing(number: int, dropped: Dropped) -> np.ndarray:
        used.append(dropped)
        return np.zeros(dropped.shape)

    attention = nnx.MultiHeadAttention(2, 8, dropout_rate=0.3, broadcast_dropout=False, decode=False, rngs=nnx.Rngs(0))
    flax = FlaxSide(attention, inputs)
    for side in (TorchSide(TorchAttending(False), inputs), TorchSide(TorchAttending(True), inputs), flax):
        used.clear()
        outputs = side.run(side.native, inputs, Pass(training=True, mask=nothing)).outputs[""]
        assert used[0] == Dropped((3, 2, 5, 5), 0.3)
        assert np.ptp(outputs, axis=(0, 1)).max() == 0
        assert np.ptp(side.run(side.native, inputs, Pass(training=True)).outputs[""], axis=(0, 1)).min() > 0


@pytest.mark.parametrize(
    "options", [{}, {"is_causal": True}, {"scale": 0.2}, {"attn_mask": "bool"}, {"enable_gqa": True}]
)
def test_attention_with_masks_is_the_fused_one_where_they_let_all_through(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    query, key, value = (torch.tensor(rng.standard_normal((2, heads, 5, 4))) for heads in (4, 2, 2))
    if "enable_gqa" not in options:
        query = query[:, :2]
    if "attn_mask" in options:
        options = {"attn_mask": torch.ones(5, 5, dtype=torch.bool).tril(1)}
    ours = attend(query, key, value, dropout_p=0.5, drop=lambda weights, p: weights, **options)
    theirs = torch.nn.functional.scaled_dot_product_attention(query, key, value, **options)
    assert float((ours - theirs).abs().max()) < 64 * np.finfo(np.float64).eps
