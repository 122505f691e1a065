"""A dense layer whose inputs were a map, or whose outputs become one, in each framework's own order of the features."""

from collections.abc import Sequence

import flax.linen as fnn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

import parity
from parity.checks.verdict import Verdict

NOISE = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
IMAGES = np.random.default_rng(1).standard_normal((2, 4, 6, 3)).astype(np.float32)
FIRST = "NHWC->NCHW"


class Generator(fnn.Module):
    """Features, normalised, become a map of 2 × 3 positions and 4 channels."""

    axes: Sequence[int] = (2, 3, 4)

    @fnn.compact
    def __call__(self, z: jax.Array, train: bool = False) -> jax.Array:
        x = fnn.BatchNorm(use_running_average=not train, momentum=0.9)(fnn.Dense(24)(z))
        x = fnn.leaky_relu(x, 0.2).reshape(-1, *self.axes)
        if self.axes[0] == 3:
            x = x.swapaxes(1, 2)
        x = fnn.ConvTranspose(5, (4, 4), (2, 2), padding="SAME", transpose_kernel=True)(x)
        return jnp.tanh(fnn.Conv(2, (1, 1))(x))


class TorchGenerator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.norm = nn.Linear(5, 24), nn.BatchNorm1d(24)
        self.up, self.out = nn.ConvTranspose2d(4, 5, 4, 2, 1), nn.Conv2d(5, 2, 1)
        self.act, self.last = nn.LeakyReLU(0.2), nn.Tanh()

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x = self.act(self.norm(self.dense(z))).unflatten(1, (4, 2, 3))
        result: torch.Tensor = self.last(self.out(self.up(x)))
        return result


def judged(port: fnn.Module, model: nn.Module, inputs: np.ndarray, **options: object) -> parity.Report:
    variables = port.init(jax.random.key(0), jnp.asarray(inputs))
    checks = parity.Checks(accept=["running_var_bias"], probes=False)
    return parity.compare((port, variables), model, inputs, checks=checks, **options)  # type: ignore[arg-type]


def test_features_that_become_a_map_are_found() -> None:
    report = judged(Generator(), TorchGenerator(), NOISE)
    assert report.verdict is Verdict.SAME, report
    assert report.coverage.layers == 1
    assert not [note for note in report.notes if "compute something else" in note]


def test_what_differs_after_the_map_is_placed_there() -> None:
    class Tripled(TorchGenerator):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            x = self.act(self.norm(self.dense(z))).unflatten(1, (4, 2, 3))
            result: torch.Tensor = self.last(3 * self.out(self.up(x)))
            return result

    report = judged(Generator(), Tripled(), NOISE)
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert report.coverage.layers == 1
    assert all(layer.finding.verdict.passes for layer in report.layers), report


def test_height_and_width_are_not_exchanged() -> None:
    assert judged(Generator((3, 2, 4)), TorchGenerator(), NOISE).verdict is Verdict.DIFFERENT


def test_their_weights_are_converted() -> None:
    port, model = Generator(), TorchGenerator().eval()
    variables = port.init(jax.random.key(0), jnp.asarray(NOISE))
    port, variables = parity.convert((port, variables), model, NOISE, accept=["running_var_bias"])
    ours = np.asarray(port.apply(variables, NOISE)).transpose(0, 3, 1, 2)
    assert np.allclose(ours, model(torch.tensor(NOISE)).detach().numpy(), atol=1e-5)


class Heads(fnn.Module):
    """Two heads of equal shapes over one flattened map, named in the order in which they are made."""

    @fnn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = fnn.relu(fnn.Conv(4, (3, 3), 2, padding="VALID")(x)).reshape(x.shape[0], -1)
        value = fnn.Dense(1)(fnn.relu(fnn.Dense(6)(x)))
        return value + fnn.Dense(3)(fnn.relu(fnn.Dense(6)(x)))


class TorchHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2)
        self.value = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 1))
        self.gain = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv(x)).flatten(1)
        gain: torch.Tensor = self.gain(x)  # in the other order
        value: torch.Tensor = self.value(x)
        return value + gain


def test_two_heads_after_a_flatten_in_another_order_are_found() -> None:
    report = judged(Heads(), TorchHeads(), IMAGES, to_torch=FIRST)
    assert report.verdict is Verdict.SAME, report


class Code(fnn.Module):
    """One dense layer from a map to a map."""

    @fnn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = fnn.relu(fnn.Conv(4, (3, 3), 2, padding=1)(x))
        x = fnn.Dense(2 * 3 * 5)(x.reshape(x.shape[0], -1)).reshape(-1, 2, 3, 5)
        return fnn.Conv(2, (3, 3))(fnn.relu(x))


@pytest.mark.parametrize(("wrong", "verdict"), [(False, Verdict.SAME), (True, Verdict.DIFFERENT)])
def test_a_layer_may_come_from_a_map_and_become_one(wrong: bool, verdict: Verdict) -> None:
    class TorchCode(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.dense, self.out = nn.Conv2d(3, 4, 3, 2, 1), nn.Linear(24, 30), nn.Conv2d(5, 2, 3, 1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.dense(torch.relu(self.conv(x)).flatten(1)).view(-1, 5, 2, 3)
            result: torch.Tensor = self.out(torch.relu(x.flip(2) if wrong else x))
            return result

    report = judged(Code(), TorchCode(), IMAGES, to_torch=FIRST)
    assert report.verdict is verdict, report
