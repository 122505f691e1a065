"""The map's file says every packing that is found, and reads back as what was written."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.errors import UsageError
from parity.pair.weightmap import file as map_file
from parity.pair.weightmap.pairing.pairings import WeightMap
from parity.pair.weightmap.random_weights import to_flax
from tests.pair.weightmap.test_splits import Network, mapped, numbers, reading


def both_ways(flax: Network, torch: Network, found: WeightMap, path: Path) -> WeightMap:
    """The map, written and read again."""
    map_file.write(found, path)
    shapes = [{name: array.shape for name, array in side.arrays.items()} for side in (flax, torch)]
    return map_file.read(path, flax.units, torch.units, (shapes[0], shapes[1]))


def projections(whole: str) -> tuple[Network, Network]:
    """Three projections and one, on either side."""
    apart, fused = Network(), Network().layer("qkv", kernel=(3, 12), bias=(12,))
    for name in "qkv":
        apart.layer(name, kernel=(3, 4), bias=(4,))
    return (fused, apart) if whole == "flax" else (apart, fused)


@pytest.mark.parametrize("whole", ["flax", "torch"])
@pytest.mark.parametrize("name", ["pieces 0, 1, 2", "pieces 1, 0, 2", "pieces 0, 1, 2 in each of 2 groups"])
def test_pieces_are_read_as_they_were_written(whole: str, name: str, tmp_path: Path) -> None:
    flax, torch = projections(whole)
    found = WeightMap(reading(mapped(flax, torch).layers, name))
    again, native = both_ways(flax, torch, found, tmp_path / "map.json"), numbers(torch)
    first, second = (to_flax(weight_map, native, flax.arrays) for weight_map in (found, again))
    assert all(np.array_equal(first[name], second[name]) for name in flax.arrays)
    assert not again.lone_flax and not again.lone_torch
    assert len({layer.array_name(array) for layer, array in again.arrays}) == 6


def test_stacked_arrays_and_items_of_a_list_are_read_as_they_were_written(tmp_path: Path) -> None:
    flax = Network().layer("moe", "custom", wi=(3, 4, 5))
    torch = Network()
    for number in range(3):
        torch.layer(f"experts.{number}", "custom", weight=(5, 4))
    found, native = mapped(flax, torch), numbers(torch)
    again = both_ways(flax, torch, found, tmp_path / "map.json")
    carried = to_flax(again, native, flax.arrays)["moe.wi"]
    assert all(np.array_equal(carried[n], native[f"experts.{n}.weight"].T) for n in range(3))


@pytest.mark.parametrize("side", ["flax", "torch"])
def test_a_convolution_over_a_flattened_map_is_read_as_it_was_written(side: str, tmp_path: Path) -> None:
    dense, conv = Network().layer("head", kernel=(30, 4)), Network().layer("head", "conv", kernel=(2, 3, 5, 4))
    conv.units[0] = type(conv.units[0])("head", "conv", conv.units[0].arrays, {"groups": 1}, 0)
    flax, torch = (conv, dense) if side == "flax" else (dense, conv)
    found, native = mapped(flax, torch), numbers(torch)
    assert len(found.layers) == 1
    (layer,) = found.layers
    other = layer.arrays[0].others[0]
    for packing in (layer.arrays[0].torch, other):
        changed = type(layer)(layer.flax, layer.torch, (type(layer.arrays[0])(
            "kernel", layer.arrays[0].shape, layer.arrays[0].flax, packing, torch_role="kernel"),))  # fmt: skip
        again = both_ways(flax, torch, WeightMap((changed,)), tmp_path / "map.json")
        first, second = (to_flax(m, native, flax.arrays)["head.kernel"] for m in (WeightMap((changed,)), again))
        assert np.array_equal(first, second) and not np.array_equal(first, np.zeros_like(first))


def edited(tmp_path: Path, change: Any) -> None:
    """Read the map of three projections after its pairs were changed."""
    flax, torch = projections("torch")
    path = tmp_path / "map.json"
    map_file.write(mapped(flax, torch), path)
    document = json.loads(path.read_text())
    change(document["pairs"])
    path.write_text(json.dumps(document))
    shapes = [{name: array.shape for name, array in side.arrays.items()} for side in (flax, torch)]
    map_file.read(path, flax.units, torch.units, (shapes[0], shapes[1]))


def overlap(pairs: list[Any]) -> None:
    pairs[0]["arrays"][0]["torch_cut"] = pairs[2]["arrays"][0]["torch_cut"]


def missing(pairs: list[Any]) -> None:
    del pairs[0]


def misshapen(pairs: list[Any]) -> None:
    pairs[0]["arrays"][0]["torch_cut"] = [None, [0, 5]]


def beyond(pairs: list[Any]) -> None:
    pairs[0]["arrays"][0]["torch_cut"] = [None, None, None, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (overlap, "hold 12 of its numbers not at all and 12 more than once"),
        (missing, "not at all"),
        (misshapen, "is not of the shape of"),
        (beyond, "cannot be reshaped so"),
    ],
)
def test_pieces_that_do_not_cover_an_array_once_are_refused(change: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        edited(tmp_path, change)


def test_a_map_may_flip_axes(tmp_path: Path) -> None:
    flax, torch = Network().layer("a", kernel=(3, 4)), Network().layer("b", kernel=(3, 4))
    path, native = tmp_path / "map.json", numbers(torch)
    entry = {"flax": "kernel", "torch": "kernel", "torch_flipped": [0]}
    pairs = [{"flax": "a", "torch": "b", "arrays": [entry]}]
    path.write_text(json.dumps({"format": map_file.FORMAT, "pairs": pairs}))
    found = map_file.read(path, flax.units, torch.units, ({"a.kernel": (3, 4)}, {"b.kernel": (3, 4)}))
    assert np.array_equal(to_flax(found, native, flax.arrays)["a.kernel"], native["b.kernel"][::-1])
