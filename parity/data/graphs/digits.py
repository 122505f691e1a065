"""scikit-learn's handwritten digits as graphs: their bright pixels, each with its nearest neighbours."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from parity.data.arguments import require_package
from parity.data.batch import Batch
from parity.data.digits import SIDE, TEST, WHITE
from parity.data.images import Split, hold_out

SPLITS = ("train", "test")
CLASSES = 10
FEATURES = 3
NEIGHBOURS = 4
"""Bright pixels that each one hears, the nearest in the image; ours."""
THRESHOLD = 4
"""The darkest value, of 0 to 16, of a pixel that is a node; ours."""


def digit_graphs(split: str) -> Batch:
    """The graphs of a split: 1,437 to train, 360 for the test, those whose images are the test of `digits`.

    A node is a bright pixel. Its features are its value from 0 to 1 and its row and column from -1 to 1; it hears the
    nearest other bright pixels, of equally near ones those that come first row by row.

    Args:
        split: "train" or "test".

    Returns:
        Inputs float32 (graphs, N, 3 + 4): features, and the numbers of the nodes that are heard, counted row by row. N
        is the most that a graph of either split has; -1 fills up the numbers of what is missing. Labels are int64
        (graphs,).
    """
    train, test = _parted()
    return {"train": train, "test": test}[split]


@cache
def _parted() -> tuple[Batch, Batch]:
    require_package("sklearn", "the data set digit-graphs")
    from sklearn import datasets

    bunch = datasets.load_digits()
    whole = Split(bunch.images.astype(np.uint8)[..., None], bunch.target.astype(np.int64))
    parts = hold_out(whole, TEST)
    most = int((whole.images >= THRESHOLD).sum(axis=(1, 2, 3)).max())
    train, test = (Batch(np.stack([graph(image[..., 0], most) for image in p.images]), p.labels) for p in parts)
    return train, test


def graph(image: NDArray[np.uint8], most: int) -> NDArray[np.float32]:
    """The graph of one image (8, 8), filled up to `most` nodes: float32 (most, 3 + 4)."""
    places = np.argwhere(image >= THRESHOLD)
    filled = np.full((most, FEATURES + NEIGHBOURS), -1.0, np.float32)
    filled[:, :FEATURES] = 0.0
    count = len(places)
    filled[:count, 0] = image[tuple(places.T)] / WHITE
    filled[:count, 1:FEATURES] = places / ((SIDE - 1) / 2) - 1
    distances = ((places[:, None] - places[None]) ** 2).sum(axis=-1).astype(np.float64)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, : min(NEIGHBOURS, count - 1)]
    filled[:count, FEATURES : FEATURES + nearest.shape[1]] = nearest
    return filled
