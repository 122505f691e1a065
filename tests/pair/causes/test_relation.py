"""What the numbers say of a difference: functions that are known, factors, offsets, other orders."""

from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest
import torch
from torch import nn as tnn
from torch.nn import functional

import parity
from parity.pair.causes.known_functions import applied, related

X = np.random.default_rng(0).standard_normal((3, 4, 5)) * 5
KNOWN: dict[str, Any] = {
    "ReLU": functional.relu, "ReLU6": functional.relu6, "leaky ReLU (slope 0.01)": functional.leaky_relu,
    "ELU": functional.elu, "SELU": functional.selu, "GELU (exact)": functional.gelu,
    "GELU (tanh form)": lambda x: functional.gelu(x, approximate="tanh"), "SiLU": functional.silu,
    "Mish": functional.mish, "softplus": functional.softplus, "softsign": functional.softsign, "tanh": torch.tanh,
    "sigmoid": torch.sigmoid, "log-sigmoid": functional.logsigmoid, "hard sigmoid": functional.hardsigmoid,
    "hard swish": functional.hardswish, "hard tanh": functional.hardtanh, "exp": torch.exp, "square": torch.square,
    "softmax along axis 2": lambda x: x.softmax(-1), "log-softmax along axis 1": lambda x: x.log_softmax(1),
    "GELU (x·σ(1.702·x))": lambda x: x * torch.sigmoid(1.702 * x), "nothing": lambda x: x,
    "leaky ReLU (slope 0.2)": lambda x: functional.leaky_relu(x, 0.2),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_functions_are_known_as_pytorch_computes_them(name: str) -> None:
    assert applied(X, KNOWN[name](torch.tensor(X)).numpy()) == name


def test_no_name_is_given_to_another_function_or_shape() -> None:
    assert applied(X, np.sin(X)) == ""
    assert applied(X, np.tanh(X)[..., :4]) == ""
    assert applied(X, np.tanh(X) * (1 + 1e-8)) == ""


@pytest.mark.parametrize(
    ("flax", "says"),
    [
        (2 * X, "Flax's numbers are 2 times PyTorch's"),
        (X / 24, "Flax's numbers are 0.0416667 (1/24) times PyTorch's"),
        (6**0.5 * X, "Flax's numbers are 2.44949 (√6) times PyTorch's"),
        (-X, "Flax's numbers are PyTorch's with the other sign"),
        (X * 1, ""),
        (-1.1 * X, "Flax's numbers are -1.1 times PyTorch's"),
        (X + 1, "Flax's numbers are PyTorch's and 1 more"),
        (X[:, ::-1], "Flax's numbers are PyTorch's, backwards along axis 1"),
        (X.reshape(3, 5, 4).swapaxes(1, 2), "the numbers are the same in another order"),
        (X**3, ""),
        (np.full_like(X, np.nan), ""),
        (0 * X, ""),
        (X[..., :4], ""),
    ],
)
def test_relations_are_said_in_words(flax: np.ndarray, says: str) -> None:
    assert related(flax, X) == says


class Flax(nn.Module):
    function: Any

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(2)(self.function(nn.Dense(5)(x)))


@pytest.mark.parametrize(
    ("ours", "theirs", "cause", "suspected"),
    [
        (nn.silu, tnn.Mish(), "Flax applies SiLU, PyTorch applies Mish", ()),
        (jax.numpy.sin, tnn.Tanh(), "Flax applies sin at test_relation.py:68 where PyTorch applies tanh", ()),
        (lambda x: x * jax.numpy.sin(x), tnn.Tanh(), "", ("PyTorch applies tanh, Flax something else",)),
        (lambda x: x, tnn.ReLU(), "PyTorch applies ReLU, and Flax does not", ()),
        (lambda x: 3 * x, tnn.Identity(), "Flax multiplies with 3, and PyTorch does not (test_relation.py:78)", ()),
    ],
)
def test_what_lies_between_two_layers_is_named(
    ours: Any, theirs: tnn.Module, cause: str, suspected: tuple[str, ...]
) -> None:
    x = X[0].astype(np.float32)
    port = Flax(ours)
    model = tnn.Sequential(tnn.Linear(5, 5), theirs, tnn.Linear(5, 2))
    first = parity.compare(
        (port, port.init(jax.random.key(0), x)), model, x, checks=parity.Checks(probes=False)
    ).first_difference
    assert first is not None and (first.cause, first.suspected) == (cause, suspected)
    assert bool(first.proof) == bool(cause)
