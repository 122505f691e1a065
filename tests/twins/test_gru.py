"""Both GRUs are each framework's own cell, given the same weights."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

import jaxnets
from parity.backends import twin_class
from parity.interface import random as initial
from parity.reference import GRU
from tests.backends.small import close

FEATURES, HIDDEN, CLASSES = 2, 7, 3
CONFIG: dict[str, Any] = {"input_size": FEATURES, "hidden_size": HIDDEN, "num_classes": CLASSES}
WEIGHTS = initial.draw(GRU(**CONFIG).shapes(), "probe", 0)


def inputs(steps: int) -> np.ndarray:
    return np.random.default_rng(steps).standard_normal((5, steps, FEATURES)).astype(np.float32)


def pytorchs_own(x: np.ndarray) -> np.ndarray:
    """Logits by `torch.nn.GRU`, read out by hand."""
    own = torch.nn.GRU(FEATURES, HIDDEN, batch_first=True, dtype=torch.float64)
    kernels = {"weight_ih_l0": WEIGHTS["cell.hx.kernel"].T, "weight_hh_l0": WEIGHTS["cell.hh.kernel"].T}
    biases = {"bias_ih_l0": WEIGHTS["cell.hx.bias"], "bias_hh_l0": WEIGHTS["cell.hh.bias"]}
    own.load_state_dict({name: torch.tensor(array) for name, array in (kernels | biases).items()})
    _, last = own(torch.tensor(x, dtype=torch.float64))
    return last[0].detach().numpy() @ WEIGHTS["ph.kernel"] + WEIGHTS["ph.bias"]


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("framework", ["flax", "torch", "numpy"])
def test_logits_are_those_of_pytorchs_own_gru(framework, steps) -> None:
    twin = twin_class(framework)(twin_class(framework).build("GRU", CONFIG))
    twin.load(WEIGHTS)
    assert close(twin.forward(inputs(steps), training=True), pytorchs_own(inputs(steps)))


def cells(hidden_bias: np.ndarray) -> tuple[Any, Any]:
    """Our cell and `flax.nnx.GRUCell`, whose one bias gets the sum of our two."""
    ours: Any = jaxnets.GRU(**CONFIG, rngs=nnx.Rngs(0)).cell
    theirs: Any = nnx.GRUCell(FEATURES, HIDDEN, rngs=nnx.Rngs(0))
    input_bias = WEIGHTS["cell.hx.bias"]
    for mine, own, path in ((ours.hx, theirs.dense_i, "cell.hx"), (ours.hh, theirs.dense_h, "cell.hh")):
        mine.kernel = own.kernel = nnx.Param(jnp.asarray(WEIGHTS[f"{path}.kernel"]))
    ours.hx.bias, ours.hh.bias = nnx.Param(jnp.asarray(input_bias)), nnx.Param(jnp.asarray(hidden_bias))
    theirs.dense_i.bias = nnx.Param(jnp.asarray(input_bias + hidden_bias))
    return ours, theirs


@pytest.mark.parametrize("same", [True, False])
def test_it_is_flaxs_own_cell_where_the_reset_gate_has_no_bias_to_scale(same) -> None:
    bias = WEIGHTS["cell.hh.bias"] * (np.arange(3 * HIDDEN) < 2 * HIDDEN if same else 1)
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        ours, theirs = cells(bias)
        x, h = jnp.asarray(rng.standard_normal((5, FEATURES))), jnp.asarray(rng.standard_normal((5, HIDDEN)))
        assert close(np.asarray(ours(x, h)), np.asarray(theirs(h, x)[0])) == same
