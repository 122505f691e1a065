"""A softmax on the other side of a top-k, and a mean over all steps where only some are there, are told as these."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.pair.causes.search.search import search
from tests.pair.causes.search.toy import Step, Toy, X, divided, piece, softmax

OTHER = np.random.default_rng(1).standard_normal(X.shape)
THERE = np.array([[1.0, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]])


def largest(x: NDArray) -> NDArray:
    return np.sort(x, -1)[..., ::-1][..., :2]


def summed(x: NDArray, mask: NDArray) -> NDArray:
    return np.asarray((x * mask[..., None]).sum(1))


def counted(mask: NDArray) -> NDArray:
    return np.asarray(mask.sum(1, keepdims=True))


SOFTMAX = ("softmax", softmax, (0,), {"axis": -1})
TOPK: Sequence[Step] = [("topk", largest, (0,), {}), ("softmax", softmax, (1,), {"axis": -1})]
BEFORE: Sequence[Step] = [SOFTMAX, ("topk", largest, (1,), {})]
OVER_ALL: Sequence[Step] = [("sum", summed, (0, 1), {}), ("div", divided, (2,), {"other": 4.0})]
OVER_SOME: Sequence[Step] = [("sum", summed, (0, 1), {}), ("count", counted, (1,), {}), ("div", np.divide, (2, 3), {})]


@pytest.mark.parametrize(
    ("flax", "torch", "inputs", "says"),
    [
        (BEFORE, TOPK, [], "PyTorch applies softmax after topk, and Flax before it"),
        (TOPK, BEFORE, [], "Flax applies softmax after topk, and PyTorch before it"),
        (OVER_SOME, OVER_ALL, [THERE], "PyTorch divides by 4, the length of an axis, and Flax by a count"),
        (OVER_ALL, OVER_SOME, [THERE], "Flax divides by 4, the length of an axis, and PyTorch by a count"),
    ],
)
def test_what_stands_elsewhere_or_is_counted_otherwise_is_told(
    flax: Sequence[Step], torch: Sequence[Step], inputs: Sequence[NDArray], says: str
) -> None:
    first, second = (
        piece(Toy([x, *inputs], *flax, place="flax.py"), Toy([x, *inputs], *torch, place="torch.py"))
        for x in (X, OTHER)
    )
    cause = search(first, lambda: [second])
    assert cause is not None and cause.hypothesis.text.startswith(says)
