"""Random canonical arrays for a pair, and the native arrays that hold them."""

from collections.abc import Mapping
from math import prod
from zlib import crc32

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from parity.interface import random as initial
from parity.interface.packing import native_copy
from parity.interface.random import single
from parity.interface.trace import Arrays
from parity.pair.weightmap.match import ArrayPairing, LayerPairing, WeightMap

KERNELS = ("kernel", "input_kernel", "recurrent_kernel")


def name_of(bond: LayerPairing, link: ArrayPairing) -> str:
    """Canonical name of an array of a pair: PyTorch's layer and the role."""
    return f"{bond.torch.path}.{link.role}" if bond.torch.path else link.role


def draw(match: WeightMap, torch: Mapping[str, NDArray], seed: int, scale: float = 1.0) -> Arrays:
    """PyTorch's arrays with random numbers in everything that is mapped: float32 numbers, so that both precisions start
    from the same. What is not mapped stays as it is.

    Args:
        match: the map.
        torch: the user's arrays.
        seed: of the draw; the stream of each array is that of its name.
        scale: of kernels.
    """
    native = native_copy(torch)
    for bond, link in match.links:
        if link.tie is not None:
            continue
        rng = np.random.default_rng([seed, crc32(name_of(bond, link).encode())])
        drawn = _random(bond, link, rng, scale)
        own = link.torch.read(torch)
        if bond.flax.kind == "custom" and own.size and (own > 0).all():
            drawn = _positive(drawn, rng)
        link.torch.write(single(drawn), native)
    for _, link in match.links:
        if link.tie is not None:
            link.torch.write(link.tie.turn(link.tie.of.torch.read(native)), native)
    return {name: single(array) for name, array in native.items()}


def carry(match: WeightMap, torch: Mapping[str, NDArray], flax: Mapping[str, NDArray]) -> Arrays:
    """Flax's arrays that hold what PyTorch's do; what is not mapped stays as it is."""
    native = native_copy(flax)
    for _, link in match.links:
        link.flax.write(link.torch.read(torch), native)
    return native


def carry_back(match: WeightMap, flax: Mapping[str, NDArray], torch: Mapping[str, NDArray]) -> Arrays:
    """The other way round."""
    native = native_copy(torch)
    for _, link in match.links:
        link.torch.write(link.flax.read(flax), native)
    return native


def moved(match: WeightMap, torch: Mapping[str, NDArray], rng: Generator) -> Arrays:
    """PyTorch's arrays with every mapped number moved by one float64 ulp, up or down at random."""
    native = native_copy(torch)
    for _, link in match.links:
        link.torch.write(initial.moved(link.torch.read(torch), rng), native)
    return native


def _random(bond: LayerPairing, link: ArrayPairing, rng: Generator, scale: float) -> NDArray:
    shape = link.shape
    if link.role in KERNELS:
        return rng.standard_normal(shape) * scale * _fan_in(bond, shape) ** -0.5
    if link.role in ("scale", "running_var"):
        return rng.uniform(0.5, 2.0, shape)
    if link.role == "table":
        return rng.standard_normal(shape)
    if bond.flax.kind == "custom" and len(shape) > 1:  # may be a kernel as well as a table
        return rng.standard_normal(shape) * scale * max(shape) ** -0.5
    return 0.5 * rng.standard_normal(shape)


def _positive(drawn: NDArray, rng: Generator) -> NDArray:
    """A draw for an array of which the user's own numbers are all positive: a variance, or a scale, that must be."""
    return np.abs(drawn) if drawn.ndim > 1 else rng.uniform(0.5, 2.0, drawn.shape)


def _fan_in(bond: LayerPairing, shape: tuple[int, ...]) -> int:
    """Inputs that one output sees; a transposed convolution's kernel counts as strided by its own size."""
    return shape[-2] if bond.flax.kind == "conv_transpose" else prod(shape[:-1])
