"""One pass of a network, operation by operation: what may be computed again with something in it changed."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Self

from numpy.typing import NDArray

from parity.interface.programs.operations import (
    Alias,
    Edit,
    Function,
    Kind,
    Operation,
    Setting,
    Values,
    ValuesOfCall,
)
from parity.interface.programs.places import Places

Linear = Callable[[Sequence[Any]], Sequence[Any]]
"""Of a gradient for each result, None where there is none: one for each operand, None where there is none."""


@dataclass(frozen=True)
class Pull:
    """How gradients go back through an operation.

    Args:
        operands, results: the numbers of the values that it takes and gives.
        number: the operation; the first of several that go back together.
        last: the last of them; `number` for a single one.
        back: what the user's program does.
        otherwise: what is done where `kind` says that the user's program does it in a way of its own.
        kind: "" for the operation's own derivative; "stopped", "not recorded" (under no_grad), or "custom" for a
            backward pass that the user has written.
        name: what the user calls it, where it has a name of its own.
    """

    operands: tuple[int, ...]
    results: tuple[int, ...]
    number: int
    last: int
    back: Linear
    otherwise: Linear
    kind: str = ""
    name: str = ""


class Program(ABC):
    """The operations of one pass in float64, which can be computed again.

    Args:
        operations: all operations, in the order in which they ran.
        origins: number of a value that no operation gives → what kind it is, and its name.
        calls: the calls of modules, in the order of `PassResult.calls`.
        named: the values that have a name.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        origins: Mapping[int, tuple[Kind, str]],
        calls: Sequence[ValuesOfCall],
        named: Values,
    ) -> None:
        self.origins, self.calls, self.named = dict(origins), list(calls), named
        self.operations: list[Operation] = []
        self.maker: dict[int, int] = {}
        self.takers: dict[int, list[int]] = {}
        for each in operations:
            self.add(each)
        self._fixed: dict[int, Any] = {}
        self._kept: dict[int, Any] = {}
        self._undone: tuple[Edit, ...] = ()

    def add(self, operation: Operation) -> int:
        """Append an operation; its number."""
        number = len(self.operations)
        self.operations.append(operation)
        self.maker.update(dict.fromkeys(operation.results, number))
        for value in operation.operands:
            self.takers.setdefault(value, []).append(number)
        self.__dict__.pop("places", None)
        return number

    @cached_property
    def places(self) -> Places:
        """The operations by the lines that ask for them."""
        return Places(self.operations)

    @abstractmethod
    def running(self) -> AbstractContextManager[None]:
        """The framework's settings in which operations run."""

    @abstractmethod
    def run_one(self, number: int, operands: Sequence[Any], settings: Mapping[str, Any]) -> Sequence[Any]:
        """What one operation gives in the framework's arrays.

        Args:
            number: the operation.
            operands: the framework's arrays.
            settings: those that are other ones, by name.
        """

    def pull(self, number: int) -> "Pull":
        """How gradients go back through an operation, with the numbers that it was recorded with."""
        raise NotImplementedError(f"{type(self).__name__} has no derivatives")

    def native(self, values: Sequence[int]) -> list[Any]:
        """Values in the framework's arrays."""
        with self.running():
            return _Run(self, ()).values(values)

    @abstractmethod
    def given_array(self, value: int) -> Any:
        """The framework's array of a value that no operation gives."""

    @abstractmethod
    def as_numpy(self, array: Any) -> NDArray:
        """The framework's array in NumPy."""

    @abstractmethod
    def as_native(self, array: NDArray) -> Any:
        """NumPy's array in the framework's."""

    def start_from(self, values: Mapping[int, NDArray]) -> None:
        """From now on, these values are what they are given as, whatever would make them."""
        with self.running():
            self._fixed = {number: self.as_native(array) for number, array in values.items()}
        self._kept = {}

    def starting_from(self, values: Sequence[int]) -> Self:
        """The same program, which starts from these values too, as they are now."""
        program = copy.copy(self)
        program._fixed, program._kept = {**self._fixed, **dict(zip(values, self.native(values), strict=True))}, {}
        return program

    def undone(self, edits: Sequence[Edit]) -> Self:
        """The same program with these edits made for good; values that it starts from are left as they are given."""
        program = copy.copy(self)
        program._undone, program._kept = (*self._undone, *edits), {}
        return program

    def needed(self, wanted: Sequence[int]) -> list[int]:
        """The operations that make these values of what the program starts from, in order."""
        needed, open_ = set[int](), list(wanted)
        aliases = {edit.value: edit.other for edit in self._lasting() if isinstance(edit, Alias)}
        while open_:
            value = open_.pop()
            value = aliases.get(value, value)
            maker = None if value in self._fixed else self.maker.get(value)
            if maker is not None and maker not in needed:
                needed.add(maker)
                open_ += self.operations[maker].operands
        return sorted(needed)

    def compute(self, wanted: Sequence[int], edits: Sequence[Edit] = ()) -> list[NDArray]:
        """Values in NumPy, with edits made.

        Raises:
            Exception: whatever the framework raises where an edit makes no sense.
        """
        with self.running():
            return [self.as_numpy(array) for array in _Run(self, edits).values(wanted)]

    def attempt(self, wanted: Sequence[int], edits: Sequence[Edit]) -> tuple[list[NDArray], dict[int, NDArray]]:
        """Values in NumPy with edits made, and by number all values that are computed anew for them.

        Raises:
            Exception: whatever the framework raises where an edit makes no sense.
        """
        with self.running():
            run = _Run(self, edits)
            arrays = [self.as_numpy(array) for array in run.values(wanted)]
            return arrays, {value: self.as_numpy(array) for value, array in run.made.items()}

    def _lasting(self) -> list[Edit]:
        """The edits that are made for good, but for those of values that it starts from."""
        return [edit for edit in self._undone if isinstance(edit, Setting) or edit.value not in self._fixed]


