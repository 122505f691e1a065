"""Dense layers after a flatten: the rows of their kernels are in the order in which an activation was flattened."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from parity.pair.arrays.layout import agree, floating
from parity.pair.weightmap.align import CallPair
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing
from parity.pair.weightmap.pairing.signatures import Shape
from parity.pair.weightmap.proof import ProofPass


def flattened_rows(layer: LayerPairing, passed: ProofPass, pair: CallPair) -> Iterator[LayerPairing]:
    """The pairing with the kernel's rows in the order of an activation that PyTorch flattened channels first, for each
    earlier activation, or input of the network, with which the two layers' inputs agree.

    Args:
        layer: A pairing of dense layers.
        passed: A pass in which their inputs do not agree as they are.
        pair: The calls of the layers.
    """
    kernel = next((array for array in layer.arrays if array.role == "kernel" and len(array.shape) == 2), None)
    ours, theirs = floating(passed.flax.calls[pair.flax].inputs), floating(passed.torch.calls[pair.torch].inputs)
    if layer.flax.kind != "dense" or kernel is None or not ours or not theirs:
        return
    low = floating(passed.low.calls[pair.torch].inputs)[0]
    for inner in _activations(passed, pair, kernel.shape[0]):
        moved, moved_low = (_channels_last(array, inner) for array in (theirs[0], low))
        if moved.shape == ours[0].shape and agree(ours[0], moved, moved_low):
            flat = with_channels_last_rows(kernel, inner)
            yield replace(layer, arrays=tuple(flat if array is kernel else array for array in layer.arrays))


def _activations(passed: ProofPass, pair: CallPair, size: int) -> list[Shape]:
    """The shapes (channels, *spatial) of earlier outputs of PyTorch's with so many numbers a sample, last first, and
    of what the network itself is given."""
    *calls, network = passed.torch.calls
    earlier = [array for call in calls[: pair.torch][::-1] for array in floating(call.outputs)]
    shapes = (array.shape[1:] for array in (*earlier, *floating(network.inputs)))
    return list(dict.fromkeys(shape for shape in shapes if len(shape) > 1 and prod(shape) == size))


def _channels_last(array: NDArray, inner: Shape) -> NDArray:
    """A flattened (…, channels × spatial) array with its last axis in the order (spatial × channels)."""
    split = array.reshape(*array.shape[:-1], *inner)
    return np.moveaxis(split, array.ndim - 1, -1).reshape(array.shape)


def with_channels_last_rows(kernel: ArrayPairing, inner: Shape) -> ArrayPairing:
    """The kernel with its rows as (*spatial, channels): the canonical shape has them apart."""
    last = (*inner[1:], inner[0], kernel.shape[1])
    order = (*range(1, len(inner)), 0, len(inner))
    return replace(
        kernel,
        shape=last,
        flax=replace(kernel.flax, reshaped=last),
        torch=replace(kernel.torch, reshaped=(*inner, kernel.shape[1]), transposed=order),
        others=(),
    )
