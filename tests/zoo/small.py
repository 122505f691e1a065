"""The networks of the zoo at the sizes of the parity check, with random weights and a batch."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity import recipes
from parity.backends import Precision, Twin, twin_class
from parity.data import open_stream
from parity.interface import random as initial
from parity.interface.trace import Arrays
from parity.recipes import Recipe
from parity.reference import NETWORKS, Network

NAMES = recipes.zoo_names()


def recipe(name: str) -> Recipe:
    return recipes.load(name).at_check_size


def reference(name: str) -> Network:
    return NETWORKS[recipe(name).network](**recipe(name).config)


@cache
def weights(name: str) -> Arrays:
    return initial.draw(reference(name).shapes(), "probe", 0)


@cache
def inputs(name: str, batch: int = 2) -> Any:
    """What a small network gets.

    Images (B, 32, 32, 3), bytes (B, 7) for a vocabulary, the last text padded if it can be, observations (B, 4) for
    actions, graphs (B, 5, 3 + 2), or a tuple where the network takes several arguments.
    """
    rng = np.random.default_rng(1)
    config = recipe(name).config
    if recipe(name).data.startswith("noised-"):
        return open_stream(recipe(name).data, batch_size=batch, seed=1).batch(0, 0).inputs
    if "vocab_size" in config:
        tokens = rng.integers(1, config["vocab_size"], (batch, 7))
        tokens[-1, 5:] = tokens[-1, 5:] if config.get("padding") is None else config["padding"]
        return tokens
    if "actions" in config:
        return rng.standard_normal((batch, config["observations"])).astype(np.float32)
    if recipe(name).network == "GraphNet":
        return graphs(batch, rng)
    side, channels = (config.get(word, other) for word, other in (("image_size", 32), ("in_channels", 3)))
    images = rng.standard_normal((batch, side, side, channels)).astype(np.float32)
    if "latent" not in config:
        return images
    return images, rng.standard_normal((batch, config["latent"])).astype(np.float32)


def graphs(batch: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Graphs of five nodes of three features that hear two each; the last of each second graph is none, an edge too."""
    heard = rng.integers(0, 4, (batch, 5, 2)).astype(np.float32)
    heard[1::2, 4] = heard[:, 2, 1] = -1
    return np.concatenate([rng.standard_normal((batch, 5, 3)).astype(np.float32), heard], axis=-1)


def made(framework: str, name: str) -> Any:
    """The framework's own object at its initial weights."""
    return twin_class(framework).build(recipe(name).network, recipe(name).config, seed=0, init=recipe(name).init)


@cache
def twin(framework: str, name: str, precision: Precision = "float64") -> Twin:
    cls = twin_class(framework)
    found = cls(made(framework, name), precision=precision)
    found.load(weights(name))
    return found
