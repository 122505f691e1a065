"""A feed-forward layer of experts: a router sends each position to a few of them."""

import torch
from torch import nn
from torch.nn import functional as F

from torchnets.layers.decoder import GatedFeedForward
from torchnets.layers.dense import dense
from torchnets.layers.initial import Generator, stack


def grouped(rows: torch.Tensor, kernels: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """Multiply the first sizes[0] rows by the first kernel, the next sizes[1] by the second, and so on.

    Args:
        rows: (N, in), ordered by their kernel.
        kernels: (E, in, out).
        sizes: whole numbers (E,), which add up to N.

    Returns:
        (N, out). Differs from `torch.nn.functional.grouped_mm`, which takes no float64.
    """
    parts = rows.split(sizes.tolist())
    return torch.cat([part @ kernel for part, kernel in zip(parts, kernels, strict=True)])


def load_balance(shares: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Auxiliary loss that is 1 where all experts get equally many positions: E · Σ fₑ·Pₑ.

    fₑ is the part of all choices that fell on expert e, which has no gradient, and Pₑ the mean of its shares.

    Args:
        shares: the router's softmax over all experts, (N, E).
        chosen: the experts of each position, whole numbers (N, K).

    Returns:
        a scalar. Source: https://arxiv.org/abs/2401.06066, equations 12 to 14, without the factor α.
    """
    counts = chosen.flatten().bincount(minlength=shares.shape[-1])
    return shares.shape[-1] * (counts.to(shares.dtype) / chosen.numel() * shares.mean(0)).sum()


class RoutedFeedForward(nn.Module):
    """Σ shareₑ(x) · expertₑ(x) over the K experts with the largest shares, and the shared expert; (…, C) → (…, C).

    Each expert is a `GatedFeedForward`, whose three kernels lie stacked. No position is dropped, however many choose an
    expert. Among equal shares the expert with the lower number is chosen.

    Args:
        width: features C.
        experts, experts_per_token: number of experts E, and K of them that a position goes through.
        hidden, shared_hidden: features inside each expert, and inside the one that all go through; 0 has none.
        renormalize: whether the K shares are divided by their sum, as in Mixtral, and not taken as they are.
        init: name of the initial distribution.
        generator: source of the initial weights.

    Source: https://arxiv.org/abs/2401.06066 and https://arxiv.org/abs/2401.04088.
    """

    def __init__(
        self,
        width: int,
        experts: int,
        experts_per_token: int,
        hidden: int,
        shared_hidden: int,
        *,
        renormalize: bool,
        init: str,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.experts_per_token = experts_per_token
        self.renormalize = renormalize
        self.router = dense(width, experts, bias=False, init=init, generator=generator)
        self.gate = stack((experts, width, hidden), init=init, generator=generator)
        self.hidden = stack((experts, width, hidden), init=init, generator=generator)
        self.out = stack((experts, hidden, width), init=init, generator=generator)
        self.shared = GatedFeedForward(width, shared_hidden, init=init, generator=generator) if shared_hidden else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Send each position of x (…, C) through its experts."""
        rows = x.reshape(-1, x.shape[-1])
        mixed = self.mix(rows, *self.choose(self.shares(rows))).reshape(x.shape)
        return mixed if self.shared is None else mixed + self.shared(x)

    def balance(self, x: torch.Tensor) -> torch.Tensor:
        """The auxiliary loss of x (…, C), a scalar; see `load_balance`."""
        shares = self.shares(x.reshape(-1, x.shape[-1]))
        return load_balance(shares, self.choose(shares)[1])

    def shares(self, rows: torch.Tensor) -> torch.Tensor:
        """What each of all experts would count for rows (N, C), (N, E); rows add up to 1."""
        return F.softmax(self.router(rows), dim=-1)

    def choose(self, shares: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The largest of shares (N, E), as they count, and their experts; (N, K) each."""
        shares, chosen = (x[:, : self.experts_per_token] for x in shares.sort(dim=-1, descending=True, stable=True))
        return shares / shares.sum(-1, keepdim=True) if self.renormalize else shares, chosen

    def mix(self, rows: torch.Tensor, shares: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """What the chosen experts give for rows (N, C), times their shares (N, K); (N, C)."""
        order = chosen.flatten().argsort(stable=True)
        sizes = chosen.flatten().bincount(minlength=self.gate.shape[0])
        x = rows[order // self.experts_per_token]
        x = F.silu(grouped(x, self.gate, sizes)) * grouped(x, self.hidden, sizes)
        x = grouped(x, self.out, sizes)[order.argsort()].reshape(*chosen.shape, -1)
        return torch.einsum("nk,nkc->nc", shares, x)
