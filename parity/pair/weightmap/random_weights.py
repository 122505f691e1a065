"""Random canonical arrays for a weight map, and the native arrays of each side that hold them."""

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
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing, WeightMap

KERNELS = ("kernel", "input_kernel", "recurrent_kernel")
POSITIVE = (0.5, 2.0)
"""The range of numbers that must be positive: scales, variances, and what a custom module has positive."""


def name_of(layer: LayerPairing, array: ArrayPairing) -> str:
    """The canonical name of an array of a pairing: the path of PyTorch's layer and the role."""
    return layer.array_name(array)


def random_weights(weight_map: WeightMap, torch: Mapping[str, NDArray], seed: int, scale: float = 1.0) -> Arrays:
    """PyTorch's native arrays with random numbers in all that is mapped; what is not mapped stays as it is.

    Args:
        weight_map: The map.
        torch: The user's own native arrays.
        seed: The seed of the draw; each array has a stream of its own, by its name.
        scale: A factor on all kernels, and on single numbers of modules of no known kind, such as a temperature.

    Returns:
        Float64 arrays by native name; those that are mapped hold float32's numbers, so that both precisions start from
        the same, and the others are as the user wrote them.
    """
    native = native_copy(torch)
    for layer, array in weight_map.arrays:
        if array.tie is None:
            generator = np.random.default_rng([seed, crc32(name_of(layer, array).encode())])
            positive = layer.flax.kind == "custom" and _is_positive(array.torch.read(torch))
            drawn = _numbers(layer, array, generator, scale, positive=positive)
            if any(np.iscomplexobj(native[name]) for name in array.torch.names):
                drawn = drawn + 1j * _numbers(layer, array, generator, scale, positive=positive)
            array.torch.write(single(drawn), native)
    for _, array in weight_map.arrays:
        if array.tie is not None:
            array.torch.write(array.tie.turn(array.tie.of.torch.read(native)), native)
    mapped = {name for _, array in weight_map.arrays for name in array.torch.names}
    return {name: single(values) if name in mapped else values for name, values in native.items()}


def _numbers(
    layer: LayerPairing, array: ArrayPairing, generator: Generator, scale: float, *, positive: bool
) -> NDArray:
    """Random numbers for one canonical array, all of them positive where it must be."""
    drawn = _drawn(layer, array, generator, scale)
    if not positive:
        return drawn
    return np.abs(drawn) if drawn.ndim > 1 else generator.uniform(*POSITIVE, array.shape) * _single(layer, array, scale)


def to_flax(weight_map: WeightMap, torch: Mapping[str, NDArray], flax: Mapping[str, NDArray]) -> Arrays:
    """Flax's native arrays with PyTorch's numbers in all that is mapped; what is not mapped stays as it is.

    Args:
        weight_map: The map.
        torch: PyTorch's native arrays, whose numbers are carried over.
        flax: Flax's native arrays.
    """
    native = native_copy(flax)
    for _, array in weight_map.arrays:
        array.flax.write(array.torch.read(torch), native)
    return native


def to_torch(weight_map: WeightMap, flax: Mapping[str, NDArray], torch: Mapping[str, NDArray]) -> Arrays:
    """PyTorch's native arrays with Flax's numbers in all that is mapped: the other way of `to_flax`.

    Args:
        weight_map: The map.
        flax: Flax's native arrays, whose numbers are carried over.
        torch: PyTorch's native arrays; what is not mapped stays as it is.

    Returns:
        Writable copies by native name, floating ones in float64.
    """
    native = native_copy(torch)
    for _, array in weight_map.arrays:
        array.torch.write(array.flax.read(flax), native)
    return native


def moved(weight_map: WeightMap, torch: Mapping[str, NDArray], generator: Generator) -> Arrays:
    """PyTorch's native arrays with every mapped number moved by one float64 ulp, up or down at random.

    Args:
        weight_map: The map.
        torch: PyTorch's native arrays; what is not mapped stays as it is.
        generator: Decides which way each number goes.

    Returns:
        Writable copies by native name, floating ones in float64.
    """
    native = native_copy(torch)
    for _, array in weight_map.arrays:
        array.torch.write(initial.moved(array.torch.read(torch), generator), native)
    return native


def _drawn(layer: LayerPairing, array: ArrayPairing, generator: Generator, scale: float) -> NDArray:
    """Random numbers for one canonical array, float64, of a size at which the layer's outputs are about one."""
    shape = array.shape
    if array.role in KERNELS:
        return generator.standard_normal(shape) * scale * _fan_in(layer, shape) ** -0.5
    if array.role in ("scale", "running_var"):
        return generator.uniform(*POSITIVE, shape)
    if array.role == "table":
        return generator.standard_normal(shape)
    if layer.flax.kind == "custom" and len(shape) > 1:  # may be a kernel as well as a table
        return generator.standard_normal(shape) * scale * max(shape) ** -0.5
    return 0.5 * generator.standard_normal(shape) * _single(layer, array, scale)


def _single(layer: LayerPairing, array: ArrayPairing, scale: float) -> float:
    """The factor on an array if it is a single number of a module of no known kind; else 1."""
    return scale if layer.flax.kind == "custom" and prod(array.shape) == 1 else 1.0


def _is_positive(array: NDArray) -> bool:
    """Whether a user's array holds positive numbers alone, and may have to: a variance, a scale, a rate."""
    return bool(array.size) and bool((array > 0).all())


def _fan_in(layer: LayerPairing, shape: tuple[int, ...]) -> int:
    """How many inputs one output sees; a transposed convolution's kernel counts as strided by its own size."""
    return shape[-2] if layer.flax.kind == "conv_transpose" else prod(shape[:-1])
