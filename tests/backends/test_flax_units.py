"""What holds the arrays of any Flax network: every kind computes what it says, by another's formula."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import linen as nn
from flax import nnx
from numpy.typing import NDArray

from parity.backends.flax.side import FlaxSide
from parity.interface.observation import Inputs
from parity.interface.packing import native_copy
from parity.interface.side import Pass
from parity.interface.trace import Arrays
from tests.backends.flax_small import close, linen, made, numbers, rngs

Reference = Callable[[dict[str, Arrays], dict[str, Any], NDArray], NDArray]


def written(side: FlaxSide) -> tuple[dict[str, Arrays], Arrays]:
    """Random canonical arrays by unit and role, and the native ones that hold them, NaN where nothing was written."""
    native = native_copy(side.native)
    for array in native.values():
        array[...] = np.nan
    shapes = {name: array.shape for name, array in native.items()}
    canonical: dict[str, Arrays] = {}
    for number, unit in enumerate(side.units):
        own = {role: numbers(*p.shape(shapes), seed=number) for role, p in unit.arrays.items()}
        own |= {"running_var": np.abs(own["running_var"])} if "running_var" in own else {}
        for role, packing in unit.arrays.items():
            packing.write(own[role], native)
        canonical[unit.path] = own
    return canonical, native


def torched(x: NDArray) -> torch.Tensor:
    return torch.tensor(np.moveaxis(x, -1, 1))


def back(y: torch.Tensor) -> NDArray:
    return np.moveaxis(y.numpy(), 1, -1)


def dense(c: dict[str, Arrays], s: dict[str, Any], x: NDArray) -> NDArray:
    return x.reshape(len(x), -1) @ c[""]["kernel"] + c[""]["bias"]


def conv(c: dict[str, Arrays], s: dict[str, Any], x: NDArray) -> NDArray:
    """With the settings that the unit tells, in PyTorch."""
    spatial = len(s["kernel_size"])
    function = (torch.conv1d, torch.conv2d, torch.conv3d)[spatial - 1]
    pads = [(0, 0)] * spatial if s["padding"] == "VALID" else s["padding"]
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    kernel = torch.tensor(np.moveaxis(c[""]["kernel"], (-1, -2), (0, 1)))
    bias = torch.tensor(c[""]["bias"])
    assert (s["features"], s["kernel_size"]) == (len(kernel), tuple(kernel.shape[2:]))
    assert s["input_dilation"] == (1,) * spatial
    how = {"stride": s["strides"], "dilation": s["dilation"], "groups": s["groups"]}
    return back(function(torched(x), kernel, bias, **how))


def conv_transpose(c: dict[str, Arrays], s: dict[str, Any], x: NDArray) -> NDArray:
    kernel = torch.tensor(np.flip(np.moveaxis(c[""]["kernel"], (-2, -1), (0, 1)), (2, 3)).copy())
    y = torch.conv_transpose2d(torched(x), kernel, torch.tensor(c[""]["bias"]), stride=s["strides"])
    assert (s["features"], s["padding"]) == (kernel.shape[1], "VALID")
    return back(y)


def scaled(c: dict[str, Arrays], x: NDArray) -> NDArray:
    return x * c[""]["scale"] + c[""].get("bias", 0.0)


def batch_norm(c: dict[str, Arrays], s: dict[str, Any], x: NDArray) -> NDArray:
    assert (s["keep"], s["running_var"], s["fast_variance"]) == (0.8, "biased", False)
    own = c[""]
    return scaled(c, (x - own["running_mean"]) / np.sqrt(own["running_var"] + s["eps"]))


def over(*axes: int, centred: bool = True) -> Reference:
    def norm(c: dict[str, Arrays], s: dict[str, Any], x: NDArray) -> NDArray:
        x = x - x.mean(axes, keepdims=True) if centred else x
        return scaled(c, x / np.sqrt((x**2).mean(axes, keepdims=True) + s["eps"]))

    return norm


def group_norm(c: dict[str, Arrays], s: dict[str, Any], x: NDArray) -> NDArray:
    own = (torch.tensor(c[""]["scale"]), torch.tensor(c[""]["bias"]))
    return back(torch.group_norm(torched(x), s["num_groups"], *own, eps=s["eps"]))


def embedding(c: dict[str, Arrays], s: dict[str, Any], x: NDArray) -> NDArray:
    return c[""]["table"][x]


def recurrent(cls: type[torch.nn.RNNBase], biases: Callable[[Arrays], tuple[NDArray, NDArray]]) -> Reference:
    def run(c: dict[str, Arrays], s: dict[str, Any], x: NDArray) -> NDArray:
        own = c["cell"]
        layer = cls(x.shape[-1], s["features"], batch_first=True).double()  # type: ignore[call-arg]
        given = [own["input_kernel"].T, own["recurrent_kernel"].T, *biases(own)]
        with torch.no_grad():
            for parameter, array in zip(layer.parameters(), given, strict=True):
                parameter.copy_(torch.tensor(array))
            return layer(torch.tensor(x))[0].numpy()

    return run


def attention(c: dict[str, Arrays], s: dict[str, Any], x: NDArray) -> NDArray:
    layer = torch.nn.MultiheadAttention(6, 2, batch_first=True).double()
    three = [c[name] for name in ("query", "key", "value")]
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.tensor(np.concatenate([own["kernel"].T for own in three])))
        layer.in_proj_bias.copy_(torch.tensor(np.concatenate([own["bias"] for own in three])))
        layer.out_proj.weight.copy_(torch.tensor(c["out"]["kernel"].T))
        layer.out_proj.bias.copy_(torch.tensor(c["out"]["bias"]))
        return layer(*[torch.tensor(x)] * 3)[0].numpy()


LSTM = recurrent(torch.nn.LSTM, lambda own: (own["bias"], 0 * own["bias"]))
RNN = recurrent(torch.nn.RNN, lambda own: (own["bias"], 0 * own["bias"]))


def _gru_biases(own: Arrays) -> tuple[NDArray, NDArray]:
    inner = own.get("recurrent_bias", 0 * own["candidate_bias"])
    return np.concatenate([own["gate_bias"], own["candidate_bias"]]), np.concatenate([0 * own["gate_bias"], inner])


GRU = recurrent(torch.nn.GRU, _gru_biases)
IMAGE, ROW, ROWS = (2, 5, 6, 4), (2, 7, 4), (2, 3, 4)
CONV: dict[str, Any] = {
    "strides": (2, 1),
    "padding": ((1, 2), (0, 1)),
    "kernel_dilation": (1, 2),
    "feature_group_count": 2,
}
Makers = dict[str, tuple[Callable[[], Any], tuple[int, ...], str, Reference]]

NNX: Makers = {
    "Linear": (lambda: nnx.Linear(4, 5, rngs=rngs()), (2, 4), "dense", dense),
    "LinearGeneral": (lambda: nnx.LinearGeneral((3, 4), 5, axis=(-2, -1), rngs=rngs()), ROWS, "dense", dense),
    "Conv": (lambda: nnx.Conv(4, 6, (2, 3), **CONV, rngs=rngs()), IMAGE, "conv", conv),
    "Conv 1D": (lambda: nnx.Conv(4, 3, 3, padding=1, rngs=rngs()), ROW, "conv", conv),
    "Conv 3D": (lambda: nnx.Conv(4, 3, (1, 2, 3), padding="VALID", rngs=rngs()), (2, 2, *IMAGE[1:]), "conv", conv),
    "BatchNorm": (
        lambda: nnx.BatchNorm(4, momentum=0.8, epsilon=1e-2, use_fast_variance=False, rngs=rngs()),
        IMAGE,
        "batch_norm",
        batch_norm,
    ),
    "LayerNorm": (lambda: nnx.LayerNorm(4, epsilon=1e-2, rngs=rngs()), ROWS, "layer_norm", over(-1)),
    "RMSNorm": (lambda: nnx.RMSNorm(4, epsilon=1e-2, rngs=rngs()), ROWS, "rms_norm", over(-1, centred=False)),
    "InstanceNorm": (lambda: nnx.InstanceNorm(4, epsilon=1e-2, rngs=rngs()), IMAGE, "group_norm", over(1, 2)),
    "GroupNorm": (lambda: nnx.GroupNorm(4, 2, epsilon=1e-2, rngs=rngs()), IMAGE, "group_norm", group_norm),
    "Embed": (lambda: nnx.Embed(11, 3, rngs=rngs()), (), "embedding", embedding),
    "LSTMCell": (lambda: nnx.RNN(nnx.LSTMCell(4, 3, rngs=rngs()), rngs=rngs()), ROWS, "lstm", LSTM),
    "OptimizedLSTMCell": (lambda: nnx.RNN(nnx.OptimizedLSTMCell(4, 3, rngs=rngs()), rngs=rngs()), ROWS, "lstm", LSTM),
    "GRUCell": (lambda: nnx.RNN(nnx.GRUCell(4, 3, rngs=rngs()), rngs=rngs()), ROWS, "gru", GRU),
    "SimpleCell": (lambda: nnx.RNN(nnx.SimpleCell(4, 3, rngs=rngs()), rngs=rngs()), ROWS, "rnn", RNN),
    "Attention": (lambda: nnx.MultiHeadAttention(2, 6, decode=False, rngs=rngs()), (2, 3, 6), "dense", attention),
}
for turned in (False, True):
    NNX[f"ConvTranspose {turned}"] = (
        lambda turned=turned: nnx.ConvTranspose(  # type: ignore[misc]
            4, 3, (2, 3), strides=(2, 1), padding="VALID", transpose_kernel=turned, rngs=rngs()
        ),
        IMAGE,
        "conv_transpose",
        conv_transpose,
    )

MODULES: dict[str, Callable[[], nn.Module]] = {
    "Linear": lambda: nn.Dense(5),
    "LinearGeneral": lambda: nn.DenseGeneral(5, axis=(-2, -1)),
    "Conv": lambda: nn.Conv(6, (2, 3), **CONV),
    "Conv 1D": lambda: nn.Conv(3, 3, padding=1),
    "Conv 3D": lambda: nn.Conv(3, (1, 2, 3), padding="VALID"),
    "BatchNorm": lambda: nn.BatchNorm(momentum=0.8, epsilon=1e-2, use_fast_variance=False),
    "LayerNorm": lambda: nn.LayerNorm(epsilon=1e-2),
    "RMSNorm": lambda: nn.RMSNorm(epsilon=1e-2),
    "InstanceNorm": lambda: nn.InstanceNorm(epsilon=1e-2),
    "GroupNorm": lambda: nn.GroupNorm(num_groups=None, group_size=2, epsilon=1e-2),
    "Embed": lambda: nn.Embed(11, 3),
    "LSTMCell": lambda: nn.RNN(nn.LSTMCell(3), name="rnn"),
    "OptimizedLSTMCell": lambda: nn.RNN(nn.OptimizedLSTMCell(3)),
    "GRUCell": lambda: nn.RNN(nn.GRUCell(3)),
    "SimpleCell": lambda: nn.RNN(nn.SimpleCell(3)),
    "Attention": lambda: nn.MultiHeadDotProductAttention(2),
    "ConvTranspose False": lambda: nn.ConvTranspose(3, (2, 3), strides=(2, 1), padding="VALID"),
    "ConvTranspose True": lambda: nn.ConvTranspose(3, (2, 3), strides=(2, 1), padding="VALID", transpose_kernel=True),
}


def test_both_of_flax_have_the_same_cases() -> None:
    assert set(MODULES) == set(NNX)


@pytest.mark.parametrize("api", ["nnx", "linen"])
@pytest.mark.parametrize("name", NNX)
def test_a_kind_computes_what_it_says(name: str, api: str) -> None:
    make, shape, kind, reference = NNX[name]
    x = numbers(*shape) if shape else np.array([[3, 0], [10, 3]])
    words = {"use_running_average": True} if name == "BatchNorm" else {}
    side = FlaxSide(made(make) if api == "nnx" else linen(MODULES[name](), x, **words), Inputs((x,)))
    canonical, native = written(side)
    assert {unit.kind for unit in side.units} == {kind}
    assert all(np.isfinite(array).all() for array in native.values())
    assert all(unit.runs for unit in side.units)
    found = side.run(native, Inputs((x,)), Pass(capture=False)).outputs[""]
    expected = reference(canonical, dict(side.units[0].settings), x)
    assert close(found.reshape(expected.shape), expected)


@pytest.mark.parametrize("api", ["nnx", "linen"])
def test_attention_merges_its_heads(api: str) -> None:
    x = numbers(2, 3, 6)
    side = FlaxSide(made(NNX["Attention"][0]) if api == "nnx" else linen(MODULES["Attention"](), x), Inputs((x,)))
    assert [(unit.path, unit.settings["heads"]) for unit in side.units] == [
        (name, 2) for name in ("query", "key", "value", "out")
    ]


class Shared(nnx.Module):
    def __init__(self) -> None:
        self.a = nnx.Linear(3, 3, rngs=rngs())
        self.b = self.a
        self.c = nnx.Linear(3, 3, rngs=rngs())
        self.c.kernel = self.a.kernel

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.c(self.b(self.a(x)))


class Loose(nnx.Module):
    """Arrays in a list, in a layer that has one too many, in a low-rank adapter, and in one that never runs."""

    def __init__(self) -> None:
        self.unused = nnx.Linear(2, 3, rngs=rngs())
        self.last = nnx.LoRALinear(3, 3, lora_rank=2, rngs=rngs())
        self.first = nnx.Linear(3, 3, rngs=rngs())
        self.first.extra = nnx.Param(jnp.ones(3))  # type: ignore[attr-defined] # the point of it
        self.several = nnx.List([nnx.Param(jnp.ones(3)), nnx.Param(jnp.ones(3))])

    def __call__(self, x: jax.Array) -> jax.Array:
        extra = vars(self.first)["extra"]
        return self.last(self.first(x) * extra + self.several[0] * self.several[1])


class Weighted(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.WeightNorm(nn.Dense(3))(x)


class Stack(nnx.Module):
    def __init__(self) -> None:
        @nnx.split_rngs(splits=4)
        @nnx.vmap(in_axes=(0,), out_axes=0)
        def layers(rngs: nnx.Rngs) -> Block:
            return Block(rngs)

        self.layers = layers(rngs())
        self.head = nnx.Linear(3, 2, rngs=rngs())

    def __call__(self, x: jax.Array) -> jax.Array:
        @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        def forward(x: jax.Array, block: Block) -> jax.Array:
            return block(x)

        return self.head(forward(x, self.layers))


class Block(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.fc = nnx.Linear(3, 3, rngs=rngs)
        self.norm = nnx.RMSNorm(3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return x + jnp.tanh(self.fc(self.norm(x)))


class LinenBlock(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
        return x + jnp.tanh(nn.Dense(3, name="fc")(nn.RMSNorm(name="norm")(x))), None


class LinenStack(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        stacked = nn.scan(LinenBlock, variable_axes={"params": 0}, split_rngs={"params": True}, length=4)
        return nn.Dense(2, name="head")(stacked(name="layers")(x, None)[0])


ODD: dict[str, Callable[[NDArray], Any]] = {
    "shared": lambda x: made(Shared),
    "loose": lambda x: made(Loose),
    "weighted": lambda x: linen(Weighted(), x),
    "stack": lambda x: made(Stack),
    "linen stack": lambda x: linen(LinenStack(), x),
    "einsum": lambda x: made(lambda: nnx.Einsum("ab,bc->ac", (3, 4), (4,), rngs=rngs())),
    "per place": lambda x: linen(nn.DenseGeneral(4, batch_dims=(0,)), x),
    "local": lambda x: linen(nn.ConvLocal(3, 2, padding="VALID"), x),
}


@pytest.mark.parametrize("name", ODD)
def test_every_array_belongs_to_one_unit(name: str) -> None:
    x = numbers(2, 5, 3).astype(np.float32) if name == "local" else numbers(2, 3)
    side = FlaxSide(ODD[name](x), Inputs((x,)))
    _, native = written(side)
    assert all(np.isfinite(array).all() for array in native.values())
    sizes = [packing.read(native).size for unit in side.units for packing in unit.arrays.values()]
    assert sum(sizes) == sum(array.size for array in native.values())


def test_what_is_shared_has_one_name_and_ties() -> None:
    side = FlaxSide(made(Shared), Inputs((numbers(2, 3),)))
    assert set(side.native) == {"a.kernel", "a.bias", "c.bias"}
    assert side.ties == {"b.kernel": "a.kernel", "b.bias": "a.bias", "c.kernel": "a.kernel"}
    assert [(unit.path, unit.kind) for unit in side.units] == [("a", "dense"), ("c", "custom")]


def test_a_layer_that_another_call_changes_is_of_no_known_kind() -> None:
    side = FlaxSide(made(Loose), Inputs((numbers(2, 3),)))
    found = {(unit.path, unit.kind): set(unit.arrays) for unit in side.units}
    assert found["last", "custom"] == {"kernel", "bias"}
    assert found["last.lora", "custom"] == {"lora_a", "lora_b"}
    assert (found["first", "dense"], found["first", "custom"]) == ({"kernel", "bias"}, {"extra"})


@pytest.mark.parametrize("api", ["nnx", "linen"])
def test_stacked_layers_are_units_of_their_own(api: str) -> None:
    x = numbers(2, 3)
    side = FlaxSide(made(Stack) if api == "nnx" else linen(LinenStack(), x), Inputs((x,)))
    slash = "." if api == "nnx" else "/"
    paths = [f"layers{slash}{name}[{i}]" for i in range(4) for name in ("norm", "fc")]
    assert [unit.path for unit in side.units] == [*paths, "head"]
    canonical, native = written(side)
    found, y = side.run(native, Inputs((x,)), Pass()), x
    for i in range(4):
        norm, fc = canonical[f"layers{slash}norm[{i}]"], canonical[f"layers{slash}fc[{i}]"]
        scaled = y / np.sqrt((y**2).mean(-1, keepdims=True) + 1e-6) * norm["scale"]
        y = y + np.tanh(scaled @ fc["kernel"] + fc["bias"])
    assert close(found.outputs[""], y @ canonical["head"]["kernel"] + canonical["head"]["bias"])
    inside = [call.path for call in found.calls if call.path.endswith("fc")]
    assert inside == [f"layers{slash}fc"] * 4


def test_units_are_in_the_order_of_execution() -> None:
    side = FlaxSide(made(Loose), Inputs((numbers(2, 3),)))
    assert [unit.order for unit in side.units] == list(range(len(side.units)))
    known = [unit.path for unit in side.units if unit.path.partition(".")[0] in ("first", "last", "unused")]
    assert list(dict.fromkeys(known)) == ["first", "last", "last.lora", "unused"]
    assert [unit.path for unit in side.units if not unit.runs and unit.kind == "dense"] == ["unused"]


def test_settings_of_a_layer() -> None:
    module = nn.Conv(6, (2, 3), strides=2, padding=1, input_dilation=(1, 2), feature_group_count=2, dtype=jnp.bfloat16)
    x = numbers(*IMAGE)
    assert FlaxSide(linen(module, x), Inputs((x,))).units[0].settings == {
        "features": 6,
        "kernel_size": (2, 3),
        "strides": (2, 2),
        "dilation": (1, 1),
        "input_dilation": (1, 2),
        "groups": 2,
        "padding": ((1, 1), (1, 1)),
        "dtype": "bfloat16",
    }


@pytest.mark.parametrize("api", ["nnx", "linen"])
def test_gates_and_activations_are_told(api: str) -> None:
    x = numbers(*ROWS)
    if api == "nnx":
        gru = made(lambda: nnx.RNN(nnx.GRUCell(4, 3, gate_fn=nnx.hard_sigmoid, rngs=rngs()), rngs=rngs()))
        simple = made(lambda: nnx.RNN(nnx.SimpleCell(4, 3, activation_fn=nnx.relu, rngs=rngs()), rngs=rngs()))
        models = [gru, simple]
    else:
        models = [linen(nn.RNN(nn.GRUCell(3, gate_fn=nn.hard_sigmoid)), x)]
        models.append(linen(nn.RNN(nn.SimpleCell(3, activation_fn=nn.relu)), x))
    gates, plain = (FlaxSide(model, Inputs((x,))).units[0].settings for model in models)
    assert (gates["gate"], gates["reset_after"], plain["activation"]) == ("hard_sigmoid", True, "relu")


def test_bidirectional_layers_hold_two_cells() -> None:
    x = numbers(*ROWS)
    module = nn.Bidirectional(nn.RNN(nn.LSTMCell(3)), nn.RNN(nn.LSTMCell(3)))
    one = lambda: nnx.RNN(nnx.LSTMCell(4, 3, rngs=rngs()), rngs=rngs())  # noqa: E731 - short
    other = made(lambda: nnx.Bidirectional(one(), one(), rngs=rngs()))
    for model in (linen(module, x), other):
        assert [unit.kind for unit in FlaxSide(model, Inputs((x,))).units] == ["lstm", "lstm"]
