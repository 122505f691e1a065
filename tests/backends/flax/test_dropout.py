"""Dropout of a Flax network is off without a mask, and multiplies with the mask that it gets."""

from functools import partial
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from flax import nnx
from numpy.typing import NDArray

from parity.backends.flax.side import FlaxSide
from parity.interface.observation import Dropped, Inputs
from parity.interface.side import Pass
from tests.backends.flax.networks import APIS, SIDES, X, drawn
from tests.backends.flax_small import close, linen, made, numbers, rngs


@APIS
def test_dropout_is_off_without_a_mask_and_multiplies_with_one(api: str) -> None:
    side = SIDES[api]
    native = drawn(side)
    used: list[tuple[int, Dropped]] = []

    def mask(number: int, use: Dropped) -> NDArray[Any]:
        used.append((number, use))
        return np.arange(np.prod(use.shape)).reshape(use.shape) % 3.0

    off, on = (side.run(native, Inputs((X,)), Pass(training=True, mask=m)) for m in (None, mask))
    assert off.dropouts == on.dropouts == (Dropped((3, 4, 5, 3), 0.5),)
    assert set(used) == {(0, off.dropouts[0])}
    for seen, factor in ((off, 1.0), (on, mask(0, off.dropouts[0]))):
        norm, drop = (call for call in seen.calls if call.path in ("norm", "drop"))
        assert close(drop.outputs[0], np.tanh(norm.outputs[0]) * factor)
    assert side.run(native, Inputs((X,)), Pass(mask=mask)).dropouts == ()


def _constant(factor: float, number: int, used: Dropped) -> NDArray[Any]:
    return np.full(used.shape, factor)


def _by_turn(factors: tuple[float, ...], number: int, used: Dropped) -> NDArray[Any]:
    return np.full(used.shape, factors[number])


def test_a_mask_is_never_taken_for_another() -> None:
    side = SIDES["linen"]
    passes = [Pass(training=True, capture=False, mask=partial(_constant, k)) for k in (0.0, 1.0, 2.0)]
    found = [side.run(side.native, Inputs((X,)), how) for how in passes]
    assert not close(found[0].outputs[""], found[1].outputs[""])
    assert not close(found[1].outputs[""], found[2].outputs[""])


class Blocks(nnx.Module):
    """Three stacked blocks with dropout, each rematerialised."""

    def __init__(self) -> None:
        @nnx.split_rngs(splits=3)
        @nnx.vmap(in_axes=(0,), out_axes=0)
        def blocks(rngs: nnx.Rngs) -> Drops:
            return Drops(rngs)

        self.blocks = blocks(rngs())

    def __call__(self, x: jax.Array) -> jax.Array:
        @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        def forward(x: jax.Array, block: Drops) -> jax.Array:
            return nnx.remat(lambda block, x: block(x))(block, x)

        return forward(x, self.blocks)


class Drops(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.fc = nnx.Linear(3, 3, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return x + self.drop(self.fc(x))


class LinenDrops(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array, deterministic: bool) -> tuple[jax.Array, None]:
        return x + nn.Dropout(0.5, name="drop")(nn.Dense(3, name="fc")(x), deterministic), None


class LinenBlocks(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array, deterministic: bool) -> jax.Array:
        block = nn.remat(LinenDrops, static_argnums=(2,))
        split: Any = {"params": True, "dropout": True}
        stack = nn.scan(block, variable_axes={"params": 0}, split_rngs=split, length=3, in_axes=nn.broadcast)
        return stack(name="blocks")(x, deterministic)[0]


def test_dropout_in_a_loop_is_used_once_a_turn() -> None:
    x = numbers(2, 3)
    for model, args in ((made(Blocks), (x,)), (linen(LinenBlocks(), x, True), (x, True))):
        side = FlaxSide(model, Inputs(args))
        turns = (2.0, 0.0, 1.0)
        how = Pass(training=True, mask=partial(_by_turn, turns))
        found, y = side.run(side.native, Inputs(args), how), x
        kernel, bias = (next(a for n, a in side.native.items() if n.endswith(w)) for w in ("kernel", "bias"))
        for turn, factor in enumerate(turns):
            y = y + factor * (y @ kernel[turn] + bias[turn])
        assert len(found.dropouts) == 3
        assert close(found.outputs[""], y)
        assert len([call for call in found.calls if call.path.endswith("fc")]) == 3


def test_dropout_inside_attention_is_off() -> None:
    x = numbers(2, 3, 4)
    module = nn.MultiHeadDotProductAttention(2, dropout_rate=0.5)
    mine = FlaxSide(
        made(lambda: nnx.MultiHeadAttention(2, 4, dropout_rate=0.5, decode=False, rngs=rngs())), Inputs((x,))
    )
    other = FlaxSide(linen(module, x, deterministic=True), Inputs((x,)))
    for side in (mine, other):
        training, still = (side.run(side.native, Inputs((x,)), Pass(training=mode)) for mode in (True, False))
        assert close(training.outputs[""], still.outputs[""])
    assert module.dropout_rate == 0.5
