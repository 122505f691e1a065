"""Two and three causes in one piece are found together, each proven to be needed; what is none is not listed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from parity.checks.referee import AGREED
from parity.pair.causes.search.piece import same
from parity.pair.causes.search.search import Cause
from parity.pair.causes.search.several.narrow import narrowed
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
    assert len({cause.hypothesis.side for cause in causes}) == 1  # that side becomes the other as its user wrote it


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


def test_numbers_beside_a_mask_are_compared_by_themselves() -> None:
    masked = np.where(X > 0.5, X, -1e9)
    assert same(masked, masked * (1 + 1e-15)) and not same(masked, np.where(X > 0.5, X + 1e-3, -1e9))


def test_a_piece_is_cut_down_to_what_is_after_all_that_agrees() -> None:
    steps = weights(-1, 3.0, 0.25)
    both = piece(Toy([X], *steps), Toy([X], *weights(-1, 3.0, 0.75)))
    small = narrowed(both)
    assert small is not None and [len(half.numbers) for half in (small.flax, small.torch)] == [2, 2]
    assert small.gap == both.gap


def test_numbers_in_another_order_are_not_cut_off() -> None:
    def swapped(x: NDArray) -> NDArray:
        return np.concatenate(np.split(x, 2, -1)[::-1], -1)

    flax: list[Step] = [TANH, ("swap", swapped, (1,), {}), ("a", np.sin, (2,), {}), ("b", np.cumsum, (3,), {})]
    torch: list[Step] = [TANH, ("keep", np.copy, (1,), {}), ("a", np.sin, (2,), {}), ("b", np.cumsum, (3,), {})]
    small = narrowed(piece(Toy([X], *flax), Toy([X], *torch)))
    assert small is None or len(small.flax.numbers) == 3  # the swap is among them
