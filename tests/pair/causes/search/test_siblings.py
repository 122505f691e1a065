"""Functions of both libraries that go by one name, or nearly so, and by another rule."""

from collections.abc import Callable
from typing import Any

import flax.linen as fnn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import parity
from parity.checks.verdict import Verdict

TOKENS = np.random.default_rng(0).standard_normal((2, 5, 6)).astype(np.float32)
IMAGES = np.random.default_rng(1).standard_normal((2, 6, 8, 4)).astype(np.float32)
Cases = dict[str, tuple[Callable[[jax.Array], jax.Array], Callable[[torch.Tensor], torch.Tensor], str]]
ON_TOKENS: Cases = {
    "std": (
        lambda x: x / x.std(-1, keepdims=True),
        lambda x: x / x.std(-1, keepdim=True),
        "correction=0 in PyTorch",
    ),
    "fmod": (lambda x: jnp.mod(x, 0.7), lambda x: torch.fmod(x, 0.7), "torch.remainder in PyTorch"),
    "mod": (lambda x: jnp.fmod(x, 0.7), lambda x: x % 0.7, "torch.fmod in PyTorch"),
    "median": (
        lambda x: x - jnp.median(x, -1, keepdims=True),
        lambda x: x - x.median(-1, keepdim=True)[0],
        "torch.quantile(x, 0.5, dim) in PyTorch",
    ),
}
ON_IMAGES: Cases = {
    "a pool's padding": (
        lambda x: fnn.avg_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)), count_include_pad=False),
        lambda x: F.avg_pool2d(x, 3, 2, 1),
        "count_include_pad=False in PyTorch",
    ),
    "nearest": (
        lambda x: jax.image.resize(x, (2, 4, 5, 4), "nearest"),
        lambda x: F.interpolate(x, size=(4, 5), mode="nearest"),
        "mode='nearest-exact' in PyTorch",
    ),
}


def judged(ours: Callable, theirs: Callable, inputs: np.ndarray, **options: Any) -> parity.Report:
    class Port(fnn.Module):
        @fnn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            result: jax.Array = ours(fnn.Dense(inputs.shape[-1])(x))
            return result

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            size = inputs.shape[-1]
            self.layer = nn.Linear(size, size) if inputs.ndim == 3 else nn.Conv2d(size, size, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = theirs(self.layer(x))
            return result

    port = Port()
    checks = parity.Checks(probes=False)
    return parity.compare((port, port.init(jax.random.key(0), inputs)), Net(), inputs, checks=checks, **options)


@pytest.mark.parametrize("name", [*ON_TOKENS, *ON_IMAGES])
def test_the_other_rule_is_the_cause(name: str) -> None:
    cases, inputs = (ON_TOKENS, TOKENS) if name in ON_TOKENS else (ON_IMAGES, IMAGES)
    ours, theirs, mend = cases[name]
    report = judged(ours, theirs, inputs, **({} if inputs.ndim == 3 else {"to_torch": "NHWC->NCHW"}))
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert mend in first.mend, first
