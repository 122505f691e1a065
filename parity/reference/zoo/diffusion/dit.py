"""The diffusion transformer by hand."""

from typing import Any

import numpy as np

from parity.reference.layers import Array, mean_squared_error, silu_backward, silu_forward
from parity.reference.modules import Conv, Dense
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.zoo.diffusion.timestep import grid_positions, timestep_embedding
from parity.reference.zoo.layers.attention import Attention
from parity.reference.zoo.layers.composite import Composite, back, call
from parity.reference.zoo.layers.embedding import Embedding
from parity.reference.zoo.layers.norms import LayerNorm
from parity.reference.zoo.layers.transformer import FeedForward


def modulate(inputs: Array, shift: Array, scale: Array) -> Array:
    """x · (1 + scale) + shift of inputs (B, T, C), by a shift and a scale (B, C) for each example."""
    return inputs * (1 + scale[:, None, :]) + shift[:, None, :]


def modulate_backward(cotangent: Array, inputs: Array, scale: Array) -> tuple[Array, Array, Array]:
    """Differentiate `modulate`: the gradients of the inputs, the shift and the scale."""
    return cotangent * (1 + scale[:, None, :]), cotangent.sum(axis=1), (cotangent * inputs).sum(axis=1)


class DiTBlock(Composite):
    """Attention and a feed-forward layer, each shifted, scaled and gated by the condition; run by `conditioned`.

    Args:
        path: the module's place in the network.
        width: features C.
        heads: heads of the attention.
        hidden: features inside the feed-forward layer.
    """

    def __init__(self, path: str, width: int, heads: int, hidden: int) -> None:
        norms = [LayerNorm(f"{path}.{name}", width, 1e-6, affine=False) for name in ("norm1", "norm2")]
        attention = Attention(f"{path}.attention", width, heads, causal=False)
        mlp = FeedForward(f"{path}.mlp", width, hidden, approximate=True)
        self.branches = list(zip(norms, (attention, mlp), strict=True))
        self.modulation = Dense(f"{path}.modulation", width, 6 * width)
        super().__init__(path, norms[0], attention, norms[1], mlp, self.modulation)

    def conditioned(self, run: Run, inputs: Array, condition: Array) -> Array:
        """Run on inputs (B, T, C) at the condition (B, C), to which SiLU was applied."""
        parts = np.split(call(self.modulation, run, condition), 6, axis=-1)
        hidden = inputs
        for (norm, branch), (shift, scale, gate) in zip(self.branches, (parts[:3], parts[3:]), strict=True):
            modulated = modulate(call(norm, run, hidden), shift, scale)
            hidden = hidden + gate[:, None, :] * call(branch, run, modulated)
        return run.record(self.path, inputs, hidden, parts)

    def conditioned_back(self, run: Run, gradients: Gradients, cotangent: Array) -> tuple[Array, Array]:
        """Run the recorded calls backward; the gradients of the inputs and of the condition."""
        gradients.outputs[self.path] = cotangent
        parts, to_parts = run.cache[self.path], list[Array]()
        for (norm, branch), (_, scale, gate) in zip(self.branches[::-1], (parts[3:], parts[:3]), strict=True):
            to_gate = (cotangent * run.outputs[branch.path]).sum(axis=1)
            to_modulated = back(branch, run, gradients, cotangent * gate[:, None, :])
            to_norm, to_shift, to_scale = modulate_backward(to_modulated, run.outputs[norm.path], scale)
            cotangent = cotangent + back(norm, run, gradients, to_norm)
            to_parts = [to_shift, to_scale, to_gate, *to_parts]
        return cotangent, back(self.modulation, run, gradients, np.concatenate(to_parts, axis=-1))


class DiT(Network):
    """Patches, blocks that are told the step and the class, and a dense layer back to patches.

    Its arguments are those of `jaxnets.DiT`, without `init` and `rngs`.

    Inputs are images (B, H, W, in_channels), steps (B,) and classes (B,); the output is (B, H, W, out_channels).
    """

    loss = staticmethod(mean_squared_error)  # type: ignore[assignment] # of numbers, not of classes

    def __init__(
        self,
        *,
        image_size: int = 32,
        patch_size: int = 2,
        in_channels: int = 4,
        out_channels: int = 8,
        num_classes: int = 1000,
        width: int = 1152,
        depth: int = 28,
        heads: int = 16,
        hidden: int = 4608,
        frequencies: int = 256,
    ) -> None:
        self.side, self.patch_size, self.width, self.frequencies = (
            image_size // patch_size,
            patch_size,
            width,
            frequencies,
        )
        self.patches = Conv("patches", in_channels, width, size=patch_size, stride=patch_size, padding=0)
        self.time1, self.time2 = Dense("time1", frequencies, width), Dense("time2", width, width)
        self.label = Embedding("label", num_classes + 1, width)
        self.blocks = [DiTBlock(f"blocks.{i}", width, heads, hidden) for i in range(depth)]
        self.norm, self.modulation = LayerNorm("norm", width, 1e-6, affine=False), Dense("modulation", width, 2 * width)
        self.head = Dense("head", width, patch_size**2 * out_channels)
        before = [self.patches, self.time1, self.time2, self.label]
        super().__init__([*before, *self.blocks, self.norm, self.modulation, self.head])

    def compute(self, run: Run, inputs: Any) -> tuple[Array, Any]:
        """Run forward; the cache is the slopes of the SiLUs, and the last scale."""
        image, steps, classes = inputs
        waves = timestep_embedding(steps, self.frequencies, cosine_first=True, shift=0)
        middle, slope = silu_forward(call(self.time1, run, waves))
        condition, last = silu_forward(call(self.time2, run, middle) + call(self.label, run, classes))
        hidden = call(self.patches, run, image).reshape(len(image), -1, self.width)
        hidden = hidden + grid_positions(self.side, self.width)
        for block in self.blocks:
            hidden = block.conditioned(run, hidden, condition)
        shift, scale = np.split(call(self.modulation, run, condition), 2, axis=-1)
        rows = call(self.head, run, modulate(call(self.norm, run, hidden), shift, scale))
        side, patch = self.side, self.patch_size
        output = self.turned(rows.reshape(len(rows), side, side, patch, patch, -1))
        return output.reshape(len(rows), side * patch, side * patch, -1), (slope, last, scale)

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward; the condition gets what comes to it from every block."""
        slope, last, scale = run.cache[""]
        batch, side, patch = len(cotangent), self.side, self.patch_size
        rows = self.turned(cotangent.reshape(batch, side, patch, side, patch, -1)).reshape(batch, side * side, -1)
        to_rows = back(self.head, run, gradients, rows)
        to_norm, to_shift, to_scale = modulate_backward(to_rows, run.outputs["norm"], scale)
        to_condition = back(self.modulation, run, gradients, np.concatenate([to_shift, to_scale], axis=-1))
        to_hidden = back(self.norm, run, gradients, to_norm)
        for block in reversed(self.blocks):
            to_hidden, share = block.conditioned_back(run, gradients, to_hidden)
            to_condition = to_condition + share
        to_sum = silu_backward(to_condition, last)
        back(self.label, run, gradients, to_sum)
        back(self.time1, run, gradients, silu_backward(back(self.time2, run, gradients, to_sum), slope))
        return back(self.patches, run, gradients, to_hidden.reshape(batch, side, side, self.width))

    @staticmethod
    def turned(array: Array) -> Array:
        """Patches across and pixels down change places, which is its own way back; (B, a, b, c, d, C)."""
        return array.transpose(0, 1, 3, 2, 4, 5)
