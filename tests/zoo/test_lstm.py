"""Sequences of different lengths in one batch are what they are alone, in both frameworks and by hand."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

import torchnets
from jaxnets.losses import labelled_cross_entropy as flax_loss
from parity.reference import labelled_cross_entropy, softmax_cross_entropy
from tests.zoo.small import inputs, twin
from tests.zoo.test_reference import case, wrong_gradients
from torchnets.losses import labelled_cross_entropy as torch_loss

FRAMEWORKS = ["flax", "torch", "numpy"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_padded_text_has_the_logits_that_it_has_alone(framework: str) -> None:
    tokens, network = inputs("lstm"), twin(framework, "lstm")
    assert (tokens[-1, 5:] == 0).all() and (tokens[-1, :5] != 0).all()
    together, alone = (network.forward(given, training=False) for given in (tokens, tokens[-1:, :5]))
    np.testing.assert_allclose(together[-1, :5], alone[0], rtol=1e-12)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_beyond_the_end_there_is_a_state_of_zeros(framework: str) -> None:
    network = twin(framework, "lstm")
    logits = network.forward(inputs("lstm"), training=True)
    np.testing.assert_allclose(logits[-1, 5:], np.tile(network.weights()["head.bias"], (2, 1)), rtol=1e-12)


def test_our_layer_is_pytorch_s_with_its_own_names() -> None:
    ours, theirs = torchnets.layers.PackedLSTM(3, 5, init="default", generator=None), nn.LSTM(3, 5, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, 3)
    assert torch.equal(ours(x), theirs(x)[0])


def test_a_backward_that_forgets_the_cell_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    from parity.reference.zoo import lstm

    right = lstm.lstm_step_backward

    def forgetful(to_cell: Any, to_hidden: Any, cache: Any) -> Any:
        to_sums, to_before = right(to_cell, to_hidden, cache)
        return to_sums, np.zeros_like(to_before)

    monkeypatch.setattr(lstm, "lstm_step_backward", forgetful)
    assert wrong_gradients(case("lstm"))


def test_labels_of_nothing_count_for_nothing() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((2, 3, 5)), np.array([[1, -100, 4], [-100, -100, 0]])
    kept = labels >= 0
    expected, _ = softmax_cross_entropy(logits[kept], labels[kept])
    loss, gradient = labelled_cross_entropy(logits, labels)
    assert loss == expected and (gradient[~kept] == 0).all() and (gradient[kept] != 0).all()
    assert float(flax_loss(jnp.asarray(logits), jnp.asarray(labels))) == pytest.approx(expected, rel=1e-6)
    tensor = torch.tensor(logits, requires_grad=True)
    torch_loss(tensor, torch.tensor(labels)).backward()
    np.testing.assert_allclose(np.asarray(tensor.grad), gradient, atol=1e-15)
