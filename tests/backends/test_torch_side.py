"""A user's PyTorch network as the check sees it."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from parity.backends.torch.side import TorchSide
from parity.interface.observation import Dropped, Inputs
from parity.interface.packing import native_copy
from parity.interface.side import Pass


def side(model: nn.Module, *inputs: np.ndarray, **kwargs: Any) -> TorchSide:
    return TorchSide(model, Inputs(inputs, kwargs))


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


LAYERS: dict[str, tuple[nn.Module, np.ndarray, dict[str, tuple[int, ...]]]] = {
    "dense": (nn.Linear(3, 5), numbers(2, 3), {"kernel": (3, 5), "bias": (5,)}),
    "conv": (nn.Conv2d(4, 6, (3, 2), groups=2), numbers(1, 4, 5, 5), {"kernel": (3, 2, 2, 6), "bias": (6,)}),
    "conv_transpose": (nn.ConvTranspose1d(2, 3, 4), numbers(1, 2, 5), {"kernel": (4, 2, 3), "bias": (3,)}),
    "batch_norm": (
        nn.BatchNorm1d(4),
        numbers(3, 4),
        {"scale": (4,), "bias": (4,), "running_mean": (4,), "running_var": (4,)},
    ),
    "layer_norm": (nn.LayerNorm(4), numbers(2, 4), {"scale": (4,), "bias": (4,)}),
    "rms_norm": (nn.RMSNorm(4, eps=1e-5), numbers(2, 4), {"scale": (4,)}),
    "group_norm": (nn.GroupNorm(2, 4), numbers(2, 4, 3), {"scale": (4,), "bias": (4,)}),
    "embedding": (nn.Embedding(7, 4), np.array([[1, 2]]), {"table": (7, 4)}),
    "lstm": (
        nn.LSTM(3, 4),
        numbers(2, 1, 3),
        {"input_kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (16,)},
    ),
    "gru": (
        nn.GRU(3, 4),
        numbers(2, 1, 3),
        {
            "input_kernel": (3, 12),
            "recurrent_kernel": (4, 12),
            "gate_bias": (8,),
            "candidate_bias": (4,),
            "recurrent_bias": (4,),
        },
    ),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_every_array_of_a_layer_has_a_canonical_place(kind: str) -> None:
    model, inputs, shapes = LAYERS[kind]
    seen = side(model, inputs)
    (unit,) = seen.units
    native = {name: array.shape for name, array in seen.native.items()}
    assert unit.kind == kind and unit.runs
    assert {role: packing.shape(native) for role, packing in unit.arrays.items()} == shapes
    filled = native_copy(seen.native)
    for array in filled.values():
        array[...] = np.nan
    for packing in unit.arrays.values():
        packing.write(np.ones(packing.shape(native)), filled)
    assert not any(np.isnan(array).any() for array in filled.values())


def test_packed_attention_is_four_dense_layers_in_order() -> None:
    seen = side(nn.MultiheadAttention(8, 2), *[numbers(3, 1, 8)] * 3)
    assert [unit.path for unit in seen.units] == [".query", ".key", ".value", "out_proj"]
    key = seen.units[1].arrays["kernel"]
    assert np.array_equal(key.read(seen.native), seen.native["in_proj_weight"][8:16].T)


def test_a_tied_array_belongs_to_the_first_layer_only() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Embedding(5, 3), nn.Linear(3, 5)
            self.head.weight = self.embed.weight

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.head(self.embed(ids))

    seen = side(Tied(), np.array([1, 2]))
    assert [(unit.path, list(unit.arrays)) for unit in seen.units] == [("embed", ["table"]), ("head", ["bias"])]
    assert seen.ties == {"head.weight": "embed.weight"}


def test_gradients_are_those_of_autograd_and_in_place_operations_spoil_nothing() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))
    x, cotangent = numbers(5, 3), numbers(5, 2)
    seen = side(model, x)
    found = seen.run(seen.native, Inputs((x,)), Pass(cotangents={"": cotangent}))
    twin = copy.deepcopy(model).double()
    given = torch.tensor(x, requires_grad=True)
    first: torch.Tensor = twin[0](given)
    first.retain_grad()
    nn.Sequential(nn.ReLU(), twin[2])(first).backward(torch.tensor(cotangent))
    assert first.grad is not None and given.grad is not None
    assert np.array_equal(found.calls[0].outputs[0], first.detach().numpy())  # not what ReLU made of it
    inner = found.calls[0].gradients[0]
    assert inner is not None and np.array_equal(inner, first.grad.numpy())
    assert np.array_equal(found.input_gradients["[0]"], given.grad.numpy())
    gap = found.parameter_gradients["0.weight"] - first.grad.numpy().T @ x
    assert np.abs(gap).max() < 32 * np.finfo(np.float64).eps


class Casting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.softmax(self.inner(x).float(), dim=-1, dtype=torch.float32).to(torch.float32)


def test_casts_to_float32_are_undone_and_are_none_to_a_user_of_float32() -> None:
    x = numbers(2, 4)
    model = Casting()
    seen = side(model, x)
    found = seen.run(seen.native, Inputs((x,)), Pass())
    wide = F.linear(torch.tensor(x), model.inner.weight.double(), model.inner.bias.double()).softmax(-1)
    assert found.outputs[""].dtype == np.float64
    assert np.abs(found.outputs[""] - wide.detach().numpy()).max() < 8 * np.finfo(np.float64).eps
    assert not found.undone and not found.narrow


def test_dropout_is_off_or_the_mask_that_is_given_also_where_it_is_a_function() -> None:
    class Dropping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.drop = nn.Dropout(0.25)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.dropout(self.drop(x), 0.5, self.training)

    x = numbers(2, 3)
    seen = side(Dropping(), x)
    off = seen.run(seen.native, Inputs((x,)), Pass(training=True))
    assert np.array_equal(off.outputs[""], x)
    assert off.dropouts == (Dropped((2, 3), 0.25), Dropped((2, 3), 0.5))
    masked = seen.run(seen.native, Inputs((x,)), Pass(training=True, mask=lambda n, used: np.full(used.shape, n + 2.0)))
    assert np.array_equal(masked.outputs[""], x * 6)
    assert not seen.run(seen.native, Inputs((x,)), Pass()).dropouts


def test_buffers_after_a_training_pass_are_shown_and_the_model_keeps_its_own() -> None:
    model, x = nn.BatchNorm1d(3), numbers(6, 3)
    seen = side(model, x)
    found = seen.run(seen.native, Inputs((x,)), Pass(training=True))
    assert np.abs(found.buffers["running_mean"] - 0.1 * x.mean(0)).max() < 4 * np.finfo(np.float64).eps
    assert not np.any(model.get_buffer("running_mean").numpy()) and np.array_equal(
        seen.native["running_mean"], np.zeros(3)
    )


def test_the_optimizer_keeps_its_groups() -> None:
    model, x = nn.Linear(3, 2), numbers(4, 3)
    groups = [{"params": [model.weight], "lr": 0.0}, {"params": [model.bias], "lr": 0.1}]
    seen = side(model, x)
    run = seen.train(seen.native, [Inputs((x,))], [{"": numbers(4, 2)}], torch.optim.SGD(groups, lr=1.0))
    assert np.array_equal(run.weights["weight"], seen.native["weight"])
    assert not np.array_equal(run.weights["bias"], seen.native["bias"])


def test_what_the_network_raises_leaves_nothing_changed() -> None:
    class Failing(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("no")

    default, fast = torch.get_default_dtype(), torch.backends.mha.get_fastpath_enabled()
    with pytest.raises(RuntimeError, match="no"):
        side(Failing(), numbers(2)).run({}, Inputs((numbers(2),)), Pass())
    assert (torch.get_default_dtype(), torch.backends.mha.get_fastpath_enabled()) == (default, fast)
