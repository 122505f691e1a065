"""Two and three causes in one piece are found together, each proven to be needed; what is none is not listed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from parity.checks.referee import AGREED
from parity.pair.causes.search.search import Cause
from parity.pair.causes.search.several.peel import peel
from tests.pair.causes.search.toy import TANH, Step, Toy, X, piece, plus, softmax, times

OTHER = np.random.default_rng(1).standard_normal(X.shape)


def found(flax: Sequence[Step], torch: Sequence[Step]) -> list[Cause]:
    def made(x: NDArray) -> Any:
        return piece(Toy([x], *flax, place="flax.py"), Toy([x], *torch, place="torch.py"))

    return peel(made(X), lambda: [made(OTHER)])


def weights(axis: int, factor: float, offset: float) -> list[Step]:
    """A softmax, a product and a sum, with something that no family of hypotheses explains between them."""
    return [
        TANH,
        ("softmax", softmax, (1,), {"axis": axis}),
        ("mul", times, (2,), {"number": factor}),
        ("sin", np.sin, (3,), {}),
        ("add", plus, (4,), {"number": offset}),
        ("exp", np.exp, (5,), {}),
    ]


def test_two_causes_of_one_piece_are_found_in_order_and_each_is_needed() -> None:
    causes = found(weights(-1, 3.0, 0.25), weights(-2, 0.3, 0.25))
    assert [cause.hypothesis.text.split(";")[0] for cause in causes] == [
        "PyTorch's softmax's axis is -2",
        "PyTorch's number in mul is 0.3",
    ]
    assert all(cause.after <= AGREED and cause.without is not None and cause.without > 1e-3 for cause in causes)


def test_three_causes_of_one_piece_are_found() -> None:
    torch = weights(-1, 0.3, 0.25)
    moved = [(name, function, (taken[0] + 1,), settings) for name, function, taken, settings in torch[1:]]
    torch = [TANH, ("negative", np.negative, (1,), {}), *moved, ("square", np.square, (len(moved) + 2,), {})]
    causes = found(weights(-1, 3.0, 0.25), torch)
    said = " | ".join(cause.hypothesis.text for cause in causes)
    assert len(causes) == 3 and "-1" in said and "0.3" in said and "square" in said


def test_one_cause_is_one_and_has_nothing_beside_it() -> None:
    (cause,) = found(weights(-1, 3.0, 0.25), weights(-2, 3.0, 0.25))
    assert cause.without is None


def test_a_cause_beside_one_that_is_not_found_is_not_proven() -> None:
    def total(x: NDArray) -> NDArray:
        return np.exp(x).sum(-1)

    def other_total(x: NDArray) -> NDArray:
        return special.j0(x + x[..., :1]).sum(-1) + x[..., 1]

    flax, torch = weights(-1, 3.0, 0.25)[:3], weights(-2, 3.0, 0.25)[:3]
    assert found([*flax, ("total", total, (3,), {})], [*torch, ("total", other_total, (3,), {})]) == []
