"""Move trained weights from PyTorch to Flax: the map of the weights is found and proven, not written by hand.

Run it: python examples/move_weights.py
"""

import numpy as np
import torch
from flax import nnx
from torch import nn

import parity


class Port(nnx.Module):
    """The network in Flax, whose layers have other names."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv = nnx.Conv(3, 5, (3, 3), padding=1, rngs=rngs)
        self.dense = nnx.Linear(5 * 6 * 6, 7, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.conv(x))
        return self.dense(x.reshape(x.shape[0], -1))


def main() -> float:
    """Carry the weights over; the largest difference of the logits."""
    trained = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 6 * 6, 7))
    images = np.random.default_rng(0).standard_normal((2, 6, 6, 3)).astype("float32")
    port = parity.convert(Port(nnx.Rngs(0)), trained, images, to_torch="NHWC->NCHW")
    with torch.no_grad():
        logits = trained(torch.tensor(images).permute(0, 3, 1, 2)).numpy()
    gap = float(np.abs(np.asarray(port(images)) - logits).max())
    print(f"moved; the largest difference of {logits.size} logits in float32 is {gap:.1e}")
    return gap


if __name__ == "__main__":
    main()
