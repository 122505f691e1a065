"""What a user's Flax network does, seen through NumPy, is what it does when it is called directly in float64."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from flax import nnx
from numpy.typing import NDArray

from parity.backends.flax.side import FlaxSide
from parity.backends.flax.tracing.tape import MARK
from parity.errors import UsageError
from parity.interface.observation import Dropped, Inputs
from parity.interface.packing import native_copy
from parity.interface.side import Pass
from parity.interface.trace import Arrays
from tests.backends.flax_small import close, linen, made, numbers, rngs
from tests.backends.small import PRECISIONS

X = numbers(3, 4, 5, 2)
COTANGENT = {"": numbers(3, 2, seed=1)}


class Net(nnx.Module):
    def __init__(self) -> None:
        self.conv = nnx.Conv(2, 3, (2, 2), rngs=rngs())
        self.norm = nnx.BatchNorm(3, momentum=0.7, rngs=rngs())
        self.drop = nnx.Dropout(0.5, rngs=rngs())
        self.head = nnx.Linear(3, 2, rngs=rngs())
        self.idle = nnx.Param(jnp.ones(2))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.head(self.drop(jnp.tanh(self.norm(self.conv(x)))).mean((1, 2)))


class LinenNet(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        self.param("idle", nn.initializers.ones, (2,))
        x = nn.Conv(3, (2, 2), name="conv")(x)
        x = nn.BatchNorm(not train, momentum=0.7, name="norm", epsilon=1e-5)(x)
        x = nn.Dropout(0.5, deterministic=not train, name="drop")(jnp.tanh(x))
        return nn.Dense(2, name="head")(x.mean((1, 2)))


def networks() -> dict[str, Any]:
    return {"nnx": made(Net), "linen": linen(LinenNet(), X)}


SIDES = {api: FlaxSide(model, Inputs((X,))) for api, model in networks().items()}
APIS = pytest.mark.parametrize("api", SIDES)


def drawn(side: FlaxSide) -> Arrays:
    native = native_copy(side.native)
    for number, array in enumerate(native.values()):
        array[...] = np.abs(numbers(*array.shape, seed=number))
    return native


@contextmanager
def double() -> Iterator[None]:
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


def directly(api: str, native: Arrays, x: Any) -> Any:
    """The network in evaluation mode, called as its user would."""
    model = networks()[api]
    if api == "linen":
        tree: dict[str, Any] = {}
        for name, array in native.items():
            *path, last = name.split("/")
            inner = tree
            for part in path:
                inner = inner.setdefault(part, {})
            inner[last] = jnp.asarray(array)
        return model[0].apply(tree, x)
    model.eval()
    named = {".".join(map(str, path)): (path, v) for path, v in nnx.to_flat_state(nnx.state(model))}
    flat = [(named[name][0], named[name][1].replace(jnp.asarray(array))) for name, array in native.items()]
    nnx.update(model, nnx.from_flat_state(flat))
    return model(x)


@APIS
def test_outputs_and_gradients_are_those_of_a_direct_call(api: str) -> None:
    side = SIDES[api]
    native = drawn(side)
    found = side.run(native, Inputs((X,)), Pass(cotangents=COTANGENT))
    with double():
        call = jax.jit(lambda own, x: directly(api, {**native, **own}, x))
        expected, pull = jax.vjp(call, _learnable(side, native), X)
        parameters, given = pull(jnp.asarray(COTANGENT[""]))
        assert close(found.outputs[""], expected)
        assert close(found.input_gradients["[0]"], given)
        assert set(found.parameter_gradients) == side.parameters == set(parameters)
        assert all(close(found.parameter_gradients[name], parameters[name]) for name in parameters)
    idle = next(name for name in side.parameters if name.endswith("idle"))
    assert not found.parameter_gradients[idle].any()
    assert all(array.any() for name, array in found.parameter_gradients.items() if name != idle)


def _learnable(side: FlaxSide, native: Arrays) -> Any:
    return {name: jnp.asarray(native[name]) for name in side.parameters}


@APIS
def test_buffers_move_in_training_only(api: str) -> None:
    side = SIDES[api]
    native = drawn(side)
    trained = side.run(native, Inputs((X,)), Pass(training=True))
    conv = next(call for call in trained.calls if call.path == "conv").outputs[0]
    mean, var = (next(n for n in side.native if n.endswith(end)) for end in ("mean", "var"))
    assert set(trained.buffers) == {mean, var}
    assert close(trained.buffers[mean], 0.7 * native[mean] + 0.3 * conv.mean((0, 1, 2)))
    assert close(trained.buffers[var], 0.7 * native[var] + 0.3 * conv.var((0, 1, 2)))
    still = side.run(native, Inputs((X,)), Pass()).buffers
    assert all(np.array_equal(still[name], native[name]) for name in (mean, var))


@APIS
def test_every_call_is_seen_with_the_gradient_of_its_output(api: str) -> None:
    side = SIDES[api]
    native = drawn(side)
    found = side.run(native, Inputs((X,)), Pass(cotangents=COTANGENT))
    assert [call.path for call in found.calls] == ["conv", "norm", "drop", "head", ""]
    assert [call.start for call in found.calls] == [1, 2, 3, 4, 0]
    conv, norm, drop, head, root = found.calls
    assert (conv.type, root.type) == ("Conv", type(networks()["nnx"]).__name__ if api == "nnx" else "LinenNet")
    assert close(conv.inputs[0], X)
    assert close(norm.inputs[0], conv.outputs[0])
    kernel = next(array for name, array in native.items() if "head" in name and name.endswith("kernel"))
    to_head = COTANGENT[""] @ kernel.T
    assert close(head.gradients[0], COTANGENT[""])
    assert close(drop.gradients[0], np.broadcast_to(to_head[:, None, None], drop.outputs[0].shape) / 20)
    assert close(norm.gradients[0], drop.gradients[0] * (1 - np.tanh(norm.outputs[0]) ** 2))
    assert close(root.outputs[0], found.outputs[""])


@APIS
def test_precision_is_what_was_asked_for(api: str) -> None:
    side = SIDES[api]
    native = drawn(side)
    high, low = (side.run(native, Inputs((X,)), Pass(p, cotangents=COTANGENT)) for p in PRECISIONS)
    for seen, dtype in ((high, np.float64), (low, np.float32)):
        every: list[Any] = [seen.outputs[""], *seen.buffers.values(), *seen.parameter_gradients.values()]
        every += [array for call in seen.calls for array in (*call.inputs, *call.outputs, *call.gradients)]
        assert {array.dtype for array in every if array is not None} == {np.dtype(dtype)}
    gap = np.abs(low.outputs[""] - high.outputs[""]).max()
    assert 0 < gap < 64 * np.finfo(np.float32).eps * np.abs(high.outputs[""]).max()
    assert not low.narrow and not high.narrow


class Half(nn.Module):
    """With dtypes of its own, in fields, in lists, in cells."""

    cell: nn.RNNCellBase
    layers: tuple[Any, ...]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(2)(nn.Sequential(self.layers)(nn.RNN(self.cell)(x)))


def halves(narrow: bool) -> Any:
    dtype: Any = jnp.bfloat16 if narrow else None
    single: Any = jnp.float32 if narrow else None
    return Half(nn.LSTMCell(3, dtype=single), (nn.Dense(4, dtype=dtype), nn.tanh))


def test_layers_with_a_dtype_of_their_own_compute_in_float64() -> None:
    x = numbers(2, 3, 4)
    module, variables = linen(halves(True), x)
    side, plain = (FlaxSide(model, Inputs((x,))) for model in ((module, variables), (halves(False), variables)))
    mine, other = (one.run(one.native, Inputs((x,)), Pass()) for one in (side, plain))
    assert close(mine.outputs[""], other.outputs[""])
    assert not mine.narrow
    assert {cast.dtype for cast in mine.undone} == {"bfloat16"} and not other.undone
    assert {cast.place.partition(":")[0] for cast in mine.undone} == {"test_flax_side.py"}
    assert (module.cell.dtype, module.layers[0].dtype) == (jnp.float32, jnp.bfloat16)
    assert [unit.settings.get("dtype") for unit in side.units] == ["float32", "bfloat16", None]


def test_a_narrow_layer_shows_in_float32_and_its_gradient_is_there() -> None:
    class Narrow(nnx.Module):
        def __init__(self) -> None:
            self.a = nnx.Linear(3, 4, dtype=jnp.bfloat16, rngs=rngs())
            self.b = nnx.Linear(4, 2, dtype=jnp.float32, rngs=rngs())

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.b(self.a(x))

    x = numbers(3, 3)
    side = FlaxSide(made(Narrow), Inputs((x,)))
    low = side.run(side.native, Inputs((x,)), Pass("float32", cotangents=COTANGENT))
    assert low.narrow == {"a": "bfloat16"}
    assert [[g.shape for g in call.gradients if g is not None] for call in low.calls] == [[(3, 4)], [(3, 2)], [(3, 2)]]
    assert low.calls[0].outputs[0].dtype == np.float64  # NumPy has no bfloat16
    high = side.run(side.native, Inputs((x,)), Pass(cotangents=COTANGENT))
    assert high.calls[0].gradients[0] is not None
    assert close(high.calls[0].gradients[0], COTANGENT[""] @ side.native["b.kernel"].T)


class Casting(nnx.Module):
    """Has one of its layers compute in a type of its own, or not."""

    def __init__(self, dtype: Any) -> None:
        self.a = Casting.Inner(dtype)
        self.b = nnx.Linear(3, 2, rngs=rngs())

    class Inner(nnx.Module):
        def __init__(self, dtype: Any) -> None:
            self.dtype = dtype
            self.scale = nnx.Param(jnp.ones(3))

        def __call__(self, x: jax.Array) -> jax.Array:
            x = x * self.scale[...]
            return jnp.tanh(x if self.dtype is None else x.astype(self.dtype)).astype(x.dtype)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.b(self.a(x))


@pytest.mark.parametrize(("dtype", "undone"), [(jnp.float32, []), (jnp.bfloat16, ["bfloat16"])])
def test_a_cast_is_undone_and_told_where_it_is_narrower_than_what_the_user_runs(dtype: Any, undone: list[str]) -> None:
    x, target = numbers(3, 3), {"": numbers(3, 2)}
    cast, plain = (FlaxSide(made(partial(Casting, kind)), Inputs((x,))) for kind in (dtype, None))
    mine, other = (side.run(side.native, Inputs((x,)), Pass(cotangents=COTANGENT)) for side in (cast, plain))
    assert [one.dtype for one in mine.undone] == undone and not other.undone
    assert close(mine.outputs[""], other.outputs[""])
    for one, two in zip(mine.calls, other.calls, strict=True):
        assert close(one.outputs[0], two.outputs[0])
        assert close(one.gradients[0], two.gradients[0])
    steps = [side.train(side.native, [Inputs((x,))] * 2, [target] * 2, optax.sgd(0.1)) for side in (cast, plain)]
    assert close(steps[0].losses, steps[1].losses)


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


class Jitted(nnx.Module):
    """Has its parts called through transformations, and draws from a stream of its own in a cell."""

    def __init__(self) -> None:
        self.rnn = nnx.RNN(nnx.GRUCell(3, 3, rngs=rngs()), rngs=rngs())
        self.fc = nnx.Linear(3, 2, rngs=rngs())

    def __call__(self, x: jax.Array) -> jax.Array:
        y = nnx.jit(lambda rnn, x: rnn(x))(self.rnn, x)
        return nnx.remat(lambda fc, y: fc(y))(self.fc, y[:, -1])


def test_parts_inside_transformations_are_known() -> None:
    x = numbers(2, 3, 3)
    side = FlaxSide(made(Jitted), Inputs((x,)))
    assert [(unit.path, unit.kind, unit.runs) for unit in side.units] == [
        ("rnn.cell", "gru", True),
        ("fc", "dense", True),
    ]
    found = side.run(side.native, Inputs((x,)), Pass(cotangents={"": numbers(2, 2)}))
    assert [call.path for call in found.calls][-2:] == ["fc", ""]
    assert found.parameter_gradients["rnn.cell.dense_h.kernel"].any()


class Pair(NamedTuple):
    logits: Any
    aux: Any


@dataclass
class Result:
    """Not registered with JAX."""

    pair: Pair
    count: Any
    note: str = "plain"


class Several(nnx.Module):
    def __init__(self) -> None:
        self.inner = Several.Inner()
        self.traced = 0

    class Inner(nnx.Module):
        def __init__(self) -> None:
            self.fc = nnx.Linear(3, 2, rngs=rngs())

        def __call__(self, x: jax.Array, table: dict[str, Any], *, power: int, flag: str | None) -> Result:
            y = self.fc(x) * table["scale"][0] ** power
            return Result(Pair(y, {"a": [y.sum()]}), table["ids"] + 1)

    def __call__(self, x: Any, table: dict[str, Any], *, power: int, flag: str | None = None) -> Result:
        return self.inner(x, table, power=power, flag=flag)


def several(power: int) -> Inputs:
    table = {"scale": [np.float32(1.5) * np.ones(2, np.float32)], "ids": np.arange(3)}
    return Inputs((numbers(4, 3).astype(np.float32), table), {"power": power, "flag": None})


def test_nested_arguments_and_results_are_named() -> None:
    given = several(2)
    side = FlaxSide(made(Several), given)
    assert side.output_shapes(given) == {".pair.logits": (4, 2), ".pair.aux['a'][0]": ()}
    found = side.run(side.native, given, Pass(cotangents={".pair.logits": numbers(4, 2)}))
    assert list(found.outputs) == [".pair.logits", ".pair.aux['a'][0]", ".count"]
    assert set(found.input_gradients) == {"[0]", "[1]['scale'][0]"}
    assert found.outputs[".count"].tolist() == [1, 2, 3]
    inner = next(call for call in found.calls if call.path == "inner")
    assert [array.shape for array in inner.outputs] == [(4, 2), (), (3,)]
    assert [gradient is None for gradient in inner.gradients] == [False, False, True]
    expected = given.args[0].astype(float) @ side.native["inner.fc.kernel"] + side.native["inner.fc.bias"]
    assert close(found.outputs[".pair.logits"], expected * 2.25)
    plain = expected * numbers(4, 2)  # of which the scale's square is a factor
    assert close(found.input_gradients["[1]['scale'][0]"], 3.0 * plain.sum(0))
    low = side.run(side.native, given, Pass("float32"))  # int64 becomes int32 without a word
    assert low.outputs[".count"].tolist() == [1, 2, 3]


def test_plain_values_are_part_of_the_program() -> None:
    side = FlaxSide(made(Several), several(2))
    sums = [side.run(side.native, several(power), Pass()).outputs[".pair.aux['a'][0]"] for power in (1, 2)]
    assert close(sums[1], 1.5 * sums[0])


def test_a_missing_cotangent_is_zero() -> None:
    side = FlaxSide(made(Several), several(1))
    found = side.run(side.native, several(1), Pass(cotangents={}))
    assert not any(array.any() for array in found.parameter_gradients.values())
    assert set(found.parameter_gradients) == side.parameters


def test_a_program_is_traced_once_for_many_weights() -> None:
    traced = []

    class Counted(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            traced.append(1)
            return nn.Dense(2)(x)

    x = numbers(3, 3)
    side = FlaxSide(linen(Counted(), x), Inputs((x,)))
    first = side.run(side.native, Inputs((x,)), Pass())
    before = len(traced)
    second = side.run({n: 2 * a for n, a in side.native.items()}, Inputs((x,)), Pass())
    assert len(traced) == before
    assert close(second.outputs[""], 2 * first.outputs[""])


class Told(nn.Module):
    """Is told its mode by a word that it has to be given."""

    @nn.compact
    def __call__(self, x: jax.Array, deterministic: bool) -> jax.Array:
        return x + (0.0 if deterministic else 1.0)


@pytest.mark.parametrize("given", [Inputs((X, True)), Inputs((X,), {"deterministic": True})])
def test_the_mode_is_told_by_whatever_word_there_is(given: Inputs) -> None:
    side = FlaxSide((Told(), {"params": {}}), given)
    still, training = (side.run({}, given, Pass(training=mode)).outputs[""] for mode in (False, True))
    assert close(still, X)
    assert close(training, X + 1)


@APIS
def test_training_steps_are_those_of_the_optimizer(api: str) -> None:
    side, rate = SIDES[api], 0.1
    native, target = drawn(side), {"": numbers(3, 2, seed=5)}
    found = side.train(native, [Inputs((X,))] * 2, [target] * 2, optax.sgd(rate))
    by_hand, losses = native, []
    for _ in range(2):
        seen = side.run(by_hand, Inputs((X,)), Pass(training=True))
        rest = seen.outputs[""] - target[""]
        losses.append((rest**2).mean())
        pulled = side.run(
            by_hand, Inputs((X,)), Pass(training=True, capture=False, cotangents={"": 2 * rest / rest.size})
        )
        stepped = {n: by_hand[n] - rate * g for n, g in pulled.parameter_gradients.items()}
        by_hand = {**by_hand, **seen.buffers, **stepped}
    assert close(found.losses, losses)
    assert set(found.weights) == set(native)
    assert all(close(found.weights[name], by_hand[name]) for name in native)


def test_the_optimizer_alone_is_fed() -> None:
    given = {"kernel": numbers(2, 3)}
    stream = [{"kernel": numbers(2, 3, seed=n)} for n in range(3)]
    for precision, dtype in (("float64", np.float64), ("float32", np.float32)):
        found = SIDES["nnx"].update(optax.sgd(0.1), given, stream, precision)  # type: ignore[arg-type] # as above
        expected = [given["kernel"] - 0.1 * sum(g["kernel"] for g in stream[: n + 1]) for n in range(3)]
        assert {array["kernel"].dtype for array in found} == {np.dtype(dtype)}
        close_enough = [
            np.abs(a["kernel"] - b).max() < 8 * np.finfo(dtype).eps for a, b in zip(found, expected, strict=True)
        ]
        assert all(close_enough)


def test_adopting_gives_the_users_kind_and_dtypes() -> None:
    for model, kernel in ((made(Net), "conv.kernel"), (linen(LinenNet(), X), "params/conv/kernel")):
        side = FlaxSide(model, Inputs((X,)))
        native = {name: array + 1 for name, array in drawn(side).items()}
        adopted = side.adopt(native)
        assert type(adopted) is type(model)
        again = FlaxSide(adopted, Inputs((X,)))
        assert again.native.keys() == native.keys()
        assert all(np.array_equal(again.native[n], native[n].astype(np.float32)) for n in native)
        leaf = adopted.conv.kernel[...] if isinstance(adopted, Net) else adopted[1]["params"]["conv"]["kernel"]
        assert leaf.dtype == jnp.float32
        assert not np.array_equal(side.native[kernel], again.native[kernel])


def _state(model: Any) -> Any:
    """The values themselves: arrays of JAX are immutable, so that the same ones are unchanged."""
    if isinstance(model, nnx.Module):
        return {path: variable.get_value() for path, variable in nnx.to_flat_state(nnx.state(model))}
    return jax.tree.map(np.copy, model[1])


class Broken(nnx.Module):
    def __init__(self) -> None:
        self.fc = nnx.Linear(2, 2, rngs=rngs())

    def __call__(self, x: jax.Array) -> jax.Array:
        self.fc(x)
        raise RuntimeError("broken")


def _settings() -> list[Any]:
    return [jax.config.values[name] for name in ("jax_enable_x64", "jax_disable_jit", "jax_default_matmul_precision")]


def test_the_user_finds_everything_as_it_was() -> None:
    calls = {cls: vars(cls).get("__call__") for cls in (nnx.Linear, nnx.Conv, nnx.Dropout, Net, Broken)}
    patched = (jax.checkpoint, jax.remat)
    before = _settings()
    for model in networks().values():
        state = _state(model)
        side = FlaxSide(model, Inputs((X,)))
        _ = side.units
        side.run(drawn(side), Inputs((X,)), Pass(training=True, cotangents=COTANGENT))
        if isinstance(model, nnx.Module):
            assert all(value is state[path] for path, value in _state(model).items())
            assert not hasattr(model, MARK)
        else:
            jax.tree.map(np.testing.assert_array_equal, state, _state(model))
    broken = FlaxSide(made(Broken), Inputs((numbers(2, 2),)))
    with pytest.raises(RuntimeError, match="broken"):
        broken.run(broken.native, Inputs((numbers(2, 2),)), Pass())
    assert {cls: vars(cls).get("__call__") for cls in calls} == calls
    assert patched == (jax.checkpoint, jax.remat)
    assert before == _settings()


def test_native_arrays_are_read_only_doubles_without_random_states() -> None:
    names = {api: set(side.native) for api, side in SIDES.items()}
    assert {name.rpartition(".")[0] for name in names["nnx"]} == {"conv", "norm", "head", ""}
    assert {name.partition("/")[0] for name in names["linen"]} == {"params", "batch_stats"}
    for side in SIDES.values():
        assert {array.dtype for array in side.native.values()} == {np.dtype(np.float64)}
        with pytest.raises(ValueError, match="read-only"):
            next(iter(side.native.values()))[...] = 0


@pytest.mark.parametrize("model", [LinenNet(), 3, (LinenNet(), {})])
def test_what_is_no_network_is_refused(model: Any) -> None:
    with pytest.raises(UsageError, match=r"expected .*: (give|see)"):
        FlaxSide(model, Inputs((X,)))
