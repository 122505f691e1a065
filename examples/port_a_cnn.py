"""Port a convolutional network and prove the port: what differs is found, mended and gone.

Run it: python examples/port_a_cnn.py
"""

import jax
import numpy as np
import torch
from flax import nnx
from torch import nn

import parity


class Port(nnx.Module):
    """The port in Flax, images with their channels last."""

    def __init__(self, padding, rngs: nnx.Rngs) -> None:
        self.conv = nnx.Conv(3, 5, (3, 3), strides=2, padding=padding, rngs=rngs)
        self.head = nnx.Linear(5, 7, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.head(nnx.relu(self.conv(x)).mean((1, 2)))


class Original(nn.Module):
    """The network that it is a port of, images with their channels first."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, stride=2, padding=1)
        self.head = nn.Linear(5, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.conv(x)).mean((2, 3)))


def main() -> list[parity.Report]:
    images = np.random.default_rng(0).standard_normal((2, 8, 8, 3)).astype("float32")
    reports = []
    for padding in ("SAME", 1):  # a stride of 2 pads SAME on one side only
        port = Port(padding, nnx.Rngs(0))
        report = parity.compare(port, Original(), images, to_torch="NHWC->NCHW", name=f"padding {padding}")
        print(report)
        reports.append(report)
    return reports


if __name__ == "__main__":
    main()
