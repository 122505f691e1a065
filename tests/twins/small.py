"""Small networks as a user constructs them."""

from typing import Any

import torch
from flax import nnx

import jaxnets
import torchnets

CONFIGS: dict[str, dict[str, Any]] = {
    "MLP": {"sizes": (30, 11, 3)},
    "VGG": {"plan": (5, "M"), "num_classes": 3, "image_size": 4},
    "GRU": {"input_size": 2, "hidden_size": 7, "num_classes": 3},
    "RNN": {"input_size": 2, "hidden_size": 7, "num_classes": 3},
}


def jax_network(name: str, seed: int = 0, **changed: Any) -> Any:
    return getattr(jaxnets, name)(**CONFIGS[name] | changed, rngs=nnx.Rngs(seed))


def torch_network(name: str, seed: int = 0, **changed: Any) -> Any:
    return getattr(torchnets, name)(**CONFIGS[name] | changed, generator=torch.Generator().manual_seed(seed))
