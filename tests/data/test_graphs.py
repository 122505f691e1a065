"""Digits as graphs of their bright pixels."""

import numpy as np
import pytest

from parity.data import open_stream
from parity.data.graphs.digits import FEATURES, NEIGHBOURS, THRESHOLD, digit_graphs, graph
from parity.errors import UsageError


def test_splits_are_those_of_the_digits_and_hold_every_bright_pixel() -> None:
    from sklearn.datasets import load_digits

    train, test = digit_graphs("train"), digit_graphs("test")
    assert len(train.labels) == 1437 and np.array_equal(test.labels, _test_labels())
    nodes = sum(int((batch.inputs[..., FEATURES] >= 0).sum()) for batch in (train, test))
    assert nodes == (load_digits().images >= THRESHOLD).sum()
    assert train.inputs.shape[1:] == test.inputs.shape[1:] and train.inputs.dtype == np.float32


def _test_labels() -> np.ndarray:
    return np.concatenate(
        [batch.labels for batch in open_stream("digits", split="test", batch_size=500, seed=0).passes()]
    )


def test_a_pixel_hears_its_nearest_ones() -> None:
    image = np.zeros((8, 8), np.uint8)
    image[0, 0], image[0, 1], image[0, 3], image[7, 7], image[1, 0], image[2, 0] = 16, 8, 8, 4, 8, 3
    found = graph(image, 7)
    assert found.shape == (7, FEATURES + NEIGHBOURS)
    assert found[0].tolist() == [1.0, -1.0, -1.0, 1, 3, 2, 4]  # (0, 1), (1, 0), (0, 3), (7, 7)
    assert found[4, :FEATURES].tolist() == [0.25, 1.0, 1.0]
    assert (found[5:, :FEATURES] == 0).all() and (found[5:, FEATURES:] == -1).all()


def test_fewer_pixels_than_neighbours_leave_numbers_that_are_none() -> None:
    image = np.zeros((8, 8), np.uint8)
    image[2, 2] = image[5, 5] = 9
    assert graph(image, 2)[:, FEATURES:].tolist() == [[1, -1, -1, -1], [0, -1, -1, -1]]


def test_a_split_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown split of graphs 'validation'"):
        open_stream("digit-graphs", split="validation", batch_size=1, seed=0)
