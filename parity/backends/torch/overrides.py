"""What a pass over a user's PyTorch network changes meanwhile: dropout, hard casts, fast paths, default dtype."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from parity.backends.torch.attention import FUSED, Drop, attend, inside_multi_head
from parity.interface.observation import Dropped, Mask

ELEMENTS = {F.dropout, torch.dropout, F.alpha_dropout, torch.alpha_dropout}
CHANNELS = {F.dropout1d, F.dropout2d, F.dropout3d, F.feature_alpha_dropout, torch.feature_dropout}
DROPS = ELEMENTS | CHANNELS | {FUSED, F.multi_head_attention_forward}
NARROW = {torch.float32, torch.float16, torch.bfloat16}
CASTS = {torch.Tensor.float, torch.Tensor.half, torch.Tensor.bfloat16}


class PassOverrides(TorchFunctionMode):
    """Takes dropout over, and lets casts to a narrower type keep float64.

    Args:
        dtype: of the pass.
        mask: what dropout does; None turns it off.
        gelu: form of every GELU, "exact" or "tanh"; None leaves them.
        leaves_dropout: whether dropout is left as the network asks for it.
    """

    def __init__(
        self, dtype: torch.dtype, mask: Mask | None, gelu: str | None = None, leaves_dropout: bool = False
    ) -> None:
        super().__init__()
        self.leaves_dropout = leaves_dropout
        self.gelu = gelu
        self.gelus: list[str] = []
        self.dtype = dtype
        self.mask = mask
        self.dropouts: list[Dropped] = []
        self.casts: list[str] = []
        self.running: list[str] = []
        """Paths of the modules that are running, innermost last; the taps keep it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if self.leaves_dropout and (func in DROPS):
            return func(*args, **kwargs)
        if func in ELEMENTS or func in CHANNELS:
            return self._dropout(func, *args, **kwargs)
        if func is F.gelu:
            kwargs["approximate"] = self._gelu(kwargs.get("approximate", args[1] if len(args) > 1 else "none"))
            args = args[:1]
        if func is FUSED:
            return attend(self._drop, *args, **kwargs)
        if func is F.multi_head_attention_forward:
            with inside_multi_head(self._drop, *args, **kwargs):
                return func(*args, **kwargs)
        if self.dtype == torch.float64:
            func, args, kwargs = self._widened(func, args, kwargs)
        return func(*args, **kwargs)

    def _dropout(self, func: Any, x: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        del inplace
        if not training or p == 0:
            return x
        shape = tuple(x.shape) if func in ELEMENTS else (*x.shape[:2], *[1] * (x.ndim - 2))
        return self._masked(x, Dropped(shape, float(p)))

    @property
    def _drop(self) -> Drop:
        """Of attention weights; without masks it is not even noted, as Flax's is not."""
        if self.mask is None:
            return None
        return lambda weights, p: self._masked(weights, Dropped(tuple(weights.shape), float(p)))

    def _masked(self, x: torch.Tensor, used: Dropped) -> torch.Tensor:
        self.dropouts.append(used)
        mask = None if self.mask is None else self.mask(len(self.dropouts) - 1, used)
        return x if mask is None else x * torch.tensor(mask, dtype=x.dtype, device=x.device)

    def _gelu(self, approximate: str) -> str:
        self.gelus.append("tanh" if approximate == "tanh" else "exact")
        return approximate if self.gelu is None else "tanh" if self.gelu == "tanh" else "none"

    def _widened(self, func: Any, args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
        """The call without its cast to a narrower type."""
        named = [a for a in (*args, *kwargs.values()) if isinstance(a, torch.dtype) and a in NARROW]
        if not named and func not in CASTS:
            return func, args, kwargs
        self.casts.append(self.running[-1] if self.running else "")
        wide = {key: torch.float64 if value in named else value for key, value in kwargs.items()} if named else kwargs
        wide_args = tuple(torch.float64 if isinstance(a, torch.dtype) and a in NARROW else a for a in args)
        return torch.Tensor.double if func in CASTS else func, wide_args, wide


@contextmanager
def plain_paths(dtype: torch.dtype) -> Iterator[None]:
    """Attention without the fast path that passes hooks by, and new tensors of the pass's dtype."""
    fast, default = torch.backends.mha.get_fastpath_enabled(), torch.get_default_dtype()
    torch.backends.mha.set_fastpath_enabled(False)
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        torch.set_default_dtype(default)
