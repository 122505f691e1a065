"""Functions that PyTorch computes in float64 with less than float64's accuracy, as their definitions say.

They round a constant to float32 inside, or take a shortcut that float32 does not notice. In a float64 pass the
definition stands in their place, so that such a function is not told from another framework's by what no user means by
it. Relative errors of PyTorch 2.13 in float64: `softplus` 1e-10 and its gradient 2e-9 (above its threshold it is the
identity), the gradients of `hardsigmoid` 3e-8 (1/6 in float32), of `celu` 2e-7 (1/alpha in float32) and of `digamma`
2e-10 (few terms of a series).
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.nn import functional as F
from torch.overrides import handle_torch_function, has_torch_function_unary

FLOAT32_BLIND = 15.0
"""A threshold of `softplus` above which float32 cannot tell it from the identity: exp(-15) / 15 is less than 2⁻²⁵."""
TENSOR: Any = torch.Tensor  # of which mypy does not know all


def softplus(input: torch.Tensor, beta: float = 1.0, threshold: float = 20.0) -> torch.Tensor:
    """log(1 + exp(beta · x)) / beta, elementwise; above a threshold that float32 would notice it is the identity."""
    if has_torch_function_unary(input):
        return handle_torch_function(softplus, (input,), input, beta=beta, threshold=threshold)
    if threshold < FLOAT32_BLIND:
        return F.softplus(input, beta, threshold)
    return torch.logaddexp(input * beta, input.new_zeros(())) / beta


def hardsigmoid(input: torch.Tensor, inplace: bool = False) -> torch.Tensor:
    """min(max(x + 3, 0), 6) / 6, elementwise; never in its place."""
    if has_torch_function_unary(input):
        return handle_torch_function(hardsigmoid, (input,), input)
    return F.relu6(input + 3) / 6


def celu(input: torch.Tensor, alpha: float = 1.0, inplace: bool = False) -> torch.Tensor:
    """x where it is positive, elsewhere alpha · (exp(x / alpha) - 1); never in its place."""
    if has_torch_function_unary(input):
        return handle_torch_function(celu, (input,), input, alpha=alpha)
    return torch.where(input > 0, input, alpha * torch.expm1(input.clamp(max=0) / alpha))


def digamma(input: torch.Tensor) -> torch.Tensor:
    """The derivative of log Γ(x), elementwise."""
    if has_torch_function_unary(input):
        return handle_torch_function(digamma, (input,), input)
    result: torch.Tensor = _Digamma.apply(input)
    return result


class _Digamma(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return torch.digamma(x)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return gradient * torch.where(x > 0, torch.special.zeta(2.0, x.clamp(min=0)), torch.polygamma(1, x))


EXACT: Mapping[Any, Callable[..., torch.Tensor]] = {
    F.softplus: softplus,
    F.hardsigmoid: hardsigmoid,
    F.celu: celu,
    torch.celu: celu,
    torch.digamma: digamma,
    torch.special.digamma: digamma,
    torch.special.psi: digamma,
    TENSOR.digamma: digamma,
}
"""PyTorch's function → what a float64 pass computes in its place."""
