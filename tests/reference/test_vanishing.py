"""The gradient that reaches h_t from the loss, at T = 30: it vanishes in the study's RNN and not in ours."""

import numpy as np
import pytest

from parity import recipes
from parity.backends import twin_class
from parity.data import open_stream
from parity.interface import random as initial
from parity.reference import NETWORKS, softmax_cross_entropy


def norms(name: str, path: str) -> list[float]:
    """‖∂loss/∂h_t‖ for t = 1 to 29, with the recipe's own initial weights and data."""
    recipe = recipes.load(name)
    network = NETWORKS[recipe.network](**recipe.config)
    twin = twin_class("numpy")(network)
    twin.load(initial.draw(network.shapes(), recipe.init, 0))
    batch = open_stream("palindromes", batch_size=16, seed=0, length=30, encoding=recipe.encoding).batch(0, 0)
    _, cotangent = softmax_cross_entropy(twin.forward(batch.inputs, training=True), batch.labels)
    outputs = twin.trace(batch, cotangent, training=True).gradients.outputs
    return [float(np.linalg.norm(outputs[f"{path}[{step}]"])) for step in range(29)]


@pytest.mark.parametrize(("name", "path"), [("gru", "cell"), ("rnn_orthogonal", "tanh")])
def test_it_reaches_the_first_digit_in_ours(name, path) -> None:
    found = norms(name, path)
    assert found[0] > 1e-2 * found[-1]


def test_it_vanishes_in_the_studys() -> None:
    found = norms("rnn", "tanh")
    assert found[0] < 1e-10 * found[-1] and found[14] < 1e-4 * found[-1]
