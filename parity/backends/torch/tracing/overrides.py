"""What a pass over a user's PyTorch network changes meanwhile: dropout, hard casts, fast paths, default dtype."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from parity.backends.torch.tracing.attention import FUSED, Drop, attend, inside_multi_head
from parity.backends.torch.tracing.exact import EXACT
from parity.backends.torch.tracing.noise import SOURCES, Draws
from parity.backends.torch.tracing.place import place
from parity.backends.torch.tracing.tables import TableWatch
from parity.backends.torch.tracing.widen import SHORT, WIDE, single_finfo, users_line, widened_arguments
from parity.interface.observation import Cast, Dropped, Mask, Noise

ELEMENTS = {F.dropout, torch.dropout, F.alpha_dropout, torch.alpha_dropout}
CHANNELS = {F.dropout1d, F.dropout2d, F.dropout3d, F.feature_alpha_dropout, torch.feature_dropout}
TENSOR: Any = torch.Tensor  # of which mypy does not know all
CASTS = {
    torch.Tensor.float: torch.float32,
    torch.Tensor.half: torch.float16,
    torch.Tensor.bfloat16: torch.bfloat16,
    TENSOR.cfloat: torch.complex64,
}
WIDE_CASTS = {torch.float64: torch.Tensor.double, torch.complex128: TENSOR.cdouble}
TENSOR_TYPES = {"torch.FloatTensor": torch.float32, "torch.HalfTensor": torch.float16}
TENSOR_TYPES["torch.BFloat16Tensor"] = torch.bfloat16
DIGITS = 12
"""Of a rate, which is one less what is kept."""
DROPS = ELEMENTS | CHANNELS | {FUSED, F.multi_head_attention_forward}
MARKS = {TENSOR.requires_grad.__set__, torch.Tensor.requires_grad_}
"""How a network says that it wants gradients of what it makes of its inputs, for a reentrant checkpoint for example."""
DRAWS = {torch.bernoulli, torch.Tensor.bernoulli, torch.Tensor.bernoulli_}


class PassOverrides(TorchFunctionMode):
    """Takes dropout over, and lets casts to a narrower type keep float64.

    Args:
        dtype: floating type that the pass computes in.
        mask: what dropout does; None turns it off.
        gelu: form of every GELU, "exact" or "tanh"; None leaves them.
        training: the mode; in evaluation a dropout that is on nevertheless is off too.
        leaves_dropout: whether dropout is left as the network asks for it.
        watch: told of every call, to find the network's tables.
        noise: numbers of the network's draws that are no dropout; None lets it draw them.
    """

    def __init__(
        self,
        dtype: torch.dtype,
        mask: Mask | None,
        gelu: str | None = None,
        training: bool = True,
        *,
        leaves_dropout: bool = False,
        watch: TableWatch | None = None,
        noise: Noise | None = None,
    ) -> None:
        super().__init__()
        self.draws = Draws(noise)
        self.watch = watch
        self.leaves_dropout = leaves_dropout
        self.gelu = gelu
        self.gelus: list[str] = []
        self.dtype = dtype
        self.mask = mask
        self.training = training
        self.dropouts: list[Dropped] = []
        self.casts: list[Cast] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if self.dtype == torch.float64:
            func, args, kwargs = self._widened(func, args, kwargs)
        if self.watch is None:
            return self._taken_over(func, args, kwargs)
        args, kwargs = self.watch.entering(func, args, kwargs)
        result = self._taken_over(func, args, kwargs)
        self.watch.leaving(func, args, kwargs, result)
        return result

    def _taken_over(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """The result of a call, with dropout and GELU as they are in this pass."""
        # PyTorch lets it be said of leaves only; what is made of inputs that want gradients is none.
        if func in MARKS and args[1:] != (False,) and args[0].requires_grad:
            return args[0]
        if self.leaves_dropout and func in DROPS:
            return func(*args, **kwargs)
        if func in ELEMENTS or func in CHANNELS:
            return self._dropout(func, *args, **kwargs)
        if func in DRAWS and self.training:
            return self._kept(func, *args, **kwargs)
        if func in SOURCES:
            return self.draws.result(func, args, kwargs)
        if func is F.gelu:
            kwargs["approximate"] = self._gelu(kwargs.get("approximate", args[1] if len(args) > 1 else "none"))
            args = args[:1]
        if func is FUSED:
            return attend(*args, drop=self._drop, **kwargs)
        if func is F.multi_head_attention_forward:
            with inside_multi_head(self._drop, *args, **kwargs):
                return func(*args, **kwargs)
        return func(*args, **kwargs)

    def _dropout(self, func: Any, x: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        del inplace
        if not training or p == 0:
            return x
        shape = tuple(x.shape) if func in ELEMENTS else (*x.shape[:2], *[1] * (x.ndim - 2))
        return self._masked(x, Dropped(shape, float(p)))

    @property
    def _drop(self) -> Drop:
        """What drops attention weights; without masks it is None and not even noted, as Flax's is not."""
        if self.mask is None:
            return None
        return lambda weights, p: self._masked(weights, Dropped(tuple(weights.shape), float(p)))

    def _masked(self, x: torch.Tensor, used: Dropped) -> torch.Tensor:
        if not self.training:
            return x
        self.dropouts.append(used)
        mask = None if self.mask is None else self.mask(len(self.dropouts) - 1, used)
        return x if mask is None else x * torch.tensor(mask, dtype=x.dtype, device=x.device)

    def _kept(self, func: Any, x: torch.Tensor, p: Any = None, **kwargs: Any) -> torch.Tensor:
        """Draws of 0 and 1 for a dropout of the network's own: those of the mask, or their mean, in which dropout is
        linear."""
        del kwargs
        if p is None:
            p = 0.5 if func is torch.Tensor.bernoulli_ else x.clone()
        if not isinstance(p, torch.Tensor):
            self.dropouts.append(Dropped(tuple(x.shape), round(1.0 - p, DIGITS)))
            mask = None if self.mask is None else self.mask(len(self.dropouts) - 1, self.dropouts[-1])
            p = torch.full_like(x, p) if mask is None else torch.tensor(mask > 0, dtype=x.dtype, device=x.device)
        return x.copy_(p) if func is torch.Tensor.bernoulli_ else p

    def _gelu(self, approximate: str) -> str:
        self.gelus.append("tanh" if approximate == "tanh" else "exact")
        return approximate if self.gelu is None else "tanh" if self.gelu == "tanh" else "none"

    def _widened(self, func: Any, args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
        """The call with wider types in the place of narrower ones, and without its cast."""
        if getattr(func, "__name__", "") in ("__get__", "__set__", "__delete__"):
            return func, args, kwargs
        self._tell(func, args, kwargs)
        if func in CASTS:
            func = WIDE_CASTS[WIDE[CASTS[func]]]
        if func is torch.Tensor.type:
            args = tuple(TENSOR_TYPES.get(a, a) if isinstance(a, str) else a for a in args)
        first, rest = args[:1], args[1:]
        rest, kwargs = widened_arguments(rest, kwargs)
        if not _in_place(func):  # what changes a tensor has to get that one
            first, _ = widened_arguments(first, {})
        args = tuple(WIDE.get(a, a) if isinstance(a, torch.dtype) else a for a in (*first, *rest))
        kwargs = {key: WIDE.get(a, a) if isinstance(a, torch.dtype) else a for key, a in kwargs.items()}
        if func in (F.rms_norm, torch.rms_norm) and (kwargs.get("eps") or (args[3] if len(args) > 3 else None)) is None:
            args, kwargs = args[:3], {**kwargs, "eps": torch.finfo(torch.float32).eps}
        return EXACT.get(func, func), args, kwargs

    def _tell(self, func: Any, args: Any, kwargs: Any) -> None:
        """Note a cast to a type that is narrower than float32."""
        named: list[Any] = [a for a in (*args, *kwargs.values()) if isinstance(a, torch.dtype)]
        named += [TENSOR_TYPES.get(a) for a in args if isinstance(a, str)] if func is torch.Tensor.type else []
        named += [CASTS[func]] if func in CASTS else []
        kind = place().type
        if func in MULTIPLY and torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
            named.append(torch.get_autocast_dtype(kind))
        for dtype in named:
            if dtype in SHORT and (line := users_line()):
                self.casts.append(Cast(str(dtype).removeprefix("torch."), line))


MULTIPLY = {
    F.linear,
    F.conv1d,
    F.conv2d,
    F.conv3d,
    torch.matmul,
    torch.Tensor.matmul,
    torch.Tensor.__matmul__,
    torch.bmm,
}
"""What autocast computes in a narrower type, among others; float64 tensors it leaves alone."""


def _in_place(func: Any) -> bool:
    name = getattr(func, "__name__", "")
    return (
        name in ("__setitem__", "copy_") or (name.endswith("_") and not name.endswith("__")) or name.startswith("__i")
    )


@contextmanager
def plain_paths(dtype: torch.dtype) -> Iterator[None]:
    """Attention without the fast path that passes hooks by, and new tensors of the pass's dtype."""
    fast, default = torch.backends.mha.get_fastpath_enabled(), torch.get_default_dtype()
    torch.backends.mha.set_fastpath_enabled(False)
    torch.set_default_dtype(dtype)
    try:
        with single_finfo(dtype):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        torch.set_default_dtype(default)
