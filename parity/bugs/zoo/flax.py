"""Bugs planted in the Flax twins of the zoo: each is the twin with one small method or layer replaced."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from jaxnets.layers import (
    Attention,
    FeedForward,
    GatedFeedForward,
    GroupedAttention,
    MaxPool,
    RoutedFeedForward,
    attend,
    orthogonal_dense,
)
from jaxnets.zoo.graphnet import GraphNet, MessagePassing
from parity.backends.flax.twin import FlaxTwin
from parity.bugs.flax_planting import model_changed, of_class


class OtherGelu(FeedForward):
    def __call__(self, x: jax.Array) -> jax.Array:
        return self.out(nnx.gelu(self.hidden(x), approximate=not self.approximate))


class _HeadsLast(Attention):
    def split(self, x: jax.Array) -> jax.Array:
        return x.reshape(*x.shape[:2], -1, self.heads).swapaxes(2, 3)


class _NoMask(Attention):
    def __call__(self, x: jax.Array, there: jax.Array | None = None) -> jax.Array:
        query, key, value = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        return self.out(attend(query, key, value).reshape(x.shape))


def _untied(model: Any, seed: int) -> None:
    model.head = nnx.Linear(model.token.features, model.token.num_embeddings, use_bias=False, rngs=nnx.Rngs(seed))


class _Tiled(GroupedAttention):
    def mix(self, query: jax.Array, key: jax.Array, value: jax.Array, mask: jax.Array) -> jax.Array:
        groups = query.shape[2] // key.shape[2]
        return super().mix(query, jnp.tile(key, (1, 1, groups, 1)), jnp.tile(value, (1, 1, groups, 1)), mask)


class _GateSwapped(GatedFeedForward):
    def __call__(self, x: jax.Array) -> jax.Array:
        return self.out(self.gate(x) * nnx.silu(self.hidden(x)))


class _SharedUnused(RoutedFeedForward):
    def __call__(self, x: jax.Array) -> jax.Array:
        assert self.shared is not None
        self.shared(x)
        rows = x.reshape(-1, x.shape[-1])
        return self.mix(rows, *self.choose(self.shares(rows))).reshape(x.shape)


class _DetachedShares(RoutedFeedForward):
    def choose(self, shares: jax.Array) -> tuple[jax.Array, jax.Array]:
        return super().choose(jax.lax.stop_gradient(shares))


class _SamePool(MaxPool):
    def __call__(self, x: jax.Array) -> jax.Array:
        return nnx.max_pool(x, (self.window, self.window), (self.stride, self.stride), "SAME")


def _conv_same(model: nnx.Module, seed: int) -> None:
    del seed
    for _, module in nnx.iter_modules(model):
        if isinstance(module, nnx.Conv):
            module.padding = "SAME"


class _Reversed(MessagePassing):
    def __call__(self, nodes: jax.Array, senders: jax.Array, receivers: jax.Array) -> jax.Array:
        return super().__call__(nodes, receivers, senders)


class _PaddingCounted(GraphNet):
    def classify(
        self, nodes: jax.Array, senders: jax.Array, receivers: jax.Array, graph: jax.Array, graphs: int
    ) -> jax.Array:
        size = (len(nodes) - 1) // (graphs - 1)
        return super().classify(nodes, senders, receivers, jnp.arange(len(nodes)) // size, graphs)


def _loud_policy(model: Any, seed: int) -> None:
    head = model.policy
    rngs = nnx.Rngs(jax.random.key(seed))
    model.policy = orthogonal_dense(head.in_features, head.out_features, gain=1.0, init="ppo", rngs=rngs)


PLANTED: dict[str, type[FlaxTwin]] = {
    "vit-gelu": of_class(FeedForward, OtherGelu),
    "vit-heads-last": of_class(Attention, _HeadsLast),
    "gpt2-gelu": of_class(FeedForward, OtherGelu),
    "gpt2-no-mask": of_class(Attention, _NoMask),
    "gpt2-untied": model_changed(_untied),
    "llama-tiled": of_class(GroupedAttention, _Tiled),
    "llama-gate-swapped": of_class(GatedFeedForward, _GateSwapped),
    "moe-shared-unused": of_class(RoutedFeedForward, _SharedUnused),
    "moe-router-detached": of_class(RoutedFeedForward, _DetachedShares),
    "actorcritic-gain": model_changed(_loud_policy),
    "graphnet-reversed": of_class(MessagePassing, _Reversed),
    "graphnet-padding-counted": of_class(GraphNet, _PaddingCounted),
    "resnet-conv-same": model_changed(_conv_same),
    "resnet-pool-same": of_class(MaxPool, _SamePool),
}
