"""PyTorch's two spectral norms: what a layer with one holds, and the same layer with Flax's power iteration.

Both keep u and v, and divide the weight W by sigma = uᵀ W v. In training they take steps of the power iteration first:
the old one (a hook) from u, v = N(Wᵀ u) and then u = N(W v); the new one (a parametrization) from v, u = N(W v) and
then v = N(Wᵀ u). In evaluation they take none. N divides by the norm, or by eps if that is larger. Flax's
`SpectralNorm` keeps u, takes the steps of the old one in training and in evaluation, and N(x) is x / √(Σx² + eps).
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized
from torch.nn.utils.spectral_norm import SpectralNorm

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@dataclass(frozen=True)
class Spectral:
    """A layer's spectral norm.

    Args:
        holder: what computes the weight: the hook, or the parametrization.
        weight, u, v: names of what is normed and of the two vectors, in the layer.
        steps: steps of the power iteration at a call in training.
        first: which vector a step begins with, "u" or "v".
    """

    holder: Any
    weight: str
    u: str
    v: str
    steps: int
    first: str

    @property
    def settings(self) -> dict[str, Any]:
        """What `SETTINGS` has of it."""
        order = "v and u" if self.first == "v" else "u and v"
        return {
            "power_steps": self.steps,
            "power_eps": float(self.holder.eps),
            "power_iteration": f"of {order} in training alone",
        }


def spectral_of(module: nn.Module) -> Spectral | None:
    """The spectral norm of a layer's weight along its outputs; None without one, or along another axis."""
    hooks = [h for h in module._forward_pre_hooks.values() if isinstance(h, SpectralNorm) and h.name == "weight"]
    parts = list(getattr(cast(Any, module.parametrizations), "weight", ())) if is_parametrized(module) else []
    norm: Spectral | None = None
    if len(hooks) == 1:
        norm = Spectral(hooks[0], "weight_orig", "weight_u", "weight_v", hooks[0].n_power_iterations, "v")
    elif [type(part).__name__ for part in parts] == ["_SpectralNorm"]:
        place = "parametrizations.weight"
        steps = int(getattr(parts[0], "n_power_iterations", 0))
        norm = Spectral(parts[0], f"{place}.original", f"{place}.0._u", f"{place}.0._v", steps, "u")
    outputs = 1 if isinstance(module, TRANSPOSED) else 0
    return norm if norm is not None and norm.steps and norm.holder.dim == outputs else None


def iterate_as_flax(module: nn.Module, steps: int, eps: float) -> None:
    """Let a layer with a spectral norm take Flax's steps, from its own u, whose numbers they change in training."""
    spectral = spectral_of(module)
    assert spectral is not None  # it was described as one
    holder = spectral.holder
    kind = _Hook if isinstance(holder, SpectralNorm) else _Parametrization
    holder.__class__ = type(type(holder).__name__, (kind, type(holder)), {"flax": (steps, eps)})


class _Hook:
    """The old spectral norm, as Flax computes it."""

    flax: tuple[int, float]

    def compute_weight(self: Any, module: nn.Module, do_power_iteration: bool) -> torch.Tensor:
        """The weight by its spectral norm."""
        weight, u = getattr(module, f"{self.name}_orig"), getattr(module, f"{self.name}_u")
        return _normed(weight, self.reshape_weight_to_matrix(weight), u, self.flax, do_power_iteration)


class _Parametrization:
    """The new spectral norm, as Flax computes it."""

    flax: tuple[int, float]

    def forward(self: Any, weight: torch.Tensor) -> torch.Tensor:
        """The weight by its spectral norm."""
        return _normed(weight, self._reshape_weight_to_matrix(weight), self._u, self.flax, self.training)


def _normed(
    weight: torch.Tensor, matrix: torch.Tensor, u: torch.Tensor, flax: tuple[int, float], keeps: bool
) -> torch.Tensor:
    steps, eps = flax
    with torch.no_grad():
        latest = u.clone()
        for _ in range(steps):
            v = _unit(matrix.t() @ latest, eps)
            latest = _unit(matrix @ v, eps)
        if keeps:
            u.copy_(latest)
    sigma = torch.dot(latest, matrix @ v)
    return weight / torch.where(sigma != 0, sigma, torch.ones_like(sigma))


def _unit(vector: torch.Tensor, eps: float) -> torch.Tensor:
    return vector * torch.rsqrt((vector * vector).sum() + eps)
