"""Networks whose arrays are held in other ways on the two sides are the same, and a bug among them is still found."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import linen, nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

TOKENS = np.random.default_rng(0).standard_normal((2, 5, 8)).astype(np.float32)
HEADS = 2


def compared(flax: Any, model: nn.Module, inputs: Any = TOKENS, **options: Any) -> Report:
    if isinstance(flax, linen.Module):
        flax = flax, flax.init(jax.random.key(0), inputs)
    return parity.compare(flax, model, inputs, checks=parity.Checks(probes=False), **options)


def places(report: Report) -> dict[str, str]:
    return {line.flax: line.torch for line in report.weights}


def attended(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    heads = (x.unflatten(-1, (HEADS, -1)).transpose(1, 2) for x in (q, k, v))
    return nn.functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)


class Fused(nn.Module):
    """One projection; `cut` makes queries, keys and values of what it gives."""

    def __init__(self, cut: Callable[[torch.Tensor], Any], bias: bool) -> None:
        super().__init__()
        self.cut = cut
        self.joined, self.last = nn.Linear(8, 24, bias=bias), nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(attended(*self.cut(self.joined(x))))


def head_by_head(x: torch.Tensor) -> list[torch.Tensor]:
    return [part.flatten(2) for part in x.unflatten(-1, (HEADS, 12)).chunk(3, -1)]


def values_first(x: torch.Tensor) -> list[torch.Tensor]:
    v, k, q = x.chunk(3, -1)
    return [q, k, v]


CUTS: dict[str, Callable[[torch.Tensor], Any]] = {
    "one after the other": lambda x: x.chunk(3, -1),
    "head by head": head_by_head,
    "values first": values_first,
    "number by number": lambda x: x.unflatten(-1, (8, 3)).unbind(-1),
}


@pytest.mark.parametrize(("cut", "bias"), [(name, name != "head by head") for name in CUTS])
def test_one_projection_is_three(cut: str, bias: bool) -> None:
    attention = nnx.MultiHeadAttention(HEADS, 8, decode=False, use_bias=bias, rngs=nnx.Rngs(0))
    if not bias:
        attention.out = nnx.LinearGeneral((HEADS, 4), 8, axis=(-2, -1), rngs=nnx.Rngs(0))
    report = compared(attention, Fused(CUTS[cut], bias))
    assert report.verdict is Verdict.SAME
    assert report.coverage.parameters == 1.0


class Apart(nn.Module):
    def __init__(self, wrong: bool) -> None:
        super().__init__()
        self.wrong = wrong
        self.to_k, self.to_v, self.to_q = (nn.Linear(8, size) for size in (4, 4, 8))
        self.last = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        k, v, q = self.to_k(x), self.to_v(x), self.to_q(x)
        k, v = (part.unflatten(-1, (1, 4)).expand(-1, -1, HEADS, -1).flatten(2) for part in (k, v))
        return self.last(attended(q, v if self.wrong else k, v))


class FlaxFused(nnx.Module):
    """Queries of two heads, keys and values of one, in one projection."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.qkv, self.out = nnx.Linear(8, 16, rngs=rngs), nnx.Linear(8, 8, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        q, k, v = jnp.split(self.qkv(x), (8, 12), -1)
        q = q.reshape(*q.shape[:2], HEADS, 4)
        weights = jax.nn.softmax(jnp.einsum("bqhd,bkd->bhqk", q, k) / 2)
        return self.out(jnp.einsum("bhqk,bkd->bqhd", weights, v).reshape(x.shape))


@pytest.mark.parametrize("wrong", [False, True])
def test_pieces_of_several_lengths_in_flax(wrong: bool) -> None:
    report = compared(FlaxFused(nnx.Rngs(0)), Apart(wrong))
    assert report.verdict is (Verdict.DIFFERENT if wrong else Verdict.SAME)
    assert {line.torch for line in report.weights if line.flax == "qkv.kernel"} == {
        "to_q.weight", "to_k.weight", "to_v.weight",
    }  # fmt: skip


