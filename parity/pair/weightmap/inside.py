"""How many operations of both networks give the same numbers: it tells readings of a map apart where no layer does."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from parity.interface.programs.program import Program
from parity.interface.trace import Arrays

Record = Callable[[Mapping[str, NDArray]], Program]
"""One evaluation pass of a side with these native arrays, operation by operation."""
LARGEST = 2**20
"""Numbers that the operations of a network may give; those of larger ones are not looked at."""
Signature = tuple[int, str]


class Inside:
    """The operations of both networks in an evaluation pass.

    Args:
        flax, torch: How each side's pass is recorded.
        native: Flax's own native arrays.
        values: PyTorch's native arrays, with which all readings are tried.
    """

    def __init__(self, flax: Record, torch: Record, native: Mapping[str, NDArray], values: Arrays) -> None:
        self._record_flax, self._record_torch, self._native, self._values = flax, torch, native, values

    def agreeing(self, native: Arrays) -> int:
        """The operations of Flax's network that, with these native arrays, give the numbers of one of PyTorch's, in any
        order; 0 where the networks are too large."""
        if self._flax is None or not self._theirs:
            return 0
        origins = self._flax.origins.items()
        self._flax.start_from({value: native[name] for value, (kind, name) in origins if kind == "array"})
        return sum(signature in self._theirs for signature in _signatures(self._flax))

    @property
    def programs(self) -> tuple[Program, Program] | None:
        """Both sides' passes; None where the networks are too large."""
        return None if self._flax is None or self._torch is None else (self._flax, self._torch)

    @cached_property
    def _flax(self) -> Program | None:
        return _small(self._record_flax(self._native))

    @cached_property
    def _theirs(self) -> frozenset[Signature]:
        return frozenset() if self._torch is None else frozenset(_signatures(self._torch))

    @cached_property
    def _torch(self) -> Program | None:
        return _small(self._record_torch(self._values))


def _small(program: Program) -> Program | None:
    wanted = [value for each in program.operations for value in each.results]
    return program if sum(array.size for array in program.compute(wanted)) <= LARGEST else None


def _signatures(program: Program) -> Sequence[Signature]:
    """What the arrays have in common that hold the same numbers in any order."""
    arrays = program.compute([value for each in program.operations for value in each.results])
    with np.errstate(all="ignore"):
        floats = [array.ravel() for array in arrays if array.size > 1 and array.dtype.kind == "f"]
        return [(flat.size, f"{float(flat @ flat):.9e}") for flat in floats]
