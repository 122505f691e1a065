"""Programs of NumPy's functions, whose operations can be edited as a framework's."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Operation, Values
from parity.interface.programs.program import Program
from parity.pair.causes.search.piece import Half, Piece

Step = tuple[str, Callable[..., NDArray], tuple[int, ...], Mapping[str, Any]]
"""Name, function, numbers of the operands (inputs first, then what the steps give), and settings."""
X = np.random.default_rng(0).standard_normal((3, 4, 6))


class Toy(Program):
    """Steps on inputs; the last step's value is the target."""

    def __init__(self, inputs: Sequence[NDArray], *steps: Step, place: str = "toy.py") -> None:
        self._inputs, self._steps = list(inputs), list(steps)
        first = len(self._inputs)
        operations = [
            Operation(name, f"{place}:{number + 1}", operands, (first + number,), settings)
            for number, (name, _, operands, settings) in enumerate(steps)
        ]
        super().__init__(operations, {n: ("input", f"[{n}]") for n in range(first)}, [], Values({}, {}))

    def running(self) -> AbstractContextManager[None]:
        return nullcontext()

    def run_one(self, number: int, operands: Sequence[Any], settings: Mapping[str, Any]) -> Sequence[Any]:
        _, function, _, own = self._steps[number]
        return [np.asarray(function(*operands, **{**own, **settings}))]

    def given_array(self, value: int) -> NDArray:
        return self._inputs[value]

    def as_numpy(self, array: Any) -> NDArray:
        return np.asarray(array)

    def as_native(self, array: NDArray) -> Any:
        return array

    @property
    def last(self) -> int:
        return len(self._inputs) + len(self._steps) - 1


def piece(flax: Toy, torch: Toy) -> Piece:
    return Piece(Half(flax, flax.last), Half(torch, torch.last), [lambda array: array])


def softmax(x: NDArray, axis: int) -> NDArray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def times(x: NDArray, number: float) -> NDArray:
    return x * number


def plus(x: NDArray, number: float) -> NDArray:
    return x + number


def divided(x: NDArray, other: float) -> NDArray:
    return x / other


TANH: Step = ("tanh", np.tanh, (0,), {})