class StackedExperts(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Param(jax.random.normal(rngs.params(), (3, 8, 6)))
        self.shift = nnx.Param(jnp.zeros((3, 6)))
        self.second = nnx.Param(jax.random.normal(rngs.params(), (3, 6, 8)))

    def __call__(self, x: jax.Array) -> jax.Array:
        hidden = jnp.tanh(jnp.einsum("btd,edf->btef", x, self.first[...]) + self.shift[...])
        return jnp.einsum("btef,efd,e->btd", hidden, self.second[...], jnp.arange(1.0, 4.0, dtype=x.dtype))


class ListedExperts(nn.Module):
    def __init__(self, shift: int = 1) -> None:
        super().__init__()
        self.shift = shift
        self.up = nn.ModuleList(nn.Linear(8, 6) for _ in range(3))
        self.down = nn.ModuleList(nn.Linear(6, 8, bias=False) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        both = zip(self.up, self.down, strict=True)
        return sum((n + self.shift) * down(up(x).tanh()) for n, (up, down) in enumerate(both))


@pytest.mark.parametrize(("shift", "verdict"), [(1, Verdict.SAME), (2, Verdict.DIFFERENT)])
def test_experts_in_a_list_are_a_stacked_array(shift: int, verdict: Verdict) -> None:
    assert compared(StackedExperts(nnx.Rngs(0)), ListedExperts(shift)).verdict is verdict


class FlaxListed(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.items = nnx.List([nnx.Linear(8, 8, use_bias=False, rngs=rngs) for _ in range(3)])

    def __call__(self, x: jax.Array) -> jax.Array:
        return sum((jnp.tanh(item(x)) * (n + 1) for n, item in enumerate(self.items)), jnp.zeros_like(x))


class TorchStacked(nn.Module):
    """Square kernels, (out, in), which fit both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = nn.Parameter(torch.randn(3, 8, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        given = torch.einsum("btd,efd->btef", x, self.kernels).tanh()
        return torch.einsum("btef,e->btf", given, torch.arange(1.0, 4.0, dtype=x.dtype))


def test_square_experts_are_found_transposed_all_alike() -> None:
    report = compared(FlaxListed(nnx.Rngs(0)), TorchStacked())
    assert report.verdict is Verdict.SAME
    assert all(line.proven for line in report.weights)


class ConvHead(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Conv(3, 4, (3, 3), rngs=rngs)
        self.head, self.last = nnx.Conv(4, 6, (5, 5), padding="VALID", rngs=rngs), nnx.Conv(6, 2, (1, 1), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(jax.nn.relu(self.head(self.first(x))))[:, 0, 0]


class DenseHead(nn.Module):
    def __init__(self, wrong: bool) -> None:
        super().__init__()
        self.wrong = wrong
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.head, self.last = nn.Linear(100, 6), nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.head(self.first(x).flatten(1))
        return self.last(hidden if self.wrong else hidden.relu())


@pytest.mark.parametrize("wrong", [False, True])
def test_a_convolution_over_all_of_a_map_is_a_dense_layer_after_a_flatten(wrong: bool) -> None:
    images = np.random.default_rng(0).standard_normal((2, 5, 5, 3)).astype(np.float32)
    report = compared(ConvHead(nnx.Rngs(0)), DenseHead(wrong), images, to_torch="NHWC->NCHW")
    assert report.verdict is (Verdict.DIFFERENT if wrong else Verdict.SAME)
    assert report.coverage.parameters == 1.0


class KeepsDims(linen.Module):
    @linen.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        mean = self.variable("batch_stats", "mean", jnp.zeros, 8)
        if train:
            fresh = jax.lax.stop_gradient(x).mean((0, 1), keepdims=True)
            mean.value = 0.8 * mean.value + 0.2 * fresh
        return linen.Dense(3)(x - mean.value)


class Flat(nn.Module):
    def __init__(self, keep: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))
        self.keep, self.last = keep, nn.Linear(8, 3)
        self.mean: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.mean = self.keep * self.mean + (1 - self.keep) * x.detach().mean((0, 1))
        return self.last(x - self.mean)


@pytest.mark.parametrize(("keep", "verdict"), [(0.8, Verdict.SAME), (0.7, Verdict.DIFFERENT)])
def test_a_state_may_keep_axes_of_length_one(keep: float, verdict: Verdict) -> None:
    assert compared(KeepsDims(), Flat(keep)).verdict is verdict


PIXELS = np.random.default_rng(3).standard_normal((3, 5, 4, 2)).astype(np.float32)


class Perceptron(nnx.Module):
    """Dense layers on the pixels of an image, channels last, which are multiplied by a factor."""

    def __init__(self, factor: float) -> None:
        self.first, self.last, self.factor = (
            nnx.Linear(40, 6, rngs=nnx.Rngs(0)),
            nnx.Linear(6, 3, rngs=nnx.Rngs(1)),
            factor,
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(jnp.tanh(self.first(self.factor * x.reshape(len(x), -1))))


@pytest.mark.parametrize("model", [nn.Flatten(), nn.Sequential(nn.Identity(), nn.Flatten())])
@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_images_may_be_flattened_before_any_layer(model: nn.Module, factor: float) -> None:
    original = nn.Sequential(model, nn.Linear(40, 6), nn.Tanh(), nn.Linear(6, 3))
    report = compared(Perceptron(factor), original, PIXELS, to_torch="NHWC->NCHW")
    assert report.verdict is (Verdict.SAME if factor == 1.0 else Verdict.DIFFERENT), report.first_difference


class FlaxAttention(nnx.Module):
    """Attention of one head, with its three projections in one array or apart."""

    def __init__(self, packed: bool, rngs: nnx.Rngs) -> None:
        self.packed = packed
        sizes = {"c_attn": 12} if packed else dict.fromkeys(("q", "k", "v"), 4)
        for name, size in sizes.items():
            setattr(self, name, nnx.Linear(4, size, rngs=rngs))
        self.out = nnx.Linear(4, 4, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        layers = [getattr(self, name) for name in (("c_attn",) if self.packed else ("q", "k", "v"))]
        q, k, v = jnp.split(jnp.concatenate([layer(x) for layer in layers], -1), 3, -1)
        return x + self.out(jax.nn.softmax(q @ k.swapaxes(-1, -2) / 2) @ v)


class TorchAttention(torch.nn.Module):
    """Its twin."""

    def __init__(self, packed: bool) -> None:
        super().__init__()
        self.packed = packed
        for name, size in ({"qkv": 12} if packed else dict.fromkeys(("q", "k", "v"), 4)).items():
            setattr(self, name, torch.nn.Linear(4, size))
        self.out = torch.nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        layers = [getattr(self, name) for name in (("qkv",) if self.packed else ("q", "k", "v"))]
        q, k, v = torch.cat([layer(x) for layer in layers], -1).chunk(3, -1)
        return x + self.out(torch.softmax(q @ k.transpose(-1, -2) / 2, -1) @ v)


def test_each_side_may_pack_another_layer() -> None:
    """Their packed projections are equal in shape, and not in place."""

    class Port(nnx.Module):
        def __init__(self) -> None:
            self.blocks = nnx.List([FlaxAttention(packed, nnx.Rngs(0)) for packed in (True, False)])

        def __call__(self, x: jax.Array) -> jax.Array:
            for block in self.blocks:
                x = block(x)
            return x

    x = np.random.default_rng(0).standard_normal((2, 5, 4)).astype(np.float32)
    model = torch.nn.Sequential(TorchAttention(False), TorchAttention(True))
    report = parity.compare(Port(), model, x, checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.SAME, report.first_difference


class Gated(linen.Module):
    """Two dilated convolutions whose filters and gates are one kernel each."""

    @linen.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for dilation in (1, 2):
            filters, gates = jnp.split(linen.Conv(16, (2,), kernel_dilation=dilation, padding="CAUSAL")(x), 2, -1)
            x = x + jnp.tanh(filters) * jax.nn.sigmoid(gates)
        return x


class TorchGated(nn.Module):
    def __init__(self, wrong: bool) -> None:
        super().__init__()
        self.filters, self.gates = (nn.ModuleList(nn.Conv1d(8, 8, 2, dilation=d) for d in (1, 2)) for _ in range(2))
        self.first = torch.sigmoid if wrong else torch.tanh

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.transpose(1, 2)
        for dilation, filters, gates in zip((1, 2), self.filters, self.gates, strict=True):
            padded = nn.functional.pad(x, (dilation, 0))
            x = x + self.first(filters(padded)) * torch.sigmoid(gates(padded))
        return x.transpose(1, 2)


@pytest.mark.parametrize("wrong", [False, True])
def test_convolutions_in_two_lists_are_one_kernel_each(wrong: bool) -> None:
    report = compared(Gated(), TorchGated(wrong))
    assert report.verdict is (Verdict.DIFFERENT if wrong else Verdict.SAME)
    assert report.coverage.parameters == 1.0


@pytest.mark.parametrize("groups", [4, 2])
def test_an_instance_norm_is_a_group_norm_of_single_channels(groups: int) -> None:
    images = np.random.default_rng(1).standard_normal((2, 5, 5, 3)).astype(np.float32)
    rngs = nnx.Rngs(0)
    norm = nnx.GroupNorm(4, num_groups=groups, epsilon=1e-5, rngs=rngs)
    flax = nnx.Sequential(nnx.Conv(3, 4, (3, 3), padding=1, rngs=rngs), norm)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.InstanceNorm2d(4, affine=True))
    report = compared(flax, model, images, to_torch="NHWC->NCHW")
    assert report.verdict is (Verdict.SAME if groups == 4 else Verdict.DIFFERENT), str(report)
    assert report.coverage.parameters == 1.0


class Scaled(linen.Module):
    """A dense layer whose outputs have scales of their own."""

    @linen.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return linen.Dense(8, name="dense")(x) * self.param("scale", linen.initializers.ones, (8,))


class ScaledAsOne(nn.Module):
    """The same with one scale for all."""

    def __init__(self) -> None:
        super().__init__()
        self.dense, self.scale = nn.Linear(8, 8), nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(x) * self.scale


def test_an_array_of_another_shape_on_the_other_side_is_told_with_both_shapes() -> None:
    report = compared(Scaled(), ScaledAsOne())
    assert report.verdict is Verdict.DIFFERENT
    assert "scale has the shape () there, not (8,)" in str(report)


class Encoder(nnx.Module):
    """A dense layer whose kernel, transposed, decodes too."""

    def __init__(self) -> None:
        self.encode = nnx.Linear(8, 3, rngs=nnx.Rngs(0))
        self.bias = nnx.Param(jnp.zeros(8))

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.tanh(self.encode(x)) @ self.encode.kernel[...].T + self.bias[...]


class AllInOne(nn.Module):
    """The same as one module that holds every array."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 8))
        self.hidden, self.visible = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.tanh(nn.functional.linear(x, self.weight, self.hidden))
        return nn.functional.linear(h, self.weight.t(), self.visible)


def test_a_layer_may_be_some_of_the_arrays_of_one_module() -> None:
    report = compared(Encoder(), AllInOne())
    assert report.verdict is Verdict.SAME
    assert places(report) == {"encode.kernel": "weight", "encode.bias": "hidden", "bias": "visible"}
