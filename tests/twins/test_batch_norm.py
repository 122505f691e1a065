"""jaxnets' batch normalisation is PyTorch's."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

from jaxnets.layers import BatchNorm
from tests.backends.small import close
from tests.twins.small import jax_network

EPSILON, KEEP = 1e-3, 0.7


def layer(features: int) -> BatchNorm:
    return BatchNorm(features, epsilon=EPSILON, momentum=KEEP, rngs=nnx.Rngs(0))


def statistics(norm: BatchNorm) -> tuple[Any, Any]:
    return np.asarray(norm.mean[...]), np.asarray(norm.var[...])


def test_several_steps_and_an_evaluation_are_pytorchs() -> None:
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        ours = layer(5)
        theirs = torch.nn.BatchNorm2d(5, eps=EPSILON, momentum=1 - KEEP, dtype=torch.float64)
        for part, tensor in ((ours.scale, theirs.weight), (ours.bias, theirs.bias)):
            values = rng.standard_normal(5)
            part[...] = jnp.asarray(values)
            tensor.data = torch.tensor(values)
        for step in range(5):
            if step == 4:
                ours.eval()
                theirs.eval()
            x = rng.standard_normal((3, 2, 1, 5)) * (step + 1) + step
            expected = theirs(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            assert close(np.asarray(ours(jnp.asarray(x))), expected.detach().numpy()), step
            mean, var = statistics(ours)
            assert theirs.running_mean is not None and theirs.running_var is not None
            assert close(mean, theirs.running_mean.numpy()) and close(var, theirs.running_var.numpy()), step


def test_the_running_variance_is_unbiased() -> None:
    norm = layer(1)
    norm(jnp.asarray([[0.0], [2.0]]))
    mean, var = statistics(norm)
    assert mean == pytest.approx((1 - KEEP) * 1.0)
    assert var == pytest.approx(KEEP + (1 - KEEP) * 2.0)  # biased: 1


@pytest.mark.parametrize("shape", [(1, 3), (1, 1, 1, 3)])
def test_one_value_a_channel_is_an_error_in_training_only(shape) -> None:
    norm = layer(3)
    with pytest.raises(ValueError, match="got 1 value a channel; expected at least 2"):
        norm(jnp.ones(shape))
    assert np.array_equal(statistics(norm), [np.zeros(3), np.ones(3)])
    norm.eval()
    assert norm(jnp.ones(shape)).shape == shape


def test_a_large_mean_does_not_cancel() -> None:
    x = (1e4 + np.random.default_rng(0).standard_normal((1000, 3))).astype(np.float32)
    exact = x.astype(np.float64).var(0)
    assert np.asarray(layer(3).statistics(jnp.asarray(x))[1]) == pytest.approx(exact, rel=1e-2)
    cancelling = (jnp.asarray(x) ** 2).mean(0) - jnp.asarray(x).mean(0) ** 2
    assert np.abs(np.asarray(cancelling) / exact - 1).max() > 0.1


def test_train_and_eval_switch_every_norm_of_a_network() -> None:
    network, x = jax_network("VGG", plan=(2, 2)), jnp.asarray(np.random.default_rng(0).random((3, 4, 4, 3)))
    norms = [network.features[0].norm, network.features[1].norm]
    network.eval()
    network(x)
    assert all(norm.use_running_average for norm in norms)
    assert all(np.array_equal(statistics(norm), [np.zeros(2), np.ones(2)]) for norm in norms)
    network.train()
    network(x)
    assert not any(norm.use_running_average for norm in norms)
    assert not any((statistics(norm)[0] == 0).any() or (statistics(norm)[1] == 1).any() for norm in norms)
