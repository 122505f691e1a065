"""What is taken along axes, compared, put in another order or taken for something else is named as that."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.interface.programs.circles import goes_round
from parity.interface.programs.operations import Alias, Taken
from parity.pair.causes.search.search import Cause, search
from tests.pair.causes.search.toy import TANH, Step, Toy, X, piece, plus, times

OTHER = np.random.default_rng(1).standard_normal(X.shape)
WIDTH = X.shape[-1]


def found(flax: Sequence[Step], torch: Sequence[Step], *more: NDArray) -> Cause | None:
    """The cause that the search finds, confirmed with other numbers; `more` are further inputs of both."""

    def made(x: NDArray, shift: float) -> Any:
        every = [x, *(array + shift for array in more)]
        return piece(Toy(every, *flax, place="flax.py"), Toy(every, *torch, place="torch.py"))

    return search(made(X, 0.0), lambda: [made(OTHER, 0.25)])


def words(cause: Cause | None) -> str:
    assert cause is not None
    return cause.hypothesis.text


def mean(x: NDArray) -> NDArray:
    return x.mean(-1, keepdims=True)


def norm(x: NDArray) -> NDArray:
    return np.sqrt(np.square(x).sum(-1, keepdims=True))


def where(there: NDArray, x: NDArray) -> NDArray:
    return np.where(there, x, 0.0)


@pytest.mark.parametrize(
    ("flax", "torch", "says"),
    [
        (mean, lambda x: x.max(-1, keepdims=True), "PyTorch takes the largest along axis 2, Flax the mean"),
        (norm, lambda x: np.abs(x).sum(-1, keepdims=True), "the root of the sum of squares (L2 norm)"),
        (lambda x: np.median(x, -1, keepdims=True), mean, "Flax the median"),
    ],
)
def test_another_reduction_is_named(flax: Any, torch: Any, says: str) -> None:
    cause = found([("one", flax, (0,), {}), TANH_OF_1], [("two", torch, (0,), {}), TANH_OF_1])
    assert says in words(cause)


TANH_OF_1: Step = ("tanh", np.tanh, (1,), {})


def test_another_comparison_is_named() -> None:
    def steps(name: str, compare: Any) -> list[Step]:
        whole: Step = ("round", np.round, (0,), {})  # whole numbers, so that some are equal
        return [whole, (name, lambda a, other: compare(a, other), (1,), {"other": 1.0}), ("where", where, (2, 1), {})]

    cause = found(steps("ge", np.greater_equal), steps("gt", np.greater))
    assert words(cause) == "PyTorch compares by > for a mask where Flax does by >="


def test_two_operations_in_another_order_are_named() -> None:
    scale, shift = np.linspace(0.5, 2, WIDTH), np.linspace(-1, 1, WIDTH)
    flax: list[Step] = [("mul", np.multiply, (0, 1), {}), ("add", np.add, (3, 2), {}), ("tanh", np.tanh, (4,), {})]
    torch: list[Step] = [("add", np.add, (0, 2), {}), ("mul", np.multiply, (3, 1), {}), ("tanh", np.tanh, (4,), {})]
    assert "before it" in words(found(flax, torch, scale, shift))
    flax = [("sqrt", lambda x: np.sqrt(np.abs(x)), (0,), {}), ("add", plus, (1,), {"number": 1e-3})]
    torch = [("add", plus, (0,), {"number": 1e-3}), ("sqrt", lambda x: np.sqrt(np.abs(x)), (1,), {})]
    inverse: list[Step] = [("inverse", lambda x: 1 / x, (2,), {})]
    assert words(found([*flax, *inverse], [*torch, *inverse])) == (
        "PyTorch adds 0.001 before it applies sqrt, and Flax after it"
    )


def test_an_operand_of_one_operation_is_named_where_others_take_what_they_should() -> None:
    def steps(wrong: int) -> list[Step]:
        return [
            ("exp", np.exp, (0,), {}),
            ("sin", np.sin, (0,), {}),
            ("mul", np.multiply, (1, 2), {}),
            ("sub", np.subtract, (3, wrong), {}),
            ("add", np.add, (4, 2), {}),
        ]

    assert words(found(steps(1), steps(2))) in (
        "PyTorch's sub takes what sin gives at torch.py:2; with what exp gives at torch.py:1 it is Flax's",
        "Flax's sub takes what exp gives at flax.py:1; with what sin gives at flax.py:2 it is PyTorch's",
    )


def test_two_values_that_are_taken_for_one_another_are_named() -> None:
    def gated(a: int, b: int) -> list[Step]:
        halves: list[Step] = [
            ("first", lambda x: x[..., :3], (0,), {}),
            ("second", lambda x: x[..., 3:], (0,), {}),
        ]
        return [*halves, ("gate", lambda x, y: x * np.tanh(y) + x * x, (a, b), {})]

    text = words(found(gated(1, 2), gated(2, 1)))
    assert "another order than" in text or "the other way round" in text


def test_operands_that_have_changed_places_are_named() -> None:
    def divergence(a: NDArray, b: NDArray) -> NDArray:
        return np.exp(a) * (a - b)

    flax: list[Step] = [TANH, ("sin", np.sin, (0,), {}), ("kl", divergence, (1, 2), {})]
    torch: list[Step] = [TANH, ("sin", np.sin, (0,), {}), ("kl", divergence, (2, 1), {})]
    assert "takes its operands in another order than" in words(found(flax, torch))


def test_one_setting_of_several_lines_is_named_once() -> None:
    def taken(axes: tuple[int, ...]) -> list[Step]:
        return [
            ("mean", lambda x, dim: x.mean(dim, keepdims=True), (0,), {"dim": axes}),
            ("var", lambda x, dim: x.var(dim, keepdims=True), (0,), {"dim": axes}),
            ("norm", lambda x, m, v: (x - m) / np.sqrt(v + 0.1), (0, 1, 2), {}),
        ]

    text = words(found(taken((2,)), taken((1, 2))))
    assert "mean's dim" in text and "var's dim" in text and "with (2,) they are Flax's" in text


def test_an_array_that_one_side_alone_uses_everywhere_is_named() -> None:
    weight = np.linspace(0.5, 2, WIDTH)
    flax: list[Step] = [("tanh", np.tanh, (0,), {}), ("mul", np.multiply, (2, 1), {}),
                        ("sum", lambda x, w: x / w.sum(), (3, 1), {})]  # fmt: skip
    torch: list[Step] = [("tanh", np.tanh, (0,), {}), ("sum", lambda x: x / WIDTH, (2,), {})]
    assert words(found(flax, torch, weight)).startswith("Flax multiplies with the input [1] wherever it is used")


def test_an_operand_of_fewer_axes_may_stand_for_the_result() -> None:
    column = np.arange(1.0, 5.0)[:, None]
    flax: list[Step] = [("mul", np.multiply, (1, 2), {}), ("all", np.multiply, (0, 3), {})]
    torch: list[Step] = [("all", np.multiply, (0, 1), {})]
    text = words(found(flax, torch, column, np.linspace(1, 2, WIDTH)))
    assert text == "Flax multiplies with the input [2], and PyTorch does not"


def test_a_function_that_the_other_side_does_not_apply_is_not_named() -> None:
    def minus_exp(x: NDArray) -> NDArray:
        return -np.exp(x)

    flax: list[Step] = [("minus exp", minus_exp, (0,), {}), ("exp", np.exp, (1,), {})]
    torch: list[Step] = [("minus exp", minus_exp, (0,), {}), ("add", plus, (1,), {"number": 1.0})]
    assert words(found(flax, torch)) == "Flax applies exp at flax.py:2 where PyTorch applies add"


def test_blocks_in_another_order_are_named() -> None:
    wide = np.random.default_rng(2).standard_normal((3, 12))

    def by_head(x: NDArray) -> NDArray:
        return np.cumsum(x.reshape(3, 3, 2, 2).swapaxes(1, 2).reshape(3, 12), -1)

    flax: list[Step] = [("scan", by_head, (1,), {})]
    torch: list[Step] = [("scan", lambda x: np.cumsum(x, -1), (1,), {})]
    assert "blocks of 2 numbers in the order 0, 3, 1, 4, 2, 5" in words(found(flax, torch, wide)) or (
        "blocks of 2 numbers in the order 0, 2, 4, 1, 3, 5" in words(found(flax, torch, wide))
    )


def test_a_draw_of_one_side_is_named() -> None:
    noise = np.random.default_rng(3).standard_normal(X.shape)
    flax: list[Step] = [
        ("random_bits", lambda: noise, (), {}),
        ("add", np.add, (0, 1), {}),
        ("tanh", np.tanh, (2,), {}),
    ]
    torch: list[Step] = [("tanh", np.tanh, (0,), {})]
    assert words(found(flax, torch)).startswith("Flax draws random numbers")


def test_another_table_is_named() -> None:
    table = np.linspace(0.1, 2, WIDTH)
    flax, torch = Toy([X, table], *WITH_TABLE), Toy([X, 1.5 * table], *WITH_TABLE)
    for toy in (flax, torch):
        toy.origins[1] = ("constant", "")
    text = words(search(piece(flax, torch), lambda: []))
    assert text == "a constant array of PyTorch's is another than Flax's: Flax's numbers are 0.666667 times PyTorch's"


WITH_TABLE: list[Step] = [("sin", lambda x, y: np.sin(x + y), (0, 1), {})]


def test_an_operand_that_was_made_before_the_piece_is_named() -> None:
    def mix(x: NDArray) -> NDArray:
        return np.cos(3 * x) + x

    def steps(taken: int) -> list[Step]:
        return [TANH, ("mix", mix, (1,), {}), ("sin", np.sin, (2,), {}), ("add", np.add, (taken, 3), {})]

    toys = Toy([X], *steps(1), place="flax.py"), Toy([X], *steps(2), place="torch.py")
    for toy in toys:
        toy.start_from(dict(zip((2, 3), toy.compute([2, 3]), strict=True)))
    text = words(search(piece(*toys), lambda: []))
    assert text == "PyTorch's add takes what mix gives at torch.py:2; with what tanh gives at torch.py:1 it is Flax's"


def test_what_would_take_itself_in_the_whole_network_goes_round() -> None:
    toy = Toy([X], TANH, ("mul", times, (1,), {"number": 2.0}), ("mul", times, (2,), {"number": 2.0}))
    assert goes_round(toy, [Alias(1, 3)]) and goes_round(toy, [Taken(0, 0, 2)])
    assert not goes_round(toy, [Alias(3, 1)]) and not goes_round(toy, [Alias(2, 0, np.tanh)])
    toy.start_from({1: X})
    assert goes_round(toy, [Alias(1, 3)])


def test_a_value_may_be_made_of_another() -> None:
    toy = Toy([X], TANH, ("mul", times, (1,), {"number": 2.0}))
    (value,) = toy.compute([2], [Alias(1, 0, np.sin)])
    assert np.allclose(value, 2 * np.sin(X))
    lasting = toy.undone([Alias(1, 0, np.sin)])
    assert np.allclose(lasting.compute([2])[0], 2 * np.sin(X))
    (value,) = toy.compute([2], [Taken(1, 0, 0)])
    assert np.allclose(value, 2 * X)
