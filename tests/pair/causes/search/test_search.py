"""The search finds what is planted, says nothing else, and is not taken in by what fits once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from parity.checks.referee import AGREED
from parity.interface.programs.operations import Alias, Change, Edit, Setting
from parity.pair.causes.search import effort
from parity.pair.causes.search.operation import parting
from parity.pair.causes.search.search import Cause, search
from tests.pair.causes.search.toy import TANH, Step, Toy, X, divided, piece, plus, softmax, times

OTHER = np.random.default_rng(1).standard_normal(X.shape)
SQUARE: Step = ("square", np.square, (1,), {})


def found(flax: Sequence[Step], torch: Sequence[Step], inputs: int = 1) -> Cause | None:
    """The cause that the search finds, confirmed with other numbers."""

    def made(x: NDArray) -> Any:
        every = [x, *(np.cos(x + n) for n in range(1, inputs))]
        return piece(Toy(every, *flax, place="flax.py"), Toy(every, *torch, place="torch.py"))

    return search(made(X), lambda: [made(OTHER)])


def roll(x: NDArray) -> NDArray:
    return np.roll(x, 1, -1)


def swap(x: NDArray) -> NDArray:
    return np.concatenate(np.split(x, 2, -1)[::-1], -1)


def masked_mean(x: NDArray, mask: NDArray) -> NDArray:
    return np.asarray((x * mask).sum((0, 1)) / mask.sum((0, 1)))


def deal(x: NDArray) -> NDArray:
    return np.concatenate([x[..., ::2], x[..., 1::2]], -1)


def gelu(x: NDArray) -> NDArray:
    return x * special.ndtr(x)


def silu(x: NDArray) -> NDArray:
    return x * special.expit(x)


@pytest.mark.parametrize(
    ("flax", "torch", "says"),
    [
        ([("softmax", softmax, (0,), {"axis": -1})], [("softmax", softmax, (0,), {"axis": -2})], "axis is -2; with -1"),
        ([TANH, ("mul", times, (1,), {"number": 0.3})], [TANH, ("mul", times, (1,), {"number": 3.0})], "3; with 0.3"),
        ([TANH, SQUARE], [TANH, SQUARE, ("mul", times, (2,), {"number": 0.7})], "PyTorch multiplies with 0.7"),
        ([("gelu", gelu, (0,), {}), SQUARE], [("silu", silu, (0,), {}), SQUARE], "GELU (exact), PyTorch applies SiLU"),
        ([TANH, SQUARE], [TANH], "Flax applies square, and PyTorch does not"),
        ([TANH, ("roll", roll, (1,), {}), ("exp", np.exp, (2,), {})], [TANH, ("exp", np.exp, (1,), {})], "roll"),
        ([("swap", swap, (0,), {}), ("t", np.cumsum, (1,), {})], [("t", np.cumsum, (0,), {})], "swap"),
    ],
)  # fmt: skip
def test_what_is_planted_is_found_and_proven(flax: list[Step], torch: list[Step], says: str) -> None:
    cause = found(flax, torch)
    assert cause is not None and says in cause.hypothesis.text
    assert cause.before > 1e-3 and cause.after <= AGREED


def smoothed(x: NDArray, share: float = 0.15) -> NDArray:
    return np.asarray((1 - share) * x + share * x.mean(-1, keepdims=True))


def power(x: NDArray, exponent: float = 1.7) -> NDArray:
    return np.asarray(np.abs(x) ** exponent)


@pytest.mark.parametrize(
    ("function", "setting", "says"),
    [(smoothed, {"share": 0.1}, "share is 0.1; with 0.15 it"), (power, {"exponent": 2.0}, "is 2; with 1.7 it")],
)
def test_a_number_that_the_other_side_does_not_write_is_found_by_its_effect(
    function: Callable[..., NDArray], setting: dict[str, float], says: str
) -> None:
    cause = found([TANH, ("f", function, (1,), {})], [TANH, ("f", function, (1,), setting)])
    assert cause is not None and says in cause.hypothesis.text


def test_an_order_inside_one_operation_is_found() -> None:
    def ours(x: NDArray) -> NDArray:
        return np.cumsum(deal(x), -1)

    cause = found([TANH, ("scan", ours, (1,), {})], [TANH, ("scan", lambda x: np.cumsum(x, -1), (1,), {})])
    assert cause is not None and "0, 2, 4, 1, 3, 5: interleaved" in cause.hypothesis.text


def test_values_that_are_taken_for_one_another_are_found() -> None:
    def product(x: NDArray, y: NDArray) -> NDArray:
        return x * np.exp(y)

    cause = found([("mix", product, (0, 1), {})], [("mix", product, (1, 1), {})], inputs=2)
    assert (
        cause is not None
        and cause.hypothesis.text == "Flax's mix takes the input [0]; with the input [1] it is PyTorch's"
    )


def test_a_rotation_by_the_opposite_angle_is_found() -> None:
    """The sine itself is what it should be: others may take it."""

    def turned(first: str, second: str) -> list[Step]:
        signs: dict[str, Callable[..., NDArray]] = {"sub": np.subtract, "add": np.add}
        products: list[Step] = [("mul", np.multiply, pair, {}) for pair in ((0, 2), (1, 3), (1, 2), (0, 3))]
        sums: list[Step] = [(first, signs[first], (4, 5), {}), (second, signs[second], (6, 7), {})]
        return [*products, *sums, ("cat", lambda a, b: np.concatenate([a, b], -1), (8, 9), {})]

    cause = found(turned("sub", "add"), turned("add", "sub"), inputs=4)
    assert cause is not None
    assert cause.hypothesis.text == "PyTorch turns pairs of numbers by the opposite angle of Flax's"
    assert cause.piece is not None and len(cause.hypothesis.edits(cause.piece)) == 2


def test_a_mask_of_one_side_is_found() -> None:
    steps: list[Step] = [
        ("ge", lambda x: x > 0, (0,), {}),
        ("mean", masked_mean, (0, 1), {}),
        ("exp", np.exp, (2,), {}),
    ]
    cause = found([("ge", lambda x: np.ones(x.shape, bool), (0,), {}), *steps[1:]], steps)
    assert cause is not None and "PyTorch's mask, what ge gives at torch.py:1" in cause.hypothesis.text


def test_what_no_edit_explains_has_no_cause() -> None:
    def other(x: NDArray, y: NDArray) -> NDArray:
        return special.j0(x * y)

    flax: list[Step] = [TANH, ("sin", np.sin, (1,), {}), ("mix", lambda x, y: x / y, (1, 2), {})]
    torch: list[Step] = [TANH, ("cos", np.cos, (1,), {}), ("mix", other, (1, 2), {})]
    assert found(flax, torch) is None


def test_another_operation_on_the_same_numbers_is_named() -> None:
    cause = found([TANH, ("sin", np.sin, (1,), {})], [TANH, ("bessel", special.j0, (1,), {})])
    assert cause is not None
    assert cause.hypothesis.text == "Flax applies sin at flax.py:2 where PyTorch applies bessel"


def test_what_fits_these_numbers_and_no_others_is_no_cause() -> None:
    """By 3 in the place of 2 gives Flax's sum for X, and for nothing else."""
    total = float(np.square(X).sum())

    def planted(x: NDArray) -> NDArray:
        return np.asarray(3.0 * total if x is X else 5.0 * np.square(x).sum() + 1)

    flax: list[Step] = [("mystery", planted, (0,), {})]
    torch: list[Step] = [("sum", lambda x: np.square(x).sum(), (0,), {}), ("mul", times, (1,), {"number": 2.0})]
    twin = piece(Toy([X], *flax), Toy([X], *torch))
    other = piece(Toy([OTHER], *flax), Toy([OTHER], *torch))
    alone = search(twin, lambda: [])
    assert alone is not None and "3" in alone.hypothesis.text  # it is a decoy that fits
    assert search(twin, lambda: [other]) is None


