"""The backward pass of a program as operations of its own: each takes gradients of results and gives those of operands.

The numbers of the forward pass are those that it was recorded with, so that every operation is linear in what it takes.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.operations import Operation, Values
from parity.interface.programs.program import Program, Pull

OTHERWISE = "otherwise"
"""The setting of an operation whose gradients the user's program stops, or makes in a way of its own: with True it goes
back as the operation itself does."""


class Backward(Program):
    """The backward pass of a program.

    Args:
        forward: the program.
        seeds: forward value → the gradient that is pulled back from it.
    """

    def __init__(self, forward: Program, seeds: Mapping[int, NDArray]) -> None:
        self.forward = forward
        self.kinds: dict[int, Pull] = {}
        """Operation → how the user's program goes back there, where that is a way of its own."""
        self._rules: list[Pull | None] = []
        self._places: dict[int, tuple[list[bool], list[int]]] = {}
        self._parts: dict[int, list[int]] = {}
        self._arrays: dict[int, Any] = {}
        self._of: dict[int, int] = {}
        self._count = 0
        super().__init__([], {}, [], Values({}, {}))
        with self.running():
            for value, array in seeds.items():
                self._parts.setdefault(value, []).append(self._add_array(forward.as_native(array)))
            self._walk()
        self.origins = dict.fromkeys(self._arrays, ("constant", ""))

    def gradient(self, value: int) -> int:
        """The number of a forward value's gradient; of zeros if nothing depends on it."""
        if value not in self._of:
            with self.running():
                total = self._total(value)
                if total is None:
                    total = self._add_array(self.forward.as_native(np.zeros_like(self.forward.compute([value])[0])))
                    self.origins[total] = ("constant", "")
            self._of[value] = total
        return self._of[value]

    def operation_of(self, number: int) -> Operation | None:
        """The operation of the forward pass that one goes back through; None for a sum of gradients, for several that
        go back together, and where the user's program goes back in a way of its own."""
        pull = self._rules[number]
        return None if pull is None or pull.kind or pull.number != pull.last else self.forward.operations[pull.number]

    def operands_of(self, number: int) -> list[int]:
        """The forward values whose gradients an operation gives, in the order in which it gives them."""
        pull = self._rules[number]
        return [] if pull is None else [pull.operands[place] for place in self._places[number][1]]

    def _walk(self) -> None:
        done: set[int] = set()
        for number in reversed(range(len(self.forward.operations))):
            if number in done:
                continue
            pull = self.forward.pull(number)
            done.update(range(pull.number, pull.last + 1))
            totals = [self._total(value) for value in pull.results]
            if any(total is not None for total in totals):
                self._add(pull, totals)

    def _add(self, pull: Pull, totals: Sequence[int | None]) -> None:
        """The operation that goes back through one of the forward pass."""
        native = [None if total is None else self._made(total) for total in totals]
        gradients = list(pull.back(native))
        if pull.kind:  # what is not passed on is zeros, so that it can be passed on
            others = pull.otherwise(native)
            gradients = [
                zeros(self.forward, other) if mine is None and other is not None else mine
                for mine, other in zip(gradients, others, strict=True)
            ]
        places = [place for place, gradient in enumerate(gradients) if gradient is not None]
        if not places:
            return
        each = self.forward.operations[pull.last]
        results = tuple(self._new() for _ in places)
        settings: dict[str, Any] = {**each.settings, **({OTHERWISE: False} if pull.kind else {})}
        taken = tuple(total for total in totals if total is not None)
        name = pull.name or each.name
        number = self.add(Operation(f"the gradient of {name}", each.place, taken, results, settings))
        self._rules.append(pull)
        if pull.kind:
            self.kinds[number] = pull
        self._places[number] = ([t is not None for t in totals], places)
        for place, result in zip(places, results, strict=True):
            self._kept[result] = gradients[place]
            self._parts.setdefault(pull.operands[place], []).append(result)

    def _total(self, value: int) -> int | None:
        """The sum of all gradients of a forward value."""
        parts = self._parts.get(value, [])
        if len(parts) < 2:
            return parts[0] if parts else None
        maker = self.forward.maker.get(value)
        place = "" if maker is None else self.forward.operations[maker].place
        total = self._new()
        self.add(Operation("the sum of gradients", place, tuple(parts), (total,)))
        self._rules.append(None)
        self._kept[total] = _summed([self._made(part) for part in parts])
        self._parts[value] = [total]
        return total

    def _made(self, value: int) -> Any:
        return self._kept[value] if value in self._kept else self._arrays[value]

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _add_array(self, array: Any) -> int:
        number = self._new()
        self._arrays[number] = array
        return number

    def running(self) -> AbstractContextManager[None]:
        """The framework's settings in which operations run."""
        return self.forward.running()

    def run_one(self, number: int, operands: Sequence[Any], settings: Mapping[str, Any]) -> Sequence[Any]:
        """The gradients that an operation gives."""
        pull = self._rules[number]
        if pull is None:
            return [_summed(operands)]
        there, places = self._places[number]
        rest = iter(operands)
        taken = [next(rest) if present else None for present in there]
        gradients = (pull.otherwise if settings.get(OTHERWISE) else pull.back)(taken)
        if any(gradients[place] is None for place in places):
            others = pull.otherwise(taken)
            return [zeros(self.forward, others[p]) if gradients[p] is None else gradients[p] for p in places]
        return [gradients[place] for place in places]

    def given_array(self, value: int) -> Any:
        """A gradient that is pulled back."""
        return self._arrays[value]

    def as_numpy(self, array: Any) -> NDArray:
        """The framework's array in NumPy."""
        return self.forward.as_numpy(array)

    def as_native(self, array: NDArray) -> Any:
        """NumPy's array in the framework's."""
        return self.forward.as_native(array)


def zeros(program: Program, like: Any) -> Any:
    """Zeros of a framework's array's shape."""
    return program.as_native(np.zeros_like(program.as_numpy(like)))


def _summed(arrays: Sequence[Any]) -> Any:
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total