class _Run:
    """One computation of a program with edits."""

    def __init__(self, program: Program, edits: Sequence[Edit]) -> None:
        self.program = program
        self.settings: dict[int, dict[str, Any]] = {}
        self.aliases: dict[int, int] = {}
        self.changes: dict[int, tuple[Function, ...]] = {}
        for edit in (*program._lasting(), *edits):
            if isinstance(edit, Setting):
                self.settings.setdefault(edit.operation, {})[edit.name] = edit.value
            elif isinstance(edit, Alias):
                self.aliases[edit.value] = edit.other
            else:
                self.changes[edit.value] = (*self.changes.get(edit.value, ()), edit.function)
        self.touched = self._touched(edits) if edits else set[int]()
        self.made: dict[int, Any] = {}

    def _touched(self, edits: Sequence[Edit]) -> set[int]:
        """The values that are other ones through the edits: those edited, and all that is made of them."""
        program, fixed = self.program, self.program._fixed
        touched = {edit.value for edit in edits if not isinstance(edit, Setting)}
        edited = {edit.operation for edit in edits if isinstance(edit, Setting)}
        touched |= {value for number in edited for value in program.operations[number].results if value not in fixed}
        instead = dict[int, list[int]]()
        for value, other in self.aliases.items():
            instead.setdefault(other, []).append(value)
        open_ = list(touched)
        while open_:
            value = open_.pop()
            for number in {
                taker for each in (value, *instead.get(value, ())) for taker in program.takers.get(each, ())
            }:
                reached = [each for each in program.operations[number].results if each not in fixed]
                open_ += [each for each in reached if each not in touched]
                touched.update(reached)
        return touched

    def values(self, wanted: Sequence[int]) -> list[Any]:
        for value in wanted:
            self._make(value)
        return [self._of(value) for value in wanted]

    def _of(self, value: int) -> Any:
        value = self.aliases.get(value, value)
        return self.made[value] if value in self.made else self.program._kept[value]

    def _has(self, value: int) -> bool:
        return value in self.made or (value not in self.touched and value in self.program._kept)

    def _make(self, wanted: int) -> None:
        """Make a value and all that it takes, without recursion.

        Raises:
            RecursionError: an alias lets a value take itself.
            ValueError: an edit makes a value far larger than it was.
        """
        open_, waiting = [wanted], set[int]()
        while open_:
            value = self.aliases.get(open_[-1], open_[-1])
            if self._has(value):
                open_.pop()
                continue
            maker = None if value in self.program._fixed else self.program.maker.get(value)
            if maker is None:
                fixed = self.program._fixed
                self._keep(value, fixed[value] if value in fixed else self.program.given_array(value))
                continue
            operands = self.program.operations[maker].operands
            missing = [each for each in operands if not self._has(self.aliases.get(each, each))]
            if missing:
                if value in waiting:
                    raise RecursionError("a value takes itself")
                waiting.add(value)
                open_ += missing
                continue
            settings = self.settings.get(maker, {})
            results = self.program.run_one(maker, [self._of(each) for each in operands], settings)
            for result, array in zip(self.program.operations[maker].results, results, strict=True):
                if result not in self.program._fixed and not self._has(result):
                    self._keep(result, array)

    def _keep(self, value: int, array: Any) -> None:
        for function in self.changes.get(value, ()):
            array = self.program.as_native(function(self.program.as_numpy(array)))
        if value not in self.touched:
            self.program._kept[value] = array
            return
        if value in self.program._kept and prod(array.shape) > GROWTH * max(prod(self.program._kept[value].shape), 1):
            raise ValueError(f"an edit makes a value of shape {tuple(array.shape)} of one that is far smaller")
        self.made[value] = array


GROWTH = 64
"""A value that is so many times larger than it was before an edit takes memory, and comes of no mistake that people
make: a base of 10,000 in the place of a length, for example."""
