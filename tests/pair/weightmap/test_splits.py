"""Arrays that one side holds whole and the other in pieces: found, cut, and read in other ways."""

import numpy as np
import pytest

from parity.interface.packing import whole
from parity.interface.unit import Kind, Unit
from parity.pair.rungs.map_table import how
from parity.pair.weightmap.pairing.assemble import Held, map_weights
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap
from parity.pair.weightmap.random_weights import random_weights, to_flax, to_torch

Shape = tuple[int, ...]


class Network:
    """Units of one side in the order in which they run, with their native arrays."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.arrays: dict[str, np.ndarray] = {}

    def layer(self, path: str, kind: Kind = "dense", **shapes: Shape) -> "Network":
        for role, shape in shapes.items():
            self.arrays[f"{path}.{role}"] = np.zeros(shape)
        arrays = {role: whole(f"{path}.{role}") for role in shapes}
        self.units.append(Unit(path, kind, arrays, {}, len(self.units)))
        return self


def mapped(flax: Network, torch: Network) -> WeightMap:
    shapes = [{name: array.shape for name, array in side.arrays.items()} for side in (flax, torch)]
    return map_weights(Held(flax.units, shapes[0]), Held(torch.units, shapes[1]))


def pieces(weight_map: WeightMap) -> dict[str, list[str]]:
    """Path of what is whole → the paths of its pieces, in order."""
    held: dict[str, list[str]] = {}
    split = [layer for layer in weight_map.layers if layer.piece is not None]
    for layer in sorted(split, key=lambda layer: layer.piece.number if layer.piece else 0):
        if layer.piece is not None:
            one, other = (layer.flax, layer.torch) if layer.piece.whole == "flax" else (layer.torch, layer.flax)
            held.setdefault(one.path, []).append(other.path)
    return held


def block(network: Network, name: str, fused: bool, size: int = 6, wide: int = 18) -> None:
    """An attention and a feed-forward layer whose first kernel is as large as the fused one."""
    if fused:
        network.layer(f"{name}.qkv", kernel=(size, 3 * size))
    else:
        for part in ("query", "key", "value"):
            network.layer(f"{name}.{part}", kernel=(size, size))
    network.layer(f"{name}.out", kernel=(size, size))
    network.layer(f"{name}.up", kernel=(size, wide)).layer(f"{name}.down", kernel=(wide, size))


@pytest.mark.parametrize("fused", ["flax", "torch"])
def test_one_projection_is_three_in_every_block_also_beside_kernels_of_its_size(fused: str) -> None:
    flax, torch = Network(), Network()
    for number in range(3):
        block(flax, f"{number}", fused == "flax")
        block(torch, f"{number}", fused == "torch")
    found = mapped(flax, torch)
    assert pieces(found) == {f"{n}.qkv": [f"{n}.{part}" for part in ("query", "key", "value")] for n in range(3)}
    equal = {layer.flax.path: layer.torch.path for layer in found.layers if layer.piece is None}
    assert equal == {f"{n}.{name}": f"{n}.{name}" for n in range(3) for name in ("out", "up", "down")}
    assert not found.lone_flax and not found.lone_torch


def test_projections_are_stacked_in_the_order_of_their_names_whatever_order_they_run_in() -> None:
    flax = Network().layer("attn.k_proj", kernel=(4, 4)).layer("attn.q_proj", kernel=(4, 4))
    flax.layer("attn.v_proj", kernel=(4, 4))
    found = mapped(flax, Network().layer("attn.qkv", kernel=(4, 12)))
    assert pieces(found)["attn.qkv"] == ["attn.q_proj", "attn.k_proj", "attn.v_proj"]


def test_pieces_may_be_of_several_lengths() -> None:
    flax = Network().layer("q", kernel=(6, 8)).layer("k", kernel=(6, 2)).layer("v", kernel=(6, 2))
    torch = Network().layer("wqkv", kernel=(6, 12))
    assert pieces(mapped(flax, torch)) == {"wqkv": ["q", "k", "v"]}
    two = Network().layer("q", kernel=(6, 8)).layer("kv", kernel=(6, 4))
    assert pieces(mapped(flax, two)) == {"kv": ["k", "v"]}


def test_experts_in_a_list_are_the_items_of_a_stacked_array() -> None:
    flax = Network().layer("moe", "custom", wi=(3, 4, 5), bi=(3, 5), wo=(3, 5, 4))
    torch = Network()
    for number in range(3):
        torch.layer(f"experts.{number}.w1", kernel=(4, 5), bias=(5,)).layer(f"experts.{number}.w2", kernel=(5, 4))
    found = mapped(flax, torch)
    assert not found.lone_flax and not found.lone_torch
    held = {(layer.torch.path, array.torch_role): array.role for layer in found.layers for array in layer.arrays}
    assert held[("experts.1.w1", "kernel")] == "wi" and held[("experts.1.w1", "bias")] == "bi"
    assert held[("experts.2.w2", "kernel")] == "wo"


def test_a_table_in_chunks_is_one_table() -> None:
    flax = Network().layer("", "custom", table=(12, 5))
    torch = Network().layer("", "custom", chunk_0=(4, 5), chunk_1=(4, 5), chunk_2=(4, 5))
    found = mapped(flax, torch)
    assert [array.torch_role for _, array in found.arrays] == ["chunk_0", "chunk_1", "chunk_2"]


def numbers(network: Network) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(array.shape) for name, array in network.arrays.items()}


def reading(layers: tuple[LayerPairing, ...], name: str) -> tuple[LayerPairing, ...]:
    return tuple(layer.piece.readings[name] if layer.piece else layer for layer in layers)


def test_every_reading_of_pieces_carries_all_numbers_there_and_back() -> None:
    flax = Network().layer("q", kernel=(3, 4)).layer("k", kernel=(3, 4)).layer("v", kernel=(3, 4))
    torch = Network().layer("qkv", kernel=(3, 12))
    found, native = mapped(flax, torch), numbers(torch)
    names = list(found.layers[0].piece.readings) if found.layers[0].piece else []
    assert len(set(names)) == len(names) > 6
    seen = set()
    for name in names:
        other = WeightMap(reading(found.layers, name))
        carried = to_flax(other, native, flax.arrays)
        seen.add(tuple(carried["q.kernel"].ravel()))
        back = to_torch(other, carried, torch.arrays)
        assert np.array_equal(back["qkv.kernel"], native["qkv.kernel"])
    assert tuple(native["qkv.kernel"].reshape(3, 2, 6)[:, :, :2].ravel()) in seen  # head by head
    assert tuple(native["qkv.kernel"].reshape(3, 4, 3)[:, :, 0].ravel()) in seen  # number by number


def test_pieces_of_one_array_get_numbers_of_their_own() -> None:
    flax = Network().layer("q", kernel=(4, 4)).layer("k", kernel=(4, 4)).layer("v", kernel=(4, 4))
    torch = Network().layer("qkv", kernel=(4, 12))
    drawn = random_weights(mapped(flax, torch), torch.arrays, 0)["qkv.kernel"]
    assert len(np.unique(drawn)) == drawn.size


def test_pieces_that_one_module_holds_get_numbers_of_their_own() -> None:
    flax = Network().layer("", "custom", table=(8, 5))
    torch = Network().layer("", "custom", part_0=(4, 5), part_1=(4, 5))
    first, second = random_weights(mapped(flax, torch), torch.arrays, 0).values()
    assert not np.array_equal(first, second)


def test_nothing_is_split_where_one_side_has_no_more_than_the_other() -> None:
    flax, torch = Network(), Network()
    for network in (flax, torch):
        block(network, "a", True)
        block(network, "b", False)
    assert pieces(mapped(flax, torch)) == {}


def test_layers_that_one_side_lacks_are_no_pieces() -> None:
    flax = (
        Network().layer("a", kernel=(4, 4)).layer("b", kernel=(4, 4)).layer("norm", "layer_norm", scale=(4,), bias=(4,))
    )
    torch = Network().layer("a", kernel=(4, 4)).layer("b", kernel=(4, 4)).layer("c", kernel=(4, 8))
    found = mapped(flax, torch)
    assert pieces(found) == {} and [unit.path for unit in found.lone_torch] == ["c"]


def test_the_table_says_which_piece_it_is() -> None:
    flax = Network().layer("q", kernel=(3, 4)).layer("k", kernel=(3, 4)).layer("v", kernel=(3, 4))
    found = mapped(flax, Network().layer("qkv", kernel=(3, 12)))
    assert found.layers[0].piece is not None
    names = list(found.layers[0].piece.readings)
    words = {name: [how(layer, layer.arrays[0]) for layer in reading(found.layers, name)] for name in names}
    assert words["pieces 0, 1, 2"][1] == "4 to 8 of PyTorch's axis 1"
    assert words["pieces 0, 1, 2 in each of 2 groups"][1] == "2 to 4 of every 6 of PyTorch's axis 1"
    stacked = mapped(Network().layer("", "custom", t=(8, 5)), Network().layer("", "custom", a_0=(4, 5), a_1=(4, 5)))
    assert how(stacked.layers[1], stacked.layers[1].arrays[0]) == "4 to 8 of Flax's axis 0"


def test_a_table_is_no_piece_of_what_is_trained() -> None:
    flax = Network().layer("table", "custom", cosines=(4, 2), sines=(4, 2)).layer("qkv", kernel=(4, 12))
    torch = Network().layer("q", kernel=(4, 4)).layer("k", kernel=(4, 4)).layer("v", kernel=(4, 4))
    shapes = [{name: array.shape for name, array in side.arrays.items()} for side in (flax, torch)]
    found = map_weights(Held(flax.units, shapes[0], {"qkv.kernel"}), Held(torch.units, shapes[1]))
    assert pieces(found) == {"qkv": ["q", "k", "v"]}
    assert {unit.path for unit in found.lone_flax} == {"table"} and not found.lone_torch


def test_a_vector_and_a_matrix_are_no_pieces_of_one_array() -> None:
    flax = Network().layer("own", "custom", bias=(7,), direction=(5, 7), length=(1, 7)).layer("q", kernel=(7, 7))
    torch = Network().layer("own", "custom", bias=(7,), g=(7, 1), v=(7, 5)).layer("query", kernel=(7, 7))
    assert not pieces(mapped(flax, torch))


def test_projections_go_by_their_names_where_sizes_allow_another_alignment() -> None:
    flax, torch = Network(), Network()
    for name, side in (("a", flax), ("a", torch)):
        for part in ("query", "key", "value", "out"):
            side.layer(f"{name}.{part}", kernel=(7, 7))
    for name in ("b", "c"):
        for part in ("query", "key", "value", "out"):
            flax.layer(f"{name}.{part}", kernel=(7, 7))
        torch.layer(f"{name}.c_attn", kernel=(7, 21)).layer(f"{name}.c_proj", kernel=(7, 7))
    flax.layer("d.qkv", kernel=(7, 21)).layer("d.out", kernel=(7, 7))
    torch.layer("d.c_attn", kernel=(7, 21)).layer("d.c_proj", kernel=(7, 7))
    found = mapped(flax, torch)
    assert pieces(found) == {
        f"{name}.c_attn": [f"{name}.{part}" for part in ("query", "key", "value")] for name in "bc"
    }


def test_each_way_to_read_a_known_layer_is_one_reading() -> None:
    flax = Network().layer("q", kernel=(3, 4)).layer("k", kernel=(3, 4)).layer("v", kernel=(3, 4))
    found = mapped(flax, Network().layer("qkv", kernel=(3, 12)))
    assert found.layers[0].piece is not None and not any("transposed" in n for n in found.layers[0].piece.readings)
