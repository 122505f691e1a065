"""The autoencoder's transposed convolution, its loss and its noise are the same in both frameworks and by hand."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from jaxnets.losses import evidence_bound as flax_loss
from parity.data import open_stream
from parity.reference.zoo import vae
from tests.reference.numeric import agrees
from tests.zoo.small import inputs, reference, twin
from tests.zoo.test_reference import case, wrong_gradients
from torchnets.losses import evidence_bound as torch_loss


@pytest.mark.parametrize(("size", "stride", "padding"), [(4, 2, 1), (3, 1, 1), (3, 2, 0), (5, 3, 2)])
def test_a_transposed_convolution_by_hand_is_pytorch_s(size: int, stride: int, padding: int) -> None:
    rng = np.random.default_rng(0)
    x, kernel, bias = (rng.standard_normal(shape) for shape in ((2, 5, 3, 2), (size, size, 7, 2), (7,)))
    output, _ = vae.conv_transpose_forward(x, kernel, bias, stride=stride, padding=padding)
    given, weight = torch.tensor(x.transpose(0, 3, 1, 2)), torch.tensor(kernel.transpose(3, 2, 0, 1))
    theirs = F.conv_transpose2d(given, weight, torch.tensor(bias), stride=stride, padding=padding)
    np.testing.assert_allclose(output, theirs.numpy().transpose(0, 2, 3, 1), atol=1e-13)


def test_a_backward_that_does_not_turn_the_kernel_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = vae.conv_transpose_backward

    def turned(cotangent: Any, cache: Any) -> Any:
        return right(cotangent, cache._replace(kernel=cache.kernel[::-1, ::-1]))

    monkeypatch.setattr(vae, "conv_transpose_backward", turned)
    assert wrong_gradients(case("vae"))


def test_the_loss_is_the_same_and_its_gradient_is_the_derivative() -> None:
    rng = np.random.default_rng(1)
    network = reference("vae")
    outputs, pixels = rng.standard_normal((3, 64 + 6)), rng.random((3, 64))
    loss, gradient = network.loss(outputs, pixels)
    assert agrees(lambda point: network.loss(point, pixels)[0], outputs, gradient, rng)
    assert float(torch_loss(torch.tensor(outputs), torch.tensor(pixels))) == pytest.approx(loss, rel=1e-12)
    assert float(flax_loss(jnp.asarray(outputs), jnp.asarray(pixels))) == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("framework", ["flax", "torch", "numpy"])
def test_the_draw_is_the_noise_that_is_given(framework: str) -> None:
    images, noise = inputs("vae")
    drawn, other, still = (
        twin(framework, "vae").forward((images, given), training=True) for given in (noise, -noise, 0 * noise)
    )
    assert not np.allclose(drawn[:, :64], other[:, :64]) and not np.allclose(drawn[:, :64], still[:, :64])
    np.testing.assert_array_equal(drawn[:, 64:], other[:, 64:])


def test_each_epoch_has_noise_of_its_own_and_any_batch_can_be_had_again() -> None:
    streams = [open_stream("latent-digits", batch_size=64, seed=0, length=3) for _ in range(2)]
    first, again = (stream.batch(1, 2) for stream in streams)
    assert first.digest() == again.digest() != streams[0].batch(0, 2).digest()
    whole = np.concatenate([streams[0].batch(0, step).arguments[1] for step in range(streams[0].steps_per_epoch or 0)])
    assert abs(whole.mean()) < 0.1 and abs(whole.std() - 1) < 0.05
    test = open_stream("latent-digits", split="test", batch_size=360, seed=0, length=3)
    assert [b.digest() for b in test.passes()] == [b.digest() for b in test.passes()]
    np.testing.assert_array_equal(first.labels, first.arguments[0].reshape(64, 64))
