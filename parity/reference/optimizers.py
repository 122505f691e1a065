"""Optimizers by hand, in PyTorch's form: pure functions of dicts of float64 arrays.

In all of them weight decay is L2: it is added to the gradient before anything else (optax's
`add_decayed_weights` first in the chain; not AdamW). A parameter without a gradient stays as it is, moments
and step count too, as PyTorch does with `grad = None` and unlike a zero gradient.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from parity.reference.layers import Array


@dataclass(frozen=True)
class State:
    """The state of an optimizer between two updates.

    Attributes:
        step: number of updates of each parameter.
        moments: PyTorch's name of the moment (`exp_avg`, …) → name of the parameter → array of its shape.
    """

    step: dict[str, int]
    moments: dict[str, dict[str, Array]]


@dataclass(frozen=True)
class Optimizer:
    """The base class of the optimizers. A subclass names its moments and writes `direction`.

    Args:
        weight_decay: factor of the parameter that is added to its gradient.
    """

    weight_decay: float = 0.0

    def moment_names(self) -> tuple[str, ...]:
        """Name the moments, as PyTorch does."""
        raise NotImplementedError

    def direction(self, gradient: Array, step: int, **moments: Array) -> tuple[Array, dict[str, Array]]:
        """Return what is multiplied by the learning rate and subtracted, and the new moments; `step` starts at 1."""
        raise NotImplementedError

    def init(self, parameters: Mapping[str, Array]) -> State:
        """Make the state before the first update: all moments zero."""
        moments = {m: {name: np.zeros_like(p) for name, p in parameters.items()} for m in self.moment_names()}
        return State(dict.fromkeys(parameters, 0), moments)

    def update(
        self, parameters: Mapping[str, Array], gradients: Mapping[str, Array], state: State, learning_rate: float
    ) -> tuple[dict[str, Array], State]:
        """Take one step; nothing is changed in place.

        Args:
            parameters: name → array.
            gradients: name → array of the parameter's shape; names may be absent.
            state: what `init` or the last `update` returned.
            learning_rate: may differ from call to call.

        Returns:
            The new parameters (all of them) and the new state.

        Raises:
            ValueError: a gradient's name or shape is not that of a parameter.
        """
        updated, step = dict(parameters), dict(state.step)
        moments = {moment: dict(by_name) for moment, by_name in state.moments.items()}
        for name, gradient in gradients.items():
            if name not in parameters or gradient.shape != parameters[name].shape:
                raise ValueError(
                    f"update: got a gradient {name!r} {gradient.shape}, expected a parameter's name and shape"
                )
            step[name] += 1
            decayed = gradient + self.weight_decay * parameters[name]
            earlier = {moment: by_name[name] for moment, by_name in moments.items()}
            direction, later = self.direction(decayed, step[name], **earlier)
            updated[name] = parameters[name] - learning_rate * direction
            for moment, array in later.items():
                moments[moment][name] = array
        return updated, State(step, moments)


@dataclass(frozen=True)
class Adam(Optimizer):
    """`torch.optim.Adam`: m / (1 - β₁ᵗ) / (sqrt(v / (1 - β₂ᵗ)) + eps), eps outside the root.

    Args:
        weight_decay: L2, added to the gradient.
        betas: decay of `exp_avg` and of `exp_avg_sq`.
        eps: added to the root of the corrected second moment; optax's `eps`, with `eps_root` 0.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def moment_names(self) -> tuple[str, ...]:
        """Name the first and the second moment."""
        return "exp_avg", "exp_avg_sq"

    def direction(self, gradient: Array, step: int, **moments: Array) -> tuple[Array, dict[str, Array]]:
        """See the class."""
        first, second = self.betas
        exp_avg = first * moments["exp_avg"] + (1 - first) * gradient
        exp_avg_sq = second * moments["exp_avg_sq"] + (1 - second) * gradient**2
        root = np.sqrt(exp_avg_sq / (1 - second**step))
        return exp_avg / (1 - first**step) / (root + self.eps), {"exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq}


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """`torch.optim.RMSprop`, neither centred nor with momentum: g / (sqrt(v) + eps), eps outside the root.

    Differs from `optax.rmsprop`, whose default decay is 0.9 and whose eps is inside the root by default.

    Args:
        weight_decay: L2, added to the gradient.
        alpha: decay of `square_avg`.
        eps: added to the root.
    """

    alpha: float = 0.99
    eps: float = 1e-8

    def moment_names(self) -> tuple[str, ...]:
        """Name the second moment."""
        return ("square_avg",)

    def direction(self, gradient: Array, step: int, **moments: Array) -> tuple[Array, dict[str, Array]]:
        """See the class."""
        square_avg = self.alpha * moments["square_avg"] + (1 - self.alpha) * gradient**2
        return gradient / (np.sqrt(square_avg) + self.eps), {"square_avg": square_avg}


@dataclass(frozen=True)
class SGD(Optimizer):
    """`torch.optim.SGD` without dampening or Nesterov: b = momentum * b + g, and b is the direction.

    Args:
        weight_decay: L2, added to the gradient.
        momentum: decay of `momentum_buffer`; with 0 there is no buffer, as in PyTorch.
    """

    momentum: float = 0.0

    def moment_names(self) -> tuple[str, ...]:
        """Name the momentum buffer, if there is momentum."""
        return ("momentum_buffer",) if self.momentum else ()

    def direction(self, gradient: Array, step: int, **moments: Array) -> tuple[Array, dict[str, Array]]:
        """See the class."""
        if not moments:
            return gradient, {}
        buffer = self.momentum * moments["momentum_buffer"] + gradient
        return buffer, {"momentum_buffer": buffer}


def global_norm(gradients: Mapping[str, Array]) -> float:
    """Compute the Euclidean norm of all gradients taken as one vector."""
    return float(np.sqrt(sum(float(np.vdot(gradient, gradient)) for gradient in gradients.values())))


def clip_by_global_norm(gradients: Mapping[str, Array], max_norm: float) -> dict[str, Array]:
    """Scale all gradients by min(1, max_norm / (norm + 1e-6)), as `torch.nn.utils.clip_grad_norm_`.

    Differs from `optax.clip_by_global_norm`, which has no 1e-6.

    Returns:
        New arrays; `global_norm` of the argument is what PyTorch's function returns.
    """
    coefficient = min(1.0, max_norm / (global_norm(gradients) + 1e-6))
    return {name: coefficient * gradient for name, gradient in gradients.items()}
