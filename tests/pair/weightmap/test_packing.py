import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.interface.packing import Packing, Part, whole


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


Case = tuple[Packing, dict[str, tuple[int, ...]], tuple[int, ...]]
PACKINGS: dict[str, Case] = {
    "as it is": (whole("a"), {"a": (3, 5)}, (3, 5)),
    "transposed": (whole("a", (1, 0)), {"a": (3, 5)}, (5, 3)),
    "rows": (Packing((Part("a", cut=((3, 6),), axes=(1, 0)),)), {"a": (9, 2)}, (2, 3)),
    "one of stacked": (Packing((Part("a", cut=(2,)),)), {"a": (4, 3, 5)}, (3, 5)),
    "heads merged": (Packing((Part("a", shape=(6, 8)),)), {"a": (6, 2, 4)}, (6, 8)),
    "flipped": (Packing((Part("a", axes=(2, 3, 0, 1), flip=(0, 1)),)), {"a": (4, 5, 2, 3)}, (2, 3, 4, 5)),
    "joined": (Packing((Part("a"), Part("b")), axis=1), {"a": (3, 2), "b": (3, 4)}, (3, 6)),
    "rows of a flattened map": (
        Packing((Part("a", axes=(1, 0)),), reshaped=(2, 3, 5, 7), transposed=(1, 2, 0, 3)),
        {"a": (7, 30)},
        (3, 5, 2, 7),
    ),
    "one more than stored": (Packing((Part("a", offset=1.0),)), {"a": (4,)}, (4,)),
}


@pytest.mark.parametrize("name", PACKINGS)
def test_what_is_written_is_read(name: str) -> None:
    packing, shapes, shape = PACKINGS[name]
    native = {key: numbers(*size) for key, size in shapes.items()}
    assert packing.shape(shapes) == shape
    canonical = numbers(*shape) + 3
    packing.write(canonical, native)
    assert np.abs(packing.read(native) - canonical).max() < 8 * np.finfo(np.float64).eps


def test_writing_leaves_the_rest_of_the_native_array() -> None:
    native = {"a": numbers(9, 2)}
    before = native["a"].copy()
    PACKINGS["rows"][0].write(np.ones((2, 3)), native)
    assert (native["a"][3:6] == 1).all()
    assert np.array_equal(native["a"][:3], before[:3]) and np.array_equal(native["a"][6:], before[6:])


def test_a_sum_is_shared_out_equally_and_its_gradient_is_the_canonical_ones() -> None:
    packing = Packing((Part("a"), Part("b")), "sum")
    native = {"a": numbers(4), "b": numbers(4)}
    packing.write(np.full(4, 6.0), native)
    assert (native["a"] == 3.0).all() and (native["b"] == 3.0).all()
    assert (packing.read(native) == 6.0).all()
    gradient = numbers(4)  # of a + b with respect to either
    assert np.array_equal(packing.pull({"a": gradient, "b": gradient}), gradient)


def test_a_stored_offset_is_not_in_the_gradient() -> None:
    packing = PACKINGS["one more than stored"][0]
    assert np.array_equal(packing.read({"a": np.zeros(4)}), np.ones(4))
    assert np.array_equal(packing.pull({"a": np.zeros(4)}), np.zeros(4))


@given(st.permutations(range(4)), st.lists(st.integers(0, 3), max_size=4, unique=True))
def test_any_transposing_and_flipping_is_undone(axes: list[int], flip: list[int]) -> None:
    packing = Packing((Part("a", axes=tuple(axes), flip=tuple(flip)),))
    native = {"a": np.zeros((2, 3, 4, 5))}
    canonical = numbers(*packing.shape({"a": (2, 3, 4, 5)}))
    packing.write(canonical, native)
    assert np.array_equal(packing.read(native), canonical)