def test_a_number_that_the_difference_has_spoilt_is_not_borrowed() -> None:
    """Flax's sum could be handed to PyTorch's side, and would explain anything."""

    def last(x: NDArray) -> NDArray:
        return x * 2

    flax: list[Step] = [("sum", lambda x: np.sin(x).sum(), (0,), {}), ("twice", last, (1,), {})]
    torch: list[Step] = [("sum", lambda x: special.j0(x).sum(), (0,), {}), ("twice", last, (1,), {})]
    assert found(flax, torch) is None


def test_the_operation_at_which_two_programs_part_is_found() -> None:
    flax: list[Step] = [TANH, ("sin", np.sin, (1,), {}), ("mul", times, (2,), {"number": 3.0})]
    torch: list[Step] = [TANH, ("j0", special.j0, (1,), {}), ("a", times, (2,), {"number": 1.5}),
                         ("b", times, (3,), {"number": 2.0})]  # fmt: skip
    both = piece(Toy([X], *flax), Toy([X], *torch))
    place = parting(both)
    assert place is not None
    assert (both.flax.program.operations[place.flax].name, both.torch.program.operations[place.torch].name) == (
        "sin",
        "j0",
    )


def test_edits_change_what_comes_after_them_and_nothing_else() -> None:
    toy = Toy([X], TANH, ("add", plus, (1,), {"number": 1.0}), ("div", divided, (2,), {"other": 4.0}))
    plain = (np.tanh(X) + 1) / 4
    cases: list[tuple[list[Edit], NDArray]] = [
        ([], plain),
        ([Setting(1, "number", 2.0)], (np.tanh(X) + 2) / 4),
        ([Alias(2, 1)], np.tanh(X) / 4),
        ([Change(1, np.negative), Setting(2, "other", 2.0)], (1 - np.tanh(X)) / 2),
        ([Change(3, np.abs)], np.abs(plain)),
        ([], plain),
    ]
    for edits, wanted in cases:
        assert np.allclose(toy.compute([toy.last], edits)[0], wanted, rtol=1e-15)
    with pytest.raises(RecursionError):
        toy.compute([toy.last], [Alias(1, 3)])


