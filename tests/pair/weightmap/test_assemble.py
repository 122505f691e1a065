from dataclasses import replace

import numpy as np

from parity.interface.packing import Packing, Part, whole
from parity.interface.unit import Kind, Unit
from parity.pair.weightmap.pairing.assemble import Held, map_weights
from parity.pair.weightmap.pairing.pairings import WeightMap

SHAPES: dict[str, tuple[int, ...]] = {}


def unit(path: str, kind: Kind, order: int, **arrays: tuple[int, ...]) -> Unit:
    for role, shape in arrays.items():
        SHAPES[f"{path}.{role}"] = shape
    return Unit(path, kind, {role: whole(f"{path}.{role}") for role in arrays}, {}, order)


def pairs(found: WeightMap) -> dict[str, str]:
    return {bond.flax.path: bond.torch.path for bond in found.layers}


def matched(flax: list[Unit], torch: list[Unit]) -> WeightMap:
    return map_weights(Held(flax, SHAPES), Held(torch, SHAPES))


def test_equal_layers_are_paired_in_order_whatever_their_names() -> None:
    flax = [unit(f"Dense_{i}", "dense", i, kernel=(4, 4)) for i in range(3)]
    torch = [unit(n, "dense", i, kernel=(4, 4)) for i, n in enumerate(("z", "a", "m"))]
    assert pairs(matched(flax, torch)) == {"Dense_0": "z", "Dense_1": "a", "Dense_2": "m"}


def test_another_order_of_unlike_layers_does_not_matter() -> None:
    flax = [unit("shortcut", "conv", 0, kernel=(1, 1, 2, 4)), unit("main", "conv", 1, kernel=(3, 3, 2, 4))]
    torch = [unit("conv1", "conv", 0, kernel=(3, 3, 2, 4)), unit("downsample", "conv", 1, kernel=(1, 1, 2, 4))]
    assert pairs(matched(flax, torch)) == {"shortcut": "downsample", "main": "conv1"}


def test_a_layer_that_one_side_has_not_is_left_over_and_shifts_nothing() -> None:
    a, b = {"scale": (4,)}, {"kernel": (4, 4)}
    flax = [unit("n0", "layer_norm", 0, **a), unit("d0", "dense", 1, **b), unit("n1", "layer_norm", 2, **a)]
    torch = [unit("d", "dense", 0, **b), unit("n", "layer_norm", 1, **a)]
    found = matched(flax, torch)
    assert pairs(found) == {"d0": "d", "n1": "n"}
    assert [one.path for one in found.lone_flax] == ["n0"]


def test_a_bias_that_one_side_has_not_is_a_lone_role() -> None:
    flax = [unit("d0", "dense", 0, kernel=(2, 3))]
    torch = [unit("fc", "dense", 0, kernel=(2, 3), bias=(3,))]
    found = matched(flax, torch)
    assert pairs(found) == {"d0": "fc"} and found.layers[0].lone_torch == ("bias",)


def test_a_layer_without_its_bias_is_rather_the_one_of_its_name_than_one_without_a_bias() -> None:
    flax = [unit("fc_1", "dense", 0, kernel=(5, 5), bias=(5,)), unit("fc_2", "dense", 1, kernel=(5, 5), bias=(5,))]
    torch = [unit("fc_1", "dense", 0, kernel=(5, 5)), unit("fc_2", "dense", 1, kernel=(5, 5), bias=(5,))]
    assert pairs(matched(flax, torch)) == {"fc_1": "fc_1", "fc_2": "fc_2"}
    torch = [replace(torch[0], path="first"), replace(torch[1], path="second")]
    others = matched(flax, torch).others.values()
    assert {"fc_1": "first", "fc_2": "second"} in [pairs(other) for other in others]


def test_custom_arrays_are_paired_by_shape_then_by_name() -> None:
    flax = [unit("", "custom", 0, cls=(1, 1, 8), gamma=(8,), beta=(8,))]
    torch = [unit("", "custom", 0, layer_beta=(8,), layer_gamma=(8,), class_token=(1, 1, 8))]
    found = {link.role: link.torch_role for bond in matched(flax, torch).layers for link in bond.arrays}
    assert found == {"cls": "class_token", "gamma": "layer_gamma", "beta": "layer_beta"}


def test_a_kernel_that_a_module_of_no_known_kind_holds_is_read_in_every_way_that_fits() -> None:
    flax = [unit("Dense_0", "dense", 0, kernel=(6, 6), bias=(6,))]
    torch = [unit("c_attn", "custom", 0, weight=(6, 6), bias=(6,))]
    kernel = next(link for link in matched(flax, torch).layers[0].arrays if link.role == "kernel")
    array = np.random.default_rng(0).standard_normal((6, 6))
    readings = [packing.read({"c_attn.weight": array}) for packing in (kernel.torch, *kernel.others)]
    assert np.array_equal(readings[0], array) and np.array_equal(readings[1], array.T)


