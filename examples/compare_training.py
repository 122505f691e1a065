"""Compare how two networks are trained: their losses, their optimizers, and runs of a few steps from equal weights.

Run it: python examples/compare_training.py
"""

import numpy as np
import optax
import torch
from flax import nnx
from torch import nn

import parity


def pair(weight_decay: float) -> tuple[nnx.Module, nn.Module, parity.TrainingPair]:
    """Both networks, and how each is trained: the decay of Flax's AdamW is given, PyTorch's is its default, 0.01."""
    rngs = nnx.Rngs(0)
    flax = nnx.Sequential(nnx.Linear(5, 7, rngs=rngs), nnx.relu, nnx.Linear(7, 3, rngs=rngs))
    pytorch = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))
    training = parity.TrainingPair(
        optimizers=(optax.adamw(1e-2, weight_decay=weight_decay), torch.optim.AdamW(pytorch.parameters(), 1e-2)),
        loss=(
            lambda logits, labels: optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(),
            nn.functional.cross_entropy,
        ),
        targets=np.array([0, 2, 1, 1]),
    )
    return flax, pytorch, training


def main() -> list[parity.Report]:
    inputs = np.random.default_rng(0).standard_normal((4, 5)).astype("float32")
    reports = []
    for weight_decay in (1e-4, 1e-2):  # optax's default, then PyTorch's
        flax, pytorch, training = pair(weight_decay)
        name = f"a decay of {weight_decay}"
        reports.append(parity.compare(flax, pytorch, inputs, training=training, name=name))
        print(reports[-1])
    return reports


if __name__ == "__main__":
    main()
