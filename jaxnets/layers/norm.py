"""Normalisation, with every default spelled."""

import jax
import jax.numpy as jnp
from flax import nnx


def layer_norm(num_features: int, *, epsilon: float, affine: bool = True, rngs: nnx.Rngs) -> nnx.LayerNorm:
    """Normalise the last axis (…, C) to mean 0 and variance 1, then scale and bias unless `affine` is False.

    The variance is computed from deviations; Flax's default is E[x²] − E[x]², which cancels at large means.
    """
    return nnx.LayerNorm(
        num_features, epsilon=epsilon, use_bias=affine, use_scale=affine, use_fast_variance=False, rngs=rngs
    )


def rms_norm(num_features: int, *, epsilon: float, rngs: nnx.Rngs) -> nnx.RMSNorm:
    """Divide the last axis (…, C) by the root of its mean square, then scale."""
    return nnx.RMSNorm(num_features, epsilon=epsilon, use_scale=True, use_fast_variance=False, rngs=rngs)


def group_norm(num_features: int, *, groups: int, epsilon: float, rngs: nnx.Rngs) -> nnx.GroupNorm:
    """Normalise each example's groups of channels over a map (B, H, W, C) and the group, then scale and bias.

    Groups are neighbouring channels. The variance is computed from deviations, as `layer_norm` does. Source:
    https://arxiv.org/abs/1803.08494.
    """
    return nnx.GroupNorm(
        num_features,
        num_groups=groups,
        epsilon=epsilon,
        use_bias=True,
        use_scale=True,
        use_fast_variance=False,
        rngs=rngs,
    )


class BatchNorm(nnx.Module):
    """Batch normalisation over all axes but the last, keeping the running variance that PyTorch keeps.

    Args:
        num_features: size C of the last axis.
        epsilon: added to the variance.
        momentum: the part of the running statistics that one training step *keeps* (PyTorch's momentum is 1 − this).
        rngs: unused; every Flax layer takes it.

    `scale` and `bias` are parameters (C,); `mean` and `var` are the running statistics (C,), updated when called with
    `use_running_average` False, which `model.train()` and `model.eval()` switch.

    Differs from `flax.nnx.BatchNorm`: `var` runs over the *unbiased* batch variance, n/(n−1) times the biased one that
    normalises, as in https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html; the variance is
    computed from deviations, not as E[x²] − E[x]², which cancels at large means; one value a channel is an error.

    Raises:
        ValueError: it is called in training with one value a channel, whose variance is undefined.
    """

    def __init__(self, num_features: int, *, epsilon: float, momentum: float, rngs: nnx.Rngs) -> None:
        del rngs
        self.scale = nnx.Param(jnp.ones(num_features))
        self.bias = nnx.Param(jnp.zeros(num_features))
        self.mean = nnx.BatchStat(jnp.zeros(num_features))
        self.var = nnx.BatchStat(jnp.ones(num_features))
        self.epsilon = epsilon
        self.momentum = momentum
        self.use_running_average = False

    def __call__(self, x: jax.Array) -> jax.Array:
        """Normalise x (…, C)."""
        if self.use_running_average:
            mean, var = self.mean[...], self.var[...]
        else:
            mean, var = self.statistics(x)
            self.update(mean, var, x.size // x.shape[-1])
        return (x - mean) * jax.lax.rsqrt(var + self.epsilon) * self.scale[...] + self.bias[...]

    def statistics(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean and biased variance of the batch, each (C,)."""
        axes = tuple(range(x.ndim - 1))
        return x.mean(axes), x.var(axes)

    def update(self, mean: jax.Array, var: jax.Array, n: int) -> None:
        """Move the running statistics towards those of a batch of n values a channel."""
        if n < 2:
            raise ValueError(f"BatchNorm in training got {n} value a channel; expected at least 2")
        keep = self.momentum
        self.mean[...] = keep * self.mean[...] + (1 - keep) * mean
        self.var[...] = keep * self.var[...] + (1 - keep) * var * (n / (n - 1))
