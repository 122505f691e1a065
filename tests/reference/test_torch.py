"""The reference against torch in float64, and the max-pool's ties against torch and XLA."""

from typing import Any

import jax
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from parity.reference import softmax_cross_entropy, spatial
from parity.weights import is_buffer
from tests.reference.numeric import SMALL, case
from tests.reference.torch_twins import TWINS

CLOSE: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", SMALL)
def test_networks_agree(name, training):
    small = case(name)
    run, gradients = small.run(training), small.gradients(training)
    weights = {n: torch.tensor(w, requires_grad=not is_buffer(n)) for n, w in small.weights.items()}
    inputs = torch.tensor(small.inputs, requires_grad=True)
    logits = TWINS[name](weights, inputs, training)
    logits.backward(torch.tensor(small.cotangent))
    np.testing.assert_allclose(run.logits, logits.detach().numpy(), **CLOSE)
    assert inputs.grad is not None
    np.testing.assert_allclose(gradients.input, inputs.grad.numpy(), **CLOSE)
    for weight, tensor in weights.items():
        if tensor.grad is None:
            np.testing.assert_allclose(run.buffers[weight], tensor.numpy(), **CLOSE)
        else:
            np.testing.assert_allclose(gradients.parameters[weight], tensor.grad.numpy(), **CLOSE)


def test_cross_entropy_agrees():
    rng = np.random.default_rng(0)
    scores, labels = 30 * rng.normal(size=(7, 5)), rng.integers(0, 5, 7)
    logits = torch.tensor(scores, requires_grad=True)
    expected = F.cross_entropy(logits, torch.tensor(labels))
    expected.backward()
    loss, gradient = softmax_cross_entropy(scores, labels)
    np.testing.assert_allclose(loss, expected.item(), **CLOSE)
    assert logits.grad is not None
    np.testing.assert_allclose(gradient, logits.grad.numpy(), **CLOSE)


@pytest.mark.parametrize(("stride", "padding", "window"), [(1, 1, (3, 3)), (2, 1, (3, 3)), (3, 0, (2, 3))])
def test_conv_agrees(stride, padding, window):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((2, 7, 5, 3), (*window, 3, 11), (11,))]
    output, cache = spatial.conv_forward(*arrays, stride=stride, padding=padding)
    cotangent = rng.normal(size=output.shape)
    inputs, kernel, bias = (torch.tensor(array, requires_grad=True) for array in arrays)
    arguments = inputs.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), bias
    expected = F.conv2d(*arguments, stride=stride, padding=padding).permute(0, 2, 3, 1)
    expected.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(output, expected.detach().numpy(), **CLOSE)
    input_gradient, own = spatial.conv_backward(cotangent, cache)
    for got, tensor in zip((input_gradient, own["kernel"], own["bias"]), (inputs, kernel, bias), strict=True):
        assert tensor.grad is not None
        np.testing.assert_allclose(got, tensor.grad.numpy(), **CLOSE)


def tied_images() -> tuple[Any, Any, Any]:
    """Draw images of three values only, full of ties, and take the reference's gradient on whole numbers."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 3, (2, 11, 7, 3)).astype(np.float64)
    output, cache = spatial.max_pool_forward(images)
    cotangent = rng.integers(1, 100, output.shape).astype(np.float64)
    return images, cotangent, spatial.max_pool_backward(cotangent, cache)


def test_max_pool_ties_agree_with_torch():
    images, cotangent, gradient = tied_images()
    inputs = torch.tensor(images, requires_grad=True)
    F.max_pool2d(inputs.permute(0, 3, 1, 2), 3, 2, 1).permute(0, 2, 3, 1).backward(torch.tensor(cotangent))
    assert inputs.grad is not None
    assert np.array_equal(gradient, inputs.grad.numpy())


def test_max_pool_ties_agree_with_xla():
    images, cotangent, gradient = tied_images()

    def pool(inputs: jax.Array) -> jax.Array:
        padding = ((0, 0), (1, 1), (1, 1), (0, 0))
        return jax.lax.reduce_window(inputs, -np.inf, jax.lax.max, (1, 3, 3, 1), (1, 2, 2, 1), padding)

    _, pull = jax.vjp(pool, images.astype(np.float32))
    assert np.array_equal(gradient, pull(jax.numpy.asarray(cotangent.astype(np.float32)))[0])
