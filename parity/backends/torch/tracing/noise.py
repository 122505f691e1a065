"""A network's draws of random numbers, which are listed and may get other numbers."""

from typing import Any

import torch
from torch.nn import functional as F

from parity.interface.observation import DrawKind, Drawn, Noise

TENSOR: Any = torch.Tensor  # of which mypy does not know all
NEW: dict[Any, DrawKind] = {
    torch.rand: "uniform",
    torch.rand_like: "uniform",
    torch.randn: "normal",
    torch.randn_like: "normal",
}
IN_PLACE: dict[Any, DrawKind] = {
    TENSOR.uniform_: "uniform",
    TENSOR.normal_: "normal",
    TENSOR.exponential_: "exponential",
}
LAWS: dict[Any, tuple[str, str]] = {
    TENSOR.uniform_: ("from", "to"),
    TENSOR.normal_: ("mean", "std"),
    TENSOR.exponential_: ("lambd", ""),
    torch.normal: ("mean", "std"),
}
"""Names of a draw's first two parameters, by which its numbers are scaled and shifted."""
DEFAULTS: dict[str, Any] = {"from": 0.0, "to": 1.0, "mean": 0.0, "std": 1.0, "lambd": 1.0, "": None}
SOURCES = frozenset({*NEW, *IN_PLACE, torch.normal, F.gumbel_softmax})
"""Functions whose draws may get other numbers."""


class Draws:
    """The draws of one pass, in order.

    Args:
        noise: Their numbers; None lets PyTorch draw them.
    """

    def __init__(self, noise: Noise | None) -> None:
        self._noise = noise
        self.drawn: list[Drawn] = []

    def result(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """What one of the sources gives."""
        if func is F.gumbel_softmax:
            return self._gumbel_softmax(*args, **kwargs)
        result = func(*args, **kwargs)
        kind = NEW.get(func) or IN_PLACE.get(func) or "normal"
        standard = self._next(kind, result)
        return result if standard is None else result.copy_(_scaled(func, standard, args, kwargs))

    def _next(self, kind: DrawKind, like: torch.Tensor) -> torch.Tensor | None:
        """The numbers of the next draw, in the dtype and on the device of what PyTorch drew; None if that stays."""
        drawn = Drawn(kind, tuple(like.shape))
        self.drawn.append(drawn)
        if self._noise is None:
            return None
        return torch.as_tensor(self._noise(len(self.drawn) - 1, drawn), dtype=like.dtype, device=like.device)

    def _gumbel_softmax(
        self, logits: torch.Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
    ) -> torch.Tensor:
        """PyTorch's function of that name, whose draws are inside."""
        standard = self._next("gumbel", logits)
        if standard is None:
            return F.gumbel_softmax(logits, tau, hard, eps, dim)
        soft = ((logits + standard) / tau).softmax(dim)
        if not hard:
            return soft
        chosen = torch.zeros_like(logits).scatter_(dim, soft.max(dim, keepdim=True)[1], 1.0)
        return chosen - soft.detach() + soft


def _scaled(func: Any, standard: torch.Tensor, args: Any, kwargs: dict[str, Any]) -> torch.Tensor:
    """The numbers of a draw with its parameters."""
    if func not in LAWS:
        return standard
    names = LAWS[func]
    positional = args if func is torch.normal else args[1:]
    first, second = (positional[i] if i < len(positional) else kwargs.get(n, DEFAULTS[n]) for i, n in enumerate(names))
    if func is TENSOR.uniform_:
        return first + standard * (second - first)
    return standard / first if func is TENSOR.exponential_ else first + standard * second
