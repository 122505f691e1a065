"""Keep two networks the same in CI: a test that fails, and says where, when one of them changes.

Run it: pytest examples/in_ci.py. The fixture `netparity` comes with the package; `--parity-html DIR` writes reports.
On GitHub the action of this repository does the same for pairs that `parity.toml` lists: see docs/pairs.md.
"""

import jax
import numpy as np
from flax import nnx
from torch import nn

from parity.pytest_plugin import Parity


class Flax(nnx.Module):
    """The one network."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.hidden, self.out = nnx.Linear(5, 7, rngs=rngs), nnx.Linear(7, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.out(nnx.gelu(self.hidden(x), approximate=False))


def test_both_are_the_same_function(netparity: Parity) -> None:
    pytorch = nn.Sequential(nn.Linear(5, 7), nn.GELU(), nn.Linear(7, 3))
    inputs = np.random.default_rng(0).standard_normal((4, 5)).astype("float32")
    netparity.assert_same(Flax(nnx.Rngs(0)), pytorch, inputs)
