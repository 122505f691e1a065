"""Bugs planted in the Flax twin: each is the twin with one small method or layer replaced."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from numpy.typing import NDArray

import jaxnets
from jaxnets import gru, layers, optimizers
from parity.backends.flax.twin import FlaxTwin
from parity.bugs import flax_devices as devices
from parity.bugs.flax_planting import model_changed, of_class
from parity.bugs.zoo import flax as zoo
from parity.bugs.zoo import flax_diffusion as zoo_diffusion
from parity.bugs.zoo import flax_latent as zoo_latent
from parity.bugs.zoo import flax_sequences as zoo_sequences
from parity.data import Batch
from parity.interface.trace import Arrays
from parity.recipes import Optimizer


def _rule(make: Callable[[Optimizer, Any], optax.GradientTransformation]) -> type[FlaxTwin]:
    """The twin with another optimizer rule."""

    class Planted(FlaxTwin):
        def rule(self, spec: Optimizer, learning_rate: Any) -> optax.GradientTransformation:
            return make(spec, learning_rate)

    return Planted


class _KernelT(FlaxTwin):
    def import_weights(self, weights: Mapping[str, NDArray]) -> Arrays:
        native = super().import_weights(weights)
        return {name: a.swapaxes(0, 1) if a.ndim == 4 else a for name, a in native.items()}


class _OneBias(FlaxTwin):
    def import_weights(self, weights: Mapping[str, NDArray]) -> Arrays:
        native = super().import_weights(weights)
        bias = native["cell.hh.bias"]
        return {**native, "cell.hx.bias": native["cell.hx.bias"] + bias, "cell.hh.bias": 0 * bias}


def _arrays(layer: Any) -> tuple[jax.Array, jax.Array]:
    return layer.kernel[...], layer.bias[...]


class _ResetBeforeCell(gru.GRUCell):
    def __call__(self, x: jax.Array, h: jax.Array) -> jax.Array:
        x_r, x_z, x_n = jnp.split(self.hx(x), 3, axis=-1)
        h_r, h_z, _ = jnp.split(self.hh(h), 3, axis=-1)
        r, z = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_z + h_z)
        kernel, bias = (jnp.split(part, 3, axis=-1)[2] for part in _arrays(self.hh))
        n = jnp.tanh(x_n + (r * h) @ kernel + bias)
        return (1 - z) * n + z * h


class _OneHotFromOne(FlaxTwin):
    def receive(self, batch: Batch) -> Batch:
        received = super().receive(batch)
        rows = jax.nn.one_hot(received.inputs.argmax(-1) + 1, received.inputs.shape[-1], dtype=jnp.float32)
        return replace(received, inputs=np.array(rows))


class _LastAxisFlatten(layers.Flatten):
    def __call__(self, x: jax.Array) -> jax.Array:
        return x.reshape(x.shape[0], -1)


class _SamePool(layers.MaxPool):
    def __call__(self, x: jax.Array) -> jax.Array:
        return nnx.max_pool(x, (self.window, self.window), (self.stride, self.stride), "SAME")


def _windows(self: layers.MaxPool, x: jax.Array, fill: float) -> jax.Array:
    """The elements of every window, stacked in front: (window², B, H′, W′, C)."""
    pad, stride = self.padding, self.stride
    padded = jnp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=fill)
    height, width = ((size + 2 * pad - self.window) // stride + 1 for size in x.shape[1:3])
    cells = [(i, j) for i in range(self.window) for j in range(self.window)]
    return jnp.stack(
        [
            padded[:, i : i + stride * height : stride, j : j + stride * width : stride][:, :height, :width]
            for i, j in cells
        ]
    )


class _TiesSharedPool(layers.MaxPool):
    def __call__(self, x: jax.Array) -> jax.Array:
        return _windows(self, x, -jnp.inf).max(0)


class _ZeroPadPool(layers.MaxPool):
    def __call__(self, x: jax.Array) -> jax.Array:
        pad = self.padding
        padded = jnp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        return nnx.max_pool(padded, (self.window, self.window), (self.stride, self.stride), "VALID")


class _UnbiasedNorm(layers.BatchNorm):
    def statistics(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        mean, var = super().statistics(x)
        n = x.size // x.shape[-1]
        return mean, var * (n / (n - 1))

    def update(self, mean: jax.Array, var: jax.Array, n: int) -> None:
        super().update(mean, var * ((n - 1) / n), n)


class _DetachedNorm(layers.BatchNorm):
    def statistics(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.lax.stop_gradient(super().statistics(x))


class _BiasedNorm(layers.BatchNorm):
    def update(self, mean: jax.Array, var: jax.Array, n: int) -> None:
        super().update(mean, var * ((n - 1) / n), n)


class _TwoPassNorm(layers.BatchNorm):
    def statistics(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        axes = tuple(range(x.ndim - 1))
        mean = x.mean(axes)
        return mean, ((x - mean) ** 2).mean(axes)


class _FastNorm(layers.BatchNorm):
    def statistics(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        axes = tuple(range(x.ndim - 1))
        mean = x.mean(axes)
        return mean, (x**2).mean(axes) - mean**2


class _LoopRNN(jaxnets.RNN):
    def __call__(self, x: jax.Array) -> jax.Array:
        h = jnp.zeros((x.shape[0], self.hidden_size), x.dtype)
        for t in range(x.shape[1]):
            h = self.tanh(self.hx(x[:, t]) + self.hh(h))
        return self.ph(h)


def _keeps_99(model: nnx.Module, seed: int) -> None:
    del seed
    for _, module in nnx.iter_modules(model):
        if isinstance(module, layers.BatchNorm):
            module.momentum = 0.99


def _conv_same(model: nnx.Module, seed: int) -> None:
    del seed
    for _, module in nnx.iter_modules(model):
        if isinstance(module, nnx.Conv):
            module.padding = "SAME"


def _normal_recurrent(model: Any, seed: int) -> None:
    size = model.hidden_size
    model.hh.kernel = nnx.Param(jax.random.normal(jax.random.key(seed), (size, size)) / size**0.5)


def _flax_default(model: Any, seed: int) -> None:
    rngs = nnx.Rngs(jax.random.key(seed))
    for i, layer in enumerate(model.layers):
        model.layers[i] = nnx.Linear(layer.in_features, layer.out_features, rngs=rngs)


class _ClipAfter(FlaxTwin):
    def optimizer(self, spec: Optimizer, learning_rate: Any) -> optax.GradientTransformation:
        return optax.chain(self.rule(spec, learning_rate), *self.clipping(spec))


class _ExactClip(FlaxTwin):
    def clipping(self, spec: Optimizer) -> list[optax.GradientTransformation]:
        return [optax.clip_by_global_norm(spec.clip_norm or 1.0)]


def _epsilon_hat(spec: Optimizer, learning_rate: Any) -> optax.GradientTransformation:
    """Adam as learning_rate · √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + eps): eps is added before the bias correction."""
    first, second = spec.betas
    plain = optax.scale_by_adam(first, second, eps=spec.eps)

    def update(gradients: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        _, state = plain.update(gradients, state, params)
        factor = jnp.sqrt(1 - second**state.count) / (1 - first**state.count)
        return jax.tree.map(lambda m, v: factor * m / (jnp.sqrt(v) + spec.eps), state.mu, state.nu), state

    return optax.chain(
        optax.add_decayed_weights(spec.weight_decay),
        optax.GradientTransformation(plain.init, update),
        optax.scale_by_learning_rate(learning_rate),
    )


PLANTED: dict[str, type[FlaxTwin]] = {
    "kernel-.T": _KernelT,
    "flatten-order": of_class(layers.Flatten, _LastAxisFlatten),
    "pool-same": of_class(layers.MaxPool, _SamePool),
    "bn-ddof": of_class(layers.BatchNorm, _UnbiasedNorm),
    "detached-statistics": of_class(layers.BatchNorm, _DetachedNorm),
    "pool-ties": of_class(layers.MaxPool, _TiesSharedPool),
    "pool-zero-pad": of_class(layers.MaxPool, _ZeroPadPool),
    "bn-momentum-default": model_changed(_keeps_99),
    "bn-biased": of_class(layers.BatchNorm, _BiasedNorm),
    "rmsprop-eps-inside": _rule(
        lambda spec, rate: optax.rmsprop(rate, decay=spec.alpha, eps=spec.eps, eps_in_sqrt=True)
    ),
    "rmsprop-decay": _rule(lambda spec, rate: optimizers.rmsprop(rate, alpha=0.9, eps=spec.eps)),
    "rmsprop-start": _rule(
        lambda spec, rate: optax.rmsprop(rate, decay=spec.alpha, eps=spec.eps, initial_scale=1.0, eps_in_sqrt=False)
    ),
    "adam-eps-root": _rule(
        lambda spec, rate: optax.chain(
            optax.add_decayed_weights(spec.weight_decay),
            optax.adam(rate, *spec.betas, eps=spec.eps, eps_root=spec.eps),
        )
    ),
    "adam-eps-hat": _rule(_epsilon_hat),
    "clip-exact": _ExactClip,
    "clip-after": _ClipAfter,
    "flax-init": model_changed(_flax_default),
    "one-bias": _OneBias,
    "reset-before": of_class(gru.GRUCell, _ResetBeforeCell),
    "normal-not-orthogonal": model_changed(_normal_recurrent),
    "one-hot-from-1": _OneHotFromOne,
    "flatten-1x1": of_class(layers.Flatten, _LastAxisFlatten),
    "conv-same": model_changed(_conv_same),
    "two-pass-variance": of_class(layers.BatchNorm, _TwoPassNorm),
    "fast-variance": of_class(layers.BatchNorm, _FastNorm),
    "adam-by-parts": _rule(
        lambda spec, rate: optax.chain(
            optax.add_decayed_weights(spec.weight_decay),
            optax.scale_by_adam(*spec.betas, eps=spec.eps),
            optax.scale_by_learning_rate(rate),
        )
    ),
    "rmsprop-by-parts": _rule(
        lambda spec, rate: optax.chain(
            optax.scale_by_rms(spec.alpha, spec.eps, eps_in_sqrt=False), optax.scale_by_learning_rate(rate)
        )
    ),
    "python-loop": of_class(jaxnets.RNN, _LoopRNN),
    **devices.PLANTED,
    **zoo.PLANTED,
    **zoo_latent.PLANTED,
    **zoo_sequences.PLANTED,
    **zoo_diffusion.PLANTED,
}
