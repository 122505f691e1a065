"""Features that were a map or become one: each side has them in its own order, Flax channels last, PyTorch first."""

from dataclasses import replace
from math import prod

from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing
from parity.pair.weightmap.pairing.signatures import Shape

NORMS = frozenset({"batch_norm", "layer_norm", "rms_norm"})
"""Kinds of layers that may stand between a dense layer and the reshaping of its outputs."""


def with_features(layer: LayerPairing, inner: Shape) -> LayerPairing | None:
    """The pairing with its features in the order of the map that becomes of them; None if it has none such.

    Args:
        layer: A pairing of dense layers, or of norms after one.
        inner: The shape (channels, *spatial) of one sample of PyTorch's map.
    """
    if layer.flax.kind != layer.torch.kind or layer.flax.kind not in {"dense", *NORMS}:
        return None
    arrays = [_with_features(array, inner) for array in layer.arrays]
    changed = tuple(array for array in arrays if array is not None)
    return replace(layer, arrays=changed) if changed and len(changed) == len(arrays) else None


def _with_features(array: ArrayPairing, inner: Shape) -> ArrayPairing | None:
    """The array with its last axis as (*spatial, channels): the canonical shape has them apart."""
    last = len(array.shape) - 1
    order = array.torch.transposed or tuple(range(last + 1))
    if not array.shape or array.shape[-1] != prod(inner) or array.tie is not None or order[-1] != last:
        return None
    if array.flax.transposed is not None or array.flax.reshaped not in (None, array.shape):
        return None
    canonical = (*array.shape[:-1], *inner[1:], inner[0])
    theirs = (*(array.torch.reshaped or array.shape)[:-1], *inner)
    torch = replace(array.torch, reshaped=theirs, transposed=(*order[:-1], *_channels_last(last, len(theirs))))
    return replace(array, shape=canonical, flax=replace(array.flax, reshaped=canonical), torch=torch, others=())


def features_of(layer: LayerPairing) -> tuple[Shape, Shape]:
    """The shapes (channels, *spatial) of PyTorch's maps that what comes into a layer was, and that becomes of what it
    gives; () for features that both sides have in one order."""
    if layer.flax.kind != layer.torch.kind or layer.flax.kind not in {"dense", *NORMS}:
        return (), ()
    role = "kernel" if layer.flax.kind == "dense" else ""
    array = next((array for array in layer.arrays if role in ("", array.role)), None)
    shape, order = ((), ()) if array is None else (array.torch.reshaped or (), array.torch.transposed or ())
    if not order or len(order) != len(shape):
        return (), ()
    if role and order[-1] == len(shape) - 1:
        return _of_a_map(shape, order, 0, len(shape) - 1), ()
    after = order[-1]
    outgoing = _of_a_map(shape, order, after, len(shape))
    return (_of_a_map(shape, order, 0, after) if role else outgoing), outgoing


def _of_a_map(shape: Shape, order: tuple[int, ...], first: int, end: int) -> Shape:
    """These axes of PyTorch's, if they are transposed from channels first to channels last, else ()."""
    moved = end - first > 1 and order[first:end] == _channels_last(first, end)
    return shape[first:end] if moved else ()


def _channels_last(first: int, end: int) -> tuple[int, ...]:
    """The order of the axes from `first` to before `end`, the first of them put last."""
    return (*range(first + 1, end), first)
