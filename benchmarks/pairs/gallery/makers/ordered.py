"""A converter by hand for networks whose layers come in the same order on both sides, where no project gives one.

It is right where the two networks then agree, and says nothing where they do not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

LEAVES = {
    "weight": ("kernel", "scale", "embedding"),
    "bias": ("bias",),
    "running_mean": ("mean",),
    "running_var": ("var",),
}
"""The last part of PyTorch's name → those that Flax may have for it; any other name is looked for by itself."""


def places(flax: Mapping[str, Any], torch: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, str]:
    """PyTorch's name → its place in Flax: of a weight the first of its kind and shape that is not taken yet, and of
    what else a layer has the place beside the weight.

    Args:
        flax: Path → array, in the order in which the layers are made.
        torch: Name → array, in the order of the network's own state.
        named: The end of PyTorch's name → the end of the path in Flax, for what order does not tell.

    Raises:
        ValueError: An array of PyTorch has no place, or a place in Flax is left.
    """
    free, taken, layers = dict(flax), dict[str, str](), dict[str, str]()
    for name, array in torch.items():
        if name.endswith(("num_batches_tracked", "relative_position_index", "attn_mask")):
            continue
        layer, _, leaf = name.rpartition(".")
        fitting = (path for path in _candidates(free, name, named) if _fits(np.asarray(array), path, free[path]))
        beside = layers.get(layer) if leaf in LEAVES else None
        path = next((path for path in fitting if beside is None or _layer(path) == beside), None)
        if path is None:
            raise ValueError(f"{name} {tuple(array.shape)} has no place in Flax; free are {list(free)[:8]}")
        taken[name] = path
        layers.setdefault(layer, _layer(path))
        del free[path]
    if free:
        raise ValueError(f"Flax's {list(free)[:8]} are left")
    return taken


def _candidates(free: Mapping[str, Any], name: str, named: Mapping[str, str]) -> Iterator[str]:
    """The free places that are of the kind of PyTorch's array."""
    by_name = next((end for key, end in named.items() if name.endswith(key)), None)
    ends = LEAVES.get(name.rpartition(".")[2], ())
    for path in free:
        if path.endswith(by_name) if by_name else path.rpartition("/")[2] in ends:
            yield path


def _layer(path: str) -> str:
    """The path of the layer that holds an array, whatever collection the array is in."""
    return path.partition("/")[2].rpartition("/")[0]


def _fits(array: np.ndarray, path: str, place: Any) -> bool:
    turned_array = turned(array, path)
    held_by_network = path.rpartition("/")[2] not in {end for ends in LEAVES.values() for end in ends}
    return turned_array.shape == place.shape or (held_by_network and turned_array.size == place.size)


def turned(array: np.ndarray, path: str) -> np.ndarray:
    """PyTorch's array with its axes in Flax's order: kernels only, the channels of input and output last."""
    if path.endswith("kernel") and array.ndim > 1:
        return np.transpose(array, (*range(2, array.ndim), 1, 0))
    return array


def joined(arrays: Mapping[str, Any], parts: tuple[str, ...], whole: str) -> dict[str, Any]:
    """The arrays with several layers as one: where a name has the first part, the rows of all parts in order.

    Args:
        arrays: Name → array.
        parts: The names of the layers, such as ".k." and ".v.".
        whole: The name of the one, such as ".kv.".
    """
    result = {}
    for name, array in arrays.items():
        if parts[0] in name:
            rows = [np.asarray(arrays[name.replace(parts[0], part)]) for part in parts]
            result[name.replace(parts[0], whole)] = np.concatenate(rows)
        elif not any(part in name for part in parts):
            result[name] = array
    return result


def carried(arrays: Mapping[str, Any], where: Mapping[str, str], flax: Mapping[str, Any]) -> dict[str, Any]:
    """PyTorch's arrays, weights or gradients, as Flax's tree.

    Args:
        arrays: PyTorch's name → array.
        where: The result of `places`.
        flax: Path → an array of the right shape.
    """
    from flax.traverse_util import unflatten_dict

    paths = {where[name]: np.asarray(array) for name, array in arrays.items() if name in where}
    flat = {path: turned(array, path).reshape(flax[path].shape) for path, array in paths.items()}
    return unflatten_dict(flat, sep="/")
