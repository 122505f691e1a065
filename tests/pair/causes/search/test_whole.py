"""Arithmetic that wraps around is told as that, and a setting that must be finite is not said to be infinite."""

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.pair.causes.search.families.candidates import candidates
from parity.pair.causes.search.search import search
from tests.pair.causes.search.toy import Step, Toy, piece

BYTES = np.random.default_rng(0).integers(0, 256, (4, 5)).astype(np.uint8)
OTHERS = BYTES[::-1] ^ np.uint8(99)


def plus(x: NDArray, number: int) -> NDArray:
    return np.asarray(x + np.asarray(number, x.dtype))


def minus_first(x: NDArray) -> NDArray:
    return np.asarray(x - x[:1])


def wide(x: NDArray) -> NDArray:
    return x.astype(np.float64)


CAST: Step = ("convert", wide, (0,), {})
STEPS: dict[str, tuple[Step, Step]] = {
    "add": (("add", plus, (1,), {"number": 100}), ("add", plus, (0,), {"number": 100})),
    "differ": (("differ", minus_first, (1,), {}), ("differ", minus_first, (0,), {})),
}
"""Name of an operation → it after a cast, and before one."""


@pytest.mark.parametrize("name", STEPS)
def test_whole_numbers_that_wrap_around_are_told(name: str) -> None:
    after, before = STEPS[name]

    def made(x: NDArray) -> tuple[Toy, Toy]:
        return Toy([x], CAST, after), Toy([x], before, ("convert", wide, (1,), {}))

    cause = search(piece(*made(BYTES)), lambda: [piece(*made(OTHERS))])
    assert cause is not None and cause.hypothesis.text == (
        f"PyTorch computes {name} in uint8, which wraps around below 0 and above 255, and Flax does not"
    )


def test_a_share_is_never_said_to_be_infinite() -> None:
    pool = [float("-inf"), 0.5]
    assert not any(np.isinf(wanted) for wanted in candidates("label_smoothing", 0.1, pool))
    assert float("-inf") in candidates("value", 0.0, pool)
