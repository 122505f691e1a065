"""What a side shows of one pass: NumPy arrays in the framework's own layouts, under the framework's own names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

from parity.interface.trace import Arrays


@dataclass(frozen=True)
class Inputs:
    """What a network is called with: trees of NumPy arrays (tuples, lists, dicts) and plain values."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


LeafKind = Literal["floating", "whole", "truth", "other"]
"""Floating numbers (a complex number is two of them), whole numbers, truth values, and what is no array."""


@dataclass(frozen=True)
class Leaf:
    """One leaf of what a network returns.

    Args:
        kind: what its numbers are; "other" is compared with nothing.
        shape: shape of the array, in the framework's own layout; () for what is no array.
        type: name of the class of what is no array, such as "str".
    """

    kind: LeafKind
    shape: tuple[int, ...] = ()
    type: str = ""


DrawKind = Literal["uniform", "normal", "exponential", "gumbel"]
"""Uniform between 0 and 1, standard normal, exponential of rate 1, standard Gumbel."""


@dataclass(frozen=True)
class Drawn:
    """One draw of random numbers that is no dropout.

    Args:
        kind: the distribution, before it is scaled and shifted.
        shape: shape of the numbers, in the framework's own layout.
    """

    kind: DrawKind
    shape: tuple[int, ...]


Noise = Callable[[int, Drawn], NDArray]
"""Of the n-th draw of a pass: its numbers, in float64, of the draw's shape."""


@dataclass(frozen=True)
class Returned:
    """What a network returns in one mode, as it is called by its user in float32.

    Args:
        leaves: the leaves by name, as in `PassResult.outputs`, and what is no array besides; a complex array is two
            leaves, whose names end in ".real" and ".imag".
        random: places where numbers are drawn that change the result from one call to the next, one text each; dropout
            that stays on in evaluation is among them, in training dropout is off.
        noisy: whether it is random too in the passes of a check, in which dropout is off.
        draws: its draws that may get other numbers, in order.
    """

    leaves: Mapping[str, Leaf]
    random: tuple[str, ...] = ()
    noisy: bool = False
    draws: tuple[Drawn, ...] = ()


@dataclass(frozen=True)
class Call:
    """One call of a module.

    Args:
        path: path of the module; "" is the network itself.
        type: name of its class.
        start: how many calls had begun before it; with the place in the list, which is by the end, this gives nesting.
        inputs, outputs: the floating and integer arrays among arguments and result, flattened in order.
        gradients: one gradient for each output, None for those that have none (integers, or no path to the cotangents).
    """

    path: str
    type: str
    start: int
    inputs: tuple[NDArray, ...]
    outputs: tuple[NDArray, ...]
    gradients: tuple[NDArray | None, ...] = ()


class RecalledCall(Call):
    """A call whose arrays were let go, and are computed again when somebody asks for them.

    Args:
        call: the call; its arguments are kept if they are whole numbers.
        place: its place among the calls of its pass.
        again: runs the pass once more, and gives its calls.
    """

    def __init__(self, call: Call, place: int, again: Callable[[], tuple[Call, ...]]) -> None:
        whole = all(array.dtype.kind in "iub" for array in call.inputs)
        kept = {"path": call.path, "type": call.type, "start": call.start, "_whole": call.inputs if whole else None}
        for name, value in {**kept, "_place": place, "_again": again}.items():
            object.__setattr__(self, name, value)  # its class is frozen

    @property
    def recalled(self) -> Call:
        """The call with its arrays."""
        again: Callable[[], tuple[Call, ...]] = vars(self)["_again"]
        return again()[vars(self)["_place"]]

    @property
    def inputs(self) -> tuple[NDArray, ...]:
        """The arrays among the arguments."""
        whole: tuple[NDArray, ...] | None = vars(self)["_whole"]
        return self.recalled.inputs if whole is None else whole

    @property
    def outputs(self) -> tuple[NDArray, ...]:
        """The arrays among the results."""
        return self.recalled.outputs

    @property
    def gradients(self) -> tuple[NDArray | None, ...]:
        """The gradients of the results."""
        return self.recalled.gradients


@dataclass(frozen=True)
class Dropped:
    """One use of dropout: the shape that it acts on, in the framework's own layout, and the rate."""

    shape: tuple[int, ...]
    rate: float


@dataclass(frozen=True)
class Cast:
    """A cast to a narrower floating type.

    Args:
        dtype: name of the narrower type, "bfloat16" for one.
        place: the user's line where it is written, "file.py:12".
    """

    dtype: str
    place: str


@dataclass(frozen=True)
class Miscompiled:
    """A program that a compiler computes wrongly.

    Args:
        program: its text, a line for each step.
        places: the user's lines that it comes from, "file.py:12", without repeats.
        gap: distance of what the compiled program gives from what its steps give, relative to that.
        mend: what to set so that it is computed rightly.
        versions: names and versions of what computes it.
    """

    program: str
    places: tuple[str, ...]
    gap: float
    mend: str
    versions: str


Mask = Callable[[int, Dropped], NDArray | None]
"""Of the n-th use of dropout: what to multiply with (0 or 1 / (1 - rate)); None lets everything through."""


@dataclass(frozen=True)
class PassResult:
    """One pass.

    Args:
        outputs: leaves of the result by name ("" for a lone array, else "[0]", ".logits", "['a'][1]" …), arrays and
            Python's numbers; a complex one is two, its real and its imaginary part.
        calls: the recorded calls in the order in which they end; the network's own is the last.
        buffers: all native arrays that are not parameters, after the pass.
        parameter_gradients, input_gradients: pull-back of the cotangents, or gradients of the loss, by native name, and
            by leaf of the inputs (floating ones); empty if none was asked for. A parameter without effect has zeros.
        dropouts: uses of dropout, in order.
        narrow: calls whose results are of a narrower floating type than was asked for, with its name.
        gelus: form of every GELU, in order: "exact" or "tanh".
        loss: loss of the pass's objective, one number; None without an objective.
        counters: buffers after the pass that are no native arrays, as they hold whole numbers: counts of what was seen.
        undone: casts to a type narrower than float32 that are written in the network; the pass in float64 is without.
        unwidened: what computes in float32 even in the pass in float64, with the user's line; the numbers that come
            from it have float32's rounding.
    """

    outputs: Arrays
    calls: tuple[Call, ...]
    buffers: Arrays
    parameter_gradients: Arrays = field(default_factory=dict)
    input_gradients: Arrays = field(default_factory=dict)
    dropouts: tuple[Dropped, ...] = ()
    narrow: Mapping[str, str] = field(default_factory=dict)
    gelus: tuple[str, ...] = ()
    undone: tuple[Cast, ...] = ()
    unwidened: tuple[str, ...] = ()
    loss: NDArray | None = None
    counters: Arrays = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table of a network.

    Args:
        array: Its numbers, float64 or complex128.
        moved: The same if what the network holds of it were moved by half a unit of float32's last place: what storing
            in float32 explains.
        place: The user's line that uses it, or its name; "" if it is not known.
    """

    array: NDArray[Any]
    moved: NDArray[Any]
    place: str = ""


@dataclass(frozen=True)
class EqualTables:
    """A table of one side and the numbers that it gets in their place, which are the other side's."""

    before: NDArray[Any]
    after: NDArray[Any]
