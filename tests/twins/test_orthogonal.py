"""Init "orthogonal": recurrent kernels are uniform among the orthogonal matrices, their biases 0."""

from typing import Any

import numpy as np
import pytest

from parity.backends import twin_class
from parity.interface.trace import Arrays

SIZES = {"input_size": 2, "num_classes": 3}
GATES = {"RNN": ("hh", 1), "GRU": ("cell.hh", 3)}
FRAMEWORKS = ["flax", "torch", "numpy"]


def drawn(framework: str, network: str, hidden_size: int, seeds: int, init: str = "orthogonal") -> Arrays:
    config = {**SIZES, "hidden_size": hidden_size}
    return twin_class(framework).draw(network, config, seeds=range(seeds), init=init)


def blocks(framework: str, network: str, hidden_size: int, seeds: int) -> Any:
    """Every gate's kernel of every draw, (seeds, gates, H, H)."""
    path, gates = GATES[network]
    kernel = drawn(framework, network, hidden_size, seeds)[f"{path}.kernel"]
    return kernel.reshape(seeds, hidden_size, gates, hidden_size).swapaxes(1, 2)


@pytest.mark.parametrize("network", GATES)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_gates_kernel_is_an_orthogonal_matrix_of_its_own(framework, network) -> None:
    found = blocks(framework, network, 11, 2)
    products = found.swapaxes(2, 3).astype(np.float64) @ found
    assert np.abs(products - np.eye(11)).max() < 16 * np.finfo(np.float32).eps
    flat = found.reshape(-1, 121)
    assert len({float(block[0]) for block in flat}) == len(flat)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_they_are_uniform_among_the_orthogonal_matrices(framework) -> None:
    """In two dimensions: half are rotations, by any angle alike."""
    found = blocks(framework, "RNN", 2, 400)[:, 0]
    assert abs((np.linalg.det(found) > 0).mean() - 0.5) < 5 * 0.5 / 20
    angles = np.arctan2(found[:, 1, 0], found[:, 0, 0])
    counts, _ = np.histogram(angles, bins=8, range=(-np.pi, np.pi))
    assert np.abs(counts - 50).max() < 5 * 50**0.5


@pytest.mark.parametrize("network", GATES)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_its_bias_is_zero_and_the_rest_as_default(framework, network) -> None:
    path, _ = GATES[network]
    found = drawn(framework, network, 11, 3)
    assert not found.pop(f"{path}.bias").any() and found.pop(f"{path}.kernel").any()
    for name, array in found.items():
        bound = (2 if ".hx." in f".{name}" else 11) ** -0.5
        assert 0.5 * bound < np.abs(array).max() <= np.float32(bound), name


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_network_without_a_recurrent_map_is_as_default(framework) -> None:
    config = {"sizes": (3, 3, 2)}
    both = [twin_class(framework).draw("MLP", config, seeds=[5], init=init) for init in ("default", "orthogonal")]
    assert all(np.array_equal(both[0][name], both[1][name]) for name in both[0])