def test_an_edit_that_makes_arrays_far_larger_is_none() -> None:
    def table(x: NDArray, number: int) -> NDArray:
        return np.zeros((number, number))

    toy = Toy([X], ("arange", table, (0,), {"number": 5}))
    assert toy.compute([toy.last])[0].shape == (5, 5)
    assert toy.compute([toy.last], [Setting(0, "number", 8)])[0].shape == (8, 8)
    with pytest.raises(ValueError, match="far smaller"):
        toy.compute([toy.last], [Setting(0, "number", 500)])


def test_steps_of_a_loop_are_edited_together() -> None:
    body = [("mul", times, (n,), {"number": 2.0}) for n in range(4)]
    toy = Toy([X], *body)
    for number, each in enumerate(toy.operations):
        toy.operations[number] = type(each)(each.name, "loop.py:1", each.operands, each.results, each.settings)
    assert toy.places.alike(1) == [0, 1, 2, 3]


@pytest.mark.parametrize("axis", [0, -1])
def test_the_smallest_taken_for_the_largest_is_named(axis: int) -> None:
    def largest(x: NDArray) -> NDArray:
        return np.asarray(x.argmax(axis))

    def smallest(x: NDArray) -> NDArray:
        return np.asarray(x.argmin(axis))

    cause = found([TANH, ("argmax", largest, (1,), {})], [TANH, ("argmin", smallest, (1,), {})])
    assert cause is not None and cause.hypothesis.text == "PyTorch takes argmin, Flax argmax"


def test_an_ignored_mask_is_said_of_the_side_that_ignores_it() -> None:
    def filled(x: NDArray, mask: NDArray) -> NDArray:
        return np.where(mask, -1e9, x)

    mask: Step = ("ge", lambda x: x > 0.3, (0,), {})
    cause = found(
        [mask, TANH, ("softmax", softmax, (2,), {"axis": -1})],
        [mask, TANH, ("masked_fill", filled, (2, 1), {}), ("softmax", softmax, (3,), {"axis": -1})],
    )
    assert cause is not None and "and Flax does not: it ignores that mask" in cause.hypothesis.text
    assert cause.hypothesis.mend == "mask in Flax as PyTorch does at torch.py:3"


def test_the_search_ends_when_its_work_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = [TANH, ("mul", times, (1,), {"number": 0.3})], [TANH, ("mul", times, (1,), {"number": 3.0})]
    with effort.limited():
        assert found(*pair) is not None
    monkeypatch.setattr(effort, "MOST", 1)
    with effort.limited():
        assert found(*pair) is None
    assert found(*pair) is not None
