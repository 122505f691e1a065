"""One pass of a network, operation by operation: what may be computed again with something in it changed."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import (
    Alias,
    Change,
    Edit,
    Function,
    Kind,
    Operation,
    Returned,
    Setting,
    Taken,
    Values,
    ValuesOfCall,
)
from parity.interface.programs.places import Places
from parity.interface.programs.wiring import Wiring

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

    def whole(self) -> Self:
        """The same program, which starts from what the network is given and from nothing else."""
        program = copy.copy(self)
        program._fixed, program._kept = {}, {}
        return program

    def starting_from(self, values: Sequence[int]) -> Self:
        """The same program, which starts from these values too, as they are now."""
        program = copy.copy(self)
        program._fixed, program._kept = {**self._fixed, **dict(zip(values, self.native(values), strict=True))}, {}
        return program

    def undone(self, edits: Sequence[Edit]) -> Self:
        """The same program with these edits made for good; values that it starts from are left as they are given."""
        program = copy.copy(self)
        inside = [edit for edit in edits if not isinstance(edit, Returned)]
        program._undone, program._kept = (*self._undone, *inside), {}
        named = zip(self.named.results, returned(list(self.named.results.values()), edits), strict=True)
        program.named = replace(self.named, results=dict(named))
        return program

    def needed(self, wanted: Sequence[int]) -> list[int]:
        """The operations that make these values of what the program starts from, in order."""
        needed, made, open_ = set[int](), set[int](), list(wanted)
        wiring = Wiring.of(self.operations, self._lasting())
        while open_:
            value = wiring.standing_for(open_.pop())
            derived = wiring.derived(value)
            if derived is not None:
                open_ += [derived.other] if value not in made else []
                made.add(value)
                continue
            maker = None if value in self._fixed else self.maker.get(value)
            if maker is not None and maker not in needed:
                needed.add(maker)
                open_ += wiring.operands(maker)
        return sorted(needed)

    def compute(self, wanted: Sequence[int], edits: Sequence[Edit] = ()) -> list[NDArray]:
        """Values in NumPy, with edits made.

        Raises:
            Exception: whatever the framework raises where an edit makes no sense.
        """
        with self.running():
            return [self.as_numpy(array) for array in _Run(self, edits).values(returned(wanted, edits))]

    def attempt(self, wanted: Sequence[int], edits: Sequence[Edit]) -> tuple[list[NDArray], dict[int, NDArray]]:
        """Values in NumPy with edits made, and by number all values that are computed anew for them.

        Raises:
            Exception: whatever the framework raises where an edit makes no sense.
        """
        with self.running():
            run = _Run(self, edits)
            arrays = [self.as_numpy(array) for array in run.values(returned(wanted, edits))]
            return arrays, {value: self.as_numpy(array) for value, array in run.made.items()}

    @property
    def lasting(self) -> Sequence[Edit]:
        """All edits that are made for good."""
        return self._undone

    def _lasting(self) -> list[Edit]:
        """The edits that are made for good, but for those of values that it starts from."""
        return [e for e in self._undone if isinstance(e, Setting | Taken) or e.value not in self._fixed]


def returned(values: Sequence[int], edits: Sequence[Edit]) -> list[int]:
    """What is asked for where these values are, with edits of what the network returns made."""
    others = {edit.value: edit.other for edit in edits if isinstance(edit, Returned)}
    return [others.get(value, value) for value in values]


class _Run:
    """One computation of a program with edits."""

    def __init__(self, program: Program, edits: Sequence[Edit]) -> None:
        self.program = program
        self.settings: dict[int, dict[str, Any]] = {}
        self.changes: dict[int, tuple[Function, ...]] = {}
        every = (*program._lasting(), *edits)
        self.wiring = Wiring.of(program.operations, every)
        for edit in every:
            if isinstance(edit, Setting):
                self.settings.setdefault(edit.operation, {})[edit.name] = edit.value
            elif isinstance(edit, Change):
                self.changes[edit.value] = (*self.changes.get(edit.value, ()), edit.function)
        self.touched = self._touched(edits) if edits else set[int]()
        self.made: dict[int, Any] = {}

    def _touched(self, edits: Sequence[Edit]) -> set[int]:
        """The values that are other ones through the edits: those edited, and all that is made of them."""
        program, fixed = self.program, self.program._fixed
        touched = {edit.value for edit in edits if isinstance(edit, Alias | Change)}
        edited = {edit.operation for edit in edits if isinstance(edit, Setting | Taken)}
        touched |= {value for number in edited for value in program.operations[number].results if value not in fixed}
        takers: dict[int, list[int]] = {}
        made_of: dict[int, list[int]] = {}
        for value, alias in self.wiring.aliases.items():
            takers.setdefault(alias.other, []).extend(program.takers.get(value, ()))
            if alias.function is not None:
                made_of.setdefault(alias.other, []).append(value)
        for (number, _), other in self.wiring.taken.items():
            takers.setdefault(other, []).append(number)
        open_ = list(touched)
        while open_:
            value = open_.pop()
            open_ += [each for each in made_of.get(value, ()) if each not in touched]
            touched.update(made_of.get(value, ()))
            for number in {*program.takers.get(value, ()), *takers.get(value, ())}:
                reached = [each for each in program.operations[number].results if each not in fixed]
                open_ += [each for each in reached if each not in touched]
                touched.update(reached)
        return touched

    def values(self, wanted: Sequence[int]) -> list[Any]:
        for value in wanted:
            self._make(value)
        return [self._of(value) for value in wanted]

    def _of(self, value: int) -> Any:
        value = self.wiring.standing_for(value)
        return self.made[value] if value in self.made else self.program._kept[value]

    def _has(self, value: int) -> bool:
        return value in self.made or (value not in self.touched and value in self.program._kept)

    def _make(self, wanted: int) -> None:
        """Make a value and all that it takes, without recursion.

        Raises:
            RecursionError: an alias lets a value take itself.
            ValueError: an edit makes a value far larger than it was, or lets an operation give fewer values.
        """
        open_, waiting = [wanted], set[int]()
        while open_:
            value = self.wiring.standing_for(open_[-1])
            if self._has(value):
                open_.pop()
                continue
            maker = None if value in self.program._fixed else self.program.maker.get(value)
            derived = self.wiring.derived(value)
            if derived is not None:
                operands = [derived.other]
            elif maker is not None:
                operands = self.wiring.operands(maker)
            else:
                fixed = self.program._fixed
                self._keep(value, fixed[value] if value in fixed else self.program.given_array(value))
                continue
            missing = [each for each in operands if not self._has(self.wiring.standing_for(each))]
            if missing:
                if value in waiting:
                    raise RecursionError("a value takes itself")
                waiting.add(value)
                open_ += missing
            elif derived is not None and derived.function is not None:
                array = derived.function(self.program.as_numpy(self._of(operands[0])))
                self._keep(value, self.program.as_native(np.array(array)))
            elif maker is not None:
                self._run(maker, operands, value)

    def _run(self, maker: int, operands: Sequence[int], wanted: int) -> None:
        """Run one operation, which gives a value that is wanted, and keep what it gives."""
        settings = self.settings.get(maker, {})
        arrays = self.program.run_one(maker, [self._of(each) for each in operands], settings)
        results = self.program.operations[maker].results
        if wanted not in results[: len(arrays)]:
            raise ValueError("an edit lets an operation give fewer values than are used")
        for result, array in zip(results, arrays, strict=False):
            if result not in self.program._fixed and self.wiring.derived(result) is None and not self._has(result):
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
