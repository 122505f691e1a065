import numpy as np
import pytest

from parity.data.points import POINTS
from parity.errors import UsageError


@pytest.mark.parametrize("name", POINTS)
def test_a_thousand_points_of_two_equal_classes(name):
    inputs, labels = POINTS[name](0)
    assert inputs.shape == (1000, 2) and inputs.dtype == np.float32
    assert labels.dtype == np.int64 and np.bincount(labels).tolist() == [500, 500]


@pytest.mark.parametrize("name", POINTS)
def test_the_seed_decides_everything(name):
    first, again, other = POINTS[name](3), POINTS[name](3), POINTS[name](4)
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("seed", [-1, 2**32, 0.5])
def test_a_bad_seed_is_refused(name, seed):
    with pytest.raises(UsageError, match=r"seed is .*; give an integer from 0 to 4294967295"):
        POINTS[name](seed)


def test_the_classes_are_where_they_should_be():
    inputs, labels = POINTS["circles"](0)
    radius = np.hypot(*inputs.T)
    assert radius[labels == 0].mean() > 1.5 * radius[labels == 1].mean()
    inputs, labels = POINTS["blobs"](0)
    assert np.array_equal(np.sign(inputs[labels == 1].mean(0)), [1, 1])
    inputs, labels = POINTS["moons"](0)
    assert inputs[labels == 0, 1].mean() > inputs[labels == 1, 1].mean()
