"""Optimizers of the twins: PyTorch's formulas, with every hyperparameter spelled."""

from typing import Any

import jax
import jax.numpy as jnp
import optax


def adam(
    learning_rate: optax.ScalarOrSchedule, *, betas: tuple[float, float], eps: float, weight_decay: float
) -> optax.GradientTransformation:
    """Adam with L2 decay: weight_decay · parameter is added to the gradient before the moments.

    Differs from `optax.adamw`, whose decay is decoupled.
    Source: https://arxiv.org/abs/1412.6980 and `torch.optim.Adam`.
    """
    return optax.chain(
        optax.add_decayed_weights(weight_decay),
        optax.adam(learning_rate, b1=betas[0], b2=betas[1], eps=eps, eps_root=0.0),
    )


def rmsprop(learning_rate: optax.ScalarOrSchedule, *, alpha: float, eps: float) -> optax.GradientTransformation:
    """RMSprop with eps *outside* the square root.

    Differs from `optax.rmsprop`, whose decay is 0.9 and whose eps is inside by default. Source: `torch.optim.RMSprop`.
    """
    return optax.rmsprop(learning_rate, decay=alpha, eps=eps, initial_scale=0.0, eps_in_sqrt=False)


def sgd(learning_rate: optax.ScalarOrSchedule, *, momentum: float) -> optax.GradientTransformation:
    """Gradient descent; with momentum ≠ 0 the buffer is momentum · buffer + gradient. Source: `torch.optim.SGD`."""
    return optax.sgd(learning_rate, momentum=momentum or None, nesterov=False)


def clip_by_global_norm(max_norm: float) -> optax.GradientTransformation:
    """Scale all gradients by min(1, max_norm / (norm + 1e-6)), norm over all of them together.

    Differs from `optax.clip_by_global_norm` by the 1e-6. Source: `torch.nn.utils.clip_grad_norm_`.
    """

    def update(updates: Any, state: optax.EmptyState, params: Any = None) -> tuple[Any, optax.EmptyState]:
        del params
        coefficient = jnp.minimum(1.0, max_norm / (optax.tree.norm(updates) + 1e-6))
        return jax.tree.map(lambda g: g * coefficient.astype(g.dtype), updates), state

    return optax.GradientTransformation(lambda _: optax.EmptyState(), update)
