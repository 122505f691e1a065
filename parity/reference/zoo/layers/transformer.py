"""The block of a transformer whose norms come first, by hand."""

from math import erf, pi, sqrt

import numpy as np

from parity.reference.layers import Array
from parity.reference.modules import Dense, Module
from parity.reference.record import Gradients, Run
from parity.reference.zoo.layers.attention import Attention
from parity.reference.zoo.layers.composite import Composite, back, call
from parity.reference.zoo.layers.norms import LayerNorm

CUBIC = 0.044715
"""Factor of x³ in the approximation of GELU by tanh."""


def gelu_forward(inputs: Array, *, approximate: bool) -> tuple[Array, tuple[Array, Array]]:
    """Compute x·Φ(x), Φ being the distribution function of the standard normal.

    Args:
        inputs: array of any shape.
        approximate: whether Φ is (1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, PyTorch's "tanh" and Flax's default.

    Returns:
        The output, and the inputs with the derivative as cache. Source: https://arxiv.org/abs/1606.08415.
    """
    if approximate:
        tanh = np.tanh(sqrt(2 / pi) * (inputs + CUBIC * inputs**3))
        share = (1 + tanh) / 2
        slope = (1 - tanh**2) / 2 * sqrt(2 / pi) * (1 + 3 * CUBIC * inputs**2)
    else:
        share = (1 + np.vectorize(erf, otypes=[np.float64])(inputs / sqrt(2))) / 2
        slope = np.exp(-(inputs**2) / 2) / sqrt(2 * pi)
    return inputs * share, (inputs, share + inputs * slope)


def gelu_backward(cotangent: Array, cache: tuple[Array, Array]) -> Array:
    """Differentiate `gelu_forward`."""
    return cotangent * cache[1]


class FeedForward(Composite):
    """Two dense layers, `hidden` and `out`, with GELU between them.

    Args:
        path: the module's place in the network.
        width: features C of the input and of the output.
        hidden: features between the two.
        approximate: form of GELU, see `gelu_forward`.
    """

    def __init__(self, path: str, width: int, hidden: int, *, approximate: bool) -> None:
        self.approximate = approximate
        self.hidden, self.out = Dense(f"{path}.hidden", width, hidden), Dense(f"{path}.out", hidden, width)
        super().__init__(path, self.hidden, self.out)

    def forward(self, run: Run, call_: str, inputs: Array) -> Array:
        """Run both layers; three calls."""
        middle, cache = gelu_forward(call(self.hidden, run, inputs), approximate=self.approximate)
        return run.record(call_, inputs, call(self.out, run, middle), cache)

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward."""
        gradients.outputs[call_] = cotangent
        to_middle = back(self.out, run, gradients, cotangent)
        return back(self.hidden, run, gradients, gelu_backward(to_middle, run.cache[call_]))


class PreNorm(Composite):
    """x + attention(norm1(x)), then x + mlp(norm2(x)), of x (B, T, C).

    Args:
        path: the module's place in the network.
        norm1, attention, norm2, mlp: the four parts.
    """

    def __init__(self, path: str, norm1: Module, attention: Module, norm2: Module, mlp: Module) -> None:
        super().__init__(path, norm1, attention, norm2, mlp)

    def forward(self, run: Run, call_: str, inputs: Array) -> Array:
        """Run the four parts and both sums."""
        norm1, attention, norm2, mlp = self.parts
        middle = inputs + call(attention, run, call(norm1, run, inputs))
        return run.record(call_, inputs, middle + call(mlp, run, call(norm2, run, middle)), None)

    def backward(self, run: Run, gradients: Gradients, call_: str, cotangent: Array) -> Array:
        """Run the recorded calls backward."""
        gradients.outputs[call_] = cotangent
        norm1, attention, norm2, mlp = self.parts
        to_middle = cotangent + back(norm2, run, gradients, back(mlp, run, gradients, cotangent))
        return to_middle + back(norm1, run, gradients, back(attention, run, gradients, to_middle))


class Block(PreNorm):
    """The block with layer norms, full attention and GELU.

    Args:
        path: the module's place in the network.
        width: features C.
        heads: heads of the attention.
        hidden: features inside the feed-forward layer.
        causal: whether a position looks at itself and those before it only.
        eps: number that the norms add to the variance.
        approximate: form of GELU, see `gelu_forward`.
    """

    def __init__(
        self, path: str, width: int, heads: int, hidden: int, *, causal: bool, eps: float, approximate: bool
    ) -> None:
        super().__init__(
            path,
            LayerNorm(f"{path}.norm1", width, eps),
            Attention(f"{path}.attention", width, heads, causal=causal),
            LayerNorm(f"{path}.norm2", width, eps),
            FeedForward(f"{path}.mlp", width, hidden, approximate=approximate),
        )
