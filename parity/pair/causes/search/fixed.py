"""A side of which only the numbers are known."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from numpy.typing import NDArray

from parity.interface.programs.operations import Values
from parity.interface.programs.program import Program


class FixedProgram(Program):
    """A program of no operations, whose value 0 is an array."""

    def __init__(self, array: NDArray) -> None:
        super().__init__([], {0: ("constant", "")}, [], Values({"": 0}, {}))
        self._array = array

    def running(self) -> AbstractContextManager[None]:
        """Nothing is set."""
        return nullcontext()

    def run_one(self, number: int, operands: Sequence[Any], settings: Mapping[str, Any]) -> Sequence[Any]:
        """There is no operation."""
        raise AssertionError("a fixed array has no operations")

    def given_array(self, value: int) -> NDArray:
        """The array."""
        return self._array

    def as_numpy(self, array: NDArray) -> NDArray:
        """Give the array as it is."""
        return array

    def as_native(self, array: NDArray) -> NDArray:
        """Give the array as it is."""
        return array
