"""The networks alone: shapes of logits, and weights that depend on the seed and on nothing else."""

from typing import Any

import jax
import numpy as np
import pytest
import torch
from flax import nnx

import torchnets
from parity.backends import twin_class
from parity.interface.random import draw
from parity.reference import NETWORKS
from tests.backends.small import both, ruled_same
from tests.twins.small import CONFIGS, jax_network, torch_network

INPUTS = {
    "MLP of points": ("MLP", {}, (7, 30)),
    "MLP of images": ("MLP", {}, (7, 3, 2, 5)),
    "VGG": ("VGG", {}, (7, 4, 4, 3)),
    "VGG of odd images": ("VGG", {"image_size": 5}, (7, 5, 5, 3)),
    "VGG of one pixel": ("VGG", {"image_size": 1}, (7, 1, 1, 3)),
    "VGG of grey images": ("VGG", {"in_channels": 1}, (7, 4, 4, 1)),
    "RNN of T = 2": ("RNN", {}, (7, 1, 2)),
    "RNN": ("RNN", {}, (7, 6, 2)),
    "GRU of T = 2": ("GRU", {}, (7, 1, 2)),
    "GRU": ("GRU", {}, (7, 6, 2)),
}


@pytest.mark.parametrize("case", INPUTS)
def test_shapes_of_logits(case) -> None:
    name, changed, shape = INPUTS[case]
    logits: Any = nnx.eval_shape(lambda x: jax_network(name, **changed)(x), np.ones(shape, np.float32))
    x = torch.ones(shape)
    assert logits.shape == torch_network(name, **changed)(x.permute(0, 3, 1, 2) if x.ndim == 4 else x).shape == (7, 3)


@pytest.mark.parametrize("network", ["RNN", "GRU"])
@pytest.mark.parametrize("length", [1, 2, 100])
def test_sequences_of_any_length_have_the_same_logits(network, length) -> None:
    x = np.random.default_rng(0).standard_normal((3, length, 2)).astype(np.float32)

    def logits(framework: str) -> Any:
        cls = twin_class(framework)
        model = cls.build(network, CONFIGS[network])
        return both(lambda precision: loaded(network, cls(model, precision=precision)).forward(x, training=False))

    jax_, torch_ = logits("flax"), logits("torch")
    assert ruled_same({"flax": jax_, "torch": torch_})
    assert torch_.high.shape == (3, 3) and np.ptp(torch_.high, axis=0).min() > 0


def loaded(network: str, twin: Any) -> Any:
    twin.load(draw(NETWORKS[network](**CONFIGS[network]).shapes(), "probe", 0))
    return twin


def arrays(network: Any) -> list[np.ndarray]:
    if isinstance(network, torch.nn.Module):
        return [tensor.numpy() for tensor in network.state_dict().values()]
    return [np.asarray(leaf) for leaf in jax.tree.leaves(nnx.state(network))]


@pytest.mark.parametrize("make", [jax_network, torch_network])
@pytest.mark.parametrize("name", CONFIGS)
def test_weights_are_those_of_the_seed(make, name) -> None:
    first, again, other = (arrays(make(name, seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    drawn = [a for a in first if len(np.unique(a)) > 1]
    assert len(drawn) == {"MLP": 4, "VGG": 4, "RNN": 5, "GRU": 6}[name]
    assert not any(np.array_equal(a, b) for a in drawn for b in other)
    assert len({float(a.ravel()[0]) for a in drawn}) == len(drawn)


def test_the_global_generator_of_torch_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    torch_network("VGG")
    assert torch.equal(torch.random.get_rng_state(), before)


def test_without_a_generator_torch_uses_the_global_one() -> None:
    with torch.random.fork_rng():
        drawn = []
        for seed in (5, 5, 6):
            torch.manual_seed(seed)
            drawn.append(arrays(torchnets.RNN(**CONFIGS["RNN"])))
    assert np.array_equal(drawn[0][0], drawn[1][0]) and not np.array_equal(drawn[0][0], drawn[2][0])
