"""Attention of PyTorch with given masks of its weights, as the documentation of the fused function spells it."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional as F

FUSED = F.scaled_dot_product_attention
Drop = Callable[[torch.Tensor, float], torch.Tensor] | None
"""Of weights (batch, heads, queries, keys) and a rate: the weights after dropout; None drops nothing."""
_SIGNATURE = inspect.signature(F.multi_head_attention_forward)


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    drop: Drop,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """`F.scaled_dot_product_attention` with its own arguments, whose weights are dropped by `drop`."""
    if drop is None or dropout_p == 0:
        return FUSED(query, key, value, attn_mask, 0.0, is_causal, scale=scale, enable_gqa=enable_gqa)
    if enable_gqa:
        key, value = (a.repeat_interleave(query.shape[-3] // a.shape[-3], -3) for a in (key, value))
    scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(attn_mask.logical_not(), -torch.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return drop(scores.softmax(-1), dropout_p) @ value


@contextmanager
def inside_multi_head(drop: Drop, *args: Any, **kwargs: Any) -> Iterator[None]:
    """What `F.multi_head_attention_forward`, called with these arguments, uses for dropout meanwhile."""
    heads = _SIGNATURE.bind(*args, **kwargs).arguments["num_heads"]

    def dropout(weights: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
        del training, inplace  # the rate is zero in evaluation
        return weights if drop is None or p == 0 else drop(weights.unflatten(0, (-1, heads)), p).flatten(0, 1)

    changed: dict[str, Any] = {
        "dropout": dropout,
        "scaled_dot_product_attention": lambda *args, **kwargs: attend(*args, drop=drop, **kwargs),
    }
    originals = {name: getattr(F, name) for name in changed}
    try:
        for name, function in changed.items():
            setattr(F, name, function)
        yield
    finally:
        for name, function in originals.items():
            setattr(F, name, function)
