"""Initial weights drawn in NumPy."""

import numpy as np
import pytest

from parity.interface.random import draw, fan_in

SHAPES = {
    "conv.kernel": (3, 3, 5, 70),
    "conv.bias": (400,),
    "norm.scale": (300,),
    "norm.bias": (301,),
    "norm.running_mean": (302,),
    "norm.running_var": (303,),
    "dense.kernel": (64, 50),
    "dense.bias": (305,),
    "cell.hh.kernel": (30, 90),
    "cell.hh.bias": (90,),
    "position": (41, 37),
    "mlp.gate": (6, 30, 40),
    "head.kernel": (20, 21),
}
SCHEMES = ["default", "randn", "orthogonal", "normal", "he", "xavier", "probe"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_shapes_and_precision(scheme) -> None:
    drawn = draw(SHAPES, scheme, 0)
    assert {name: array.shape for name, array in drawn.items()} == SHAPES
    assert all(array.dtype == np.float64 for array in drawn.values())
    assert all(np.array_equal(array, array.astype(np.float32)) for array in drawn.values())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_draw_is_that_of_its_seed(scheme) -> None:
    first, again, other = (draw(SHAPES, scheme, seed) for seed in (3, 3, 4))
    assert all(np.array_equal(first[name], again[name]) for name in SHAPES)
    random = [name for name in SHAPES if np.ptp(first[name]) > 0]
    expected = {"default": 9, "randn": 6, "orthogonal": 8, "normal": 6, "he": 6, "xavier": 5, "probe": 13}
    assert len(random) == expected[scheme]
    assert not any(np.array_equal(first[name], other[name]) for name in random)


def test_each_array_has_its_own_stream() -> None:
    same = {"a.bias": (9,), "b.bias": (9,)}
    drawn = draw(same, "probe", 0)
    assert not np.array_equal(drawn["a.bias"], drawn["b.bias"])
    fewer, wider = draw({"a.bias": (9,)}, "probe", 0), draw({"a.bias": (90,), "b.bias": (9,)}, "probe", 0)
    assert np.array_equal(fewer["a.bias"], drawn["a.bias"])
    assert np.array_equal(wider["b.bias"], drawn["b.bias"])


def test_fan_in_is_what_one_output_sees() -> None:
    assert fan_in("conv.kernel", SHAPES) == fan_in("conv.bias", SHAPES) == 45
    assert fan_in("dense.bias", SHAPES) == 64
    assert fan_in("norm.bias", SHAPES) is None and fan_in("mlp.gate", SHAPES) == 30


@pytest.mark.parametrize("name", ["conv.kernel", "conv.bias", "dense.kernel", "dense.bias"])
def test_default_is_uniform_within_the_inverse_root_of_fan_in(name) -> None:
    array, inputs = draw(SHAPES, "default", 0)[name], fan_in(name, SHAPES)
    assert inputs is not None
    bound = inputs**-0.5
    assert 0.97 * bound < np.abs(array).max() <= np.float32(bound)
    assert abs(array.std() / (bound / 3**0.5) - 1) < 0.1 and abs(array.mean()) < 0.1 * bound


@pytest.mark.parametrize(("scheme", "deviation"), [("randn", 0.1), ("normal", 0.02)])
def test_kernels_and_tables_are_a_part_of_a_normal_and_biases_nothing(scheme, deviation) -> None:
    drawn = draw(SHAPES, scheme, 0)
    for name in ("conv.kernel", "dense.kernel", "position"):
        assert abs(drawn[name].std() / deviation - 1) < 0.05 and np.abs(drawn[name]).max() > 3 * deviation
    assert not any(drawn[name].any() for name in ("conv.bias", "dense.bias", "norm.bias", "norm.running_mean"))


def test_he_keeps_the_variance_through_relus() -> None:
    drawn = draw(SHAPES, "he", 0)
    for name in ("conv.kernel", "dense.kernel"):
        assert abs(drawn[name].var() * (fan_in(name, SHAPES) or 0) / 2 - 1) < 0.1
    assert not drawn["conv.bias"].any()


def test_xavier_looks_at_both_sides_and_ends_of_branches_are_nothing() -> None:
    drawn = draw(SHAPES, "xavier", 0)
    for name, fans in {"conv.kernel": 9 * 75, "dense.kernel": 114, "mlp.gate": 70}.items():
        bound = (6 / fans) ** 0.5
        assert 0.97 * bound < np.abs(drawn[name]).max() <= np.float32(bound)
    assert not drawn["head.kernel"].any() and not drawn["conv.bias"].any()
    assert abs(drawn["position"].std() / 0.02 - 1) < 0.05


def test_tables_are_normal_by_default() -> None:
    assert abs(draw(SHAPES, "default", 0)["position"].std() - 1) < 0.05


@pytest.mark.parametrize("scheme", ["default", "randn", "orthogonal", "normal", "he", "xavier"])
def test_norms_start_as_the_identity(scheme) -> None:
    drawn = draw(SHAPES, scheme, 0)
    for name, value in {"scale": 1, "bias": 0, "running_mean": 0, "running_var": 1}.items():
        assert (drawn[f"norm.{name}"] == value).all()


def test_orthogonal_is_default_but_for_recurrent_kernels() -> None:
    orthogonal, default = (draw(SHAPES, scheme, 0) for scheme in ("orthogonal", "default"))
    changed = [name for name in SHAPES if not np.array_equal(orthogonal[name], default[name])]
    assert changed == ["cell.hh.kernel", "cell.hh.bias"] and not orthogonal["cell.hh.bias"].any()
    first, second, third = np.split(orthogonal["cell.hh.kernel"], 3, axis=1)
    for block in (first, second, third):
        assert np.abs(block.T @ block - np.eye(30)).max() < 16 * np.finfo(np.float32).eps
    assert not np.array_equal(first, second) and not np.array_equal(second, third)


def test_probe_hides_nothing_behind_a_zero_or_a_one() -> None:
    drawn = draw(SHAPES, "probe", 0)
    for array in drawn.values():
        assert len(np.unique(array)) > 0.99 * array.size and not np.isin(array, (0.0, 1.0)).any()
    for name in ("norm.scale", "norm.running_var"):
        assert 0.5 <= drawn[name].min() < 0.6 and 1.9 < drawn[name].max() <= 2
    for name in ("conv.kernel", "dense.kernel", "cell.hh.kernel"):
        inputs = fan_in(name, SHAPES)
        assert inputs is not None and abs(drawn[name].std() * inputs**0.5 - 1) < 0.05