def test_layers_of_other_kinds_are_not_paired() -> None:
    found = matched([unit("d", "dense", 0, kernel=(3, 4))], [unit("e", "embedding", 0, table=(3, 4))])
    assert not found.layers and len(found.lone_flax) == len(found.lone_torch) == 1


def test_a_dense_layer_over_patches_is_the_convolution_with_its_strides() -> None:
    settings = {"strides": (2, 2), "kernel_size": (2, 2), "groups": 1}
    conv = unit("proj", "conv", 0, kernel=(2, 2, 3, 5), bias=(5,))
    conv = Unit("proj", "conv", conv.arrays, settings)
    found = matched([unit("embed", "dense", 0, kernel=(12, 5), bias=(5,))], [conv])
    kernel = next(link for link in found.layers[0].arrays if link.role == "kernel")
    assert {link.role for link in found.layers[0].arrays} == {"kernel", "bias"} and not found.layers[0].lone_torch
    array = np.random.default_rng(0).standard_normal((2, 2, 3, 5))
    assert np.array_equal(kernel.torch.read({"proj.kernel": array}), array.reshape(12, 5))


def test_two_dense_layers_are_the_halves_of_a_recurrent_one() -> None:
    SHAPES.update({"l.w": (3, 8), "l.u": (2, 8), "l.b": (8,), "l.c": (8,)})
    both = Packing((Part("l.b"), Part("l.c")), "sum")
    arrays = {"input_kernel": whole("l.w"), "recurrent_kernel": whole("l.u"), "bias": both}
    lstm = Unit("lstm", "lstm", arrays)
    i = unit("i", "dense", 0, kernel=(3, 8), bias=(8,))
    two = matched([i, unit("h", "dense", 1, kernel=(2, 8), bias=(8,))], [lstm])
    biases = [link.torch.names for bond in two.layers for link in bond.arrays if link.role == "bias"]
    assert biases == [("l.b",), ("l.c",)] and not two.lone_torch
    one = matched([i, unit("h2", "dense", 1, kernel=(2, 8))], [lstm])
    biases = [link.torch.names for bond in one.layers for link in bond.arrays if link.role == "bias"]
    assert [set(names) for names in biases] == [{"l.b", "l.c"}]
    assert not any(bond.lone_torch for bond in one.layers)


def test_custom_layers_are_not_paired_by_what_little_they_share() -> None:
    flax = [unit("a", "custom", 0, kernel=(9, 4), bias=(9,))]
    torch = [unit("b", "custom", 0, weight=(4, 9), bias=(9,))]
    (bond,) = matched(flax, torch).layers
    assert {link.role: link.torch_role for link in bond.arrays} == {"kernel": "weight", "bias": "bias"}


def test_what_authors_call_alike_is_one_layer_before_what_only_has_its_shapes() -> None:
    flax = [
        unit("blocks.2", "custom", 0, bias=(3,), direction=(3, 3), length=(3, 1)),
        unit("blocks.3", "custom", 1, bias=(3,), direction=(3, 3), length=(1, 3)),
    ]
    torch = [
        unit("blocks.2.layer", "custom", 0, bias=(3,), weight_v=(3, 3), weight_g=(1, 3)),
        unit("blocks.3.layer", "custom", 1, bias=(3,), direction=(3, 3), length=(3, 1)),
    ]
    assert pairs(matched(flax, torch)) == {"blocks.2": "blocks.2.layer", "blocks.3": "blocks.3.layer"}


def test_arrays_of_a_module_of_its_own_go_by_the_last_words_of_their_names() -> None:
    flax = [unit("", "custom", 0, norm_bias=(3,), norm_direction=(3, 3), norm_length=(1, 3))]
    torch = [unit("norm", "custom", 0, **{"bias": (3,), "parametrizations.weight.original0": (3, 1), "v": (3, 3)})]
    held = {array.role: array.torch_role for _, array in matched(flax, torch).arrays}
    assert held["norm_bias"] == "bias" and held["norm_length"] == "parametrizations.weight.original0"


def test_trained_arrays_are_paired_before_tables() -> None:
    flax = [unit("", "custom", 0, dense_raw=(6, 3), table_cosines=(6, 3), table_sines=(6, 3))]
    torch = [unit("own", "custom", 0, table_cosines=(6, 3), table_sines=(6, 3)), unit("dense", "custom", 1, raw=(3, 6))]
    trained = {".dense_raw"}, {"dense.raw"}
    found = map_weights(Held(flax, SHAPES, trained[0]), Held(torch, SHAPES, trained[1]))
    assert {array.role: array.torch_role for _, array in found.arrays} == {
        "dense_raw": "raw", "table_cosines": "table_cosines", "table_sines": "table_sines"
    }  # fmt: skip
