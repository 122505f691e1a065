"""Arrays as the text of a compiled program writes them: `f32[64,3]{1,0:T(8,128)}`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

ARRAY = re.compile(r"\b(pred|[a-z]+\d+[a-z\d]*)\[([\d,]*)\](?:\{([\d,]*)(?::T\(([\d,]+)\))?)?")
LAYOUT = re.compile(r"entry_computation_layout=\{\((.*?)\)->")


@dataclass(frozen=True)
class Array:
    """An array as the text of a compiled program writes it.

    Args:
        type: HLO's type of its elements, such as "f32".
        shape: sizes of its axes.
        order: its axes from the innermost in memory to the outermost.
        tile: numbers that the innermost axes are filled up to multiples of.
    """

    type: str
    shape: tuple[int, ...]
    order: tuple[int, ...]
    tile: tuple[int, ...] = ()

    @property
    def element_bytes(self) -> float:
        """The bytes of an element; 0.5 for an "s4"."""
        return 1 if self.type == "pred" else int(re.findall(r"\d+", self.type)[0]) / 8

    @property
    def bytes(self) -> int:
        """The bytes of its elements."""
        return round(prod(self.shape) * self.element_bytes)

    @property
    def tiled_bytes(self) -> int:
        """The bytes of its elements and of the padding that fills up its tiles."""
        physical = [1] * (len(self.tile) - len(self.shape)) + [self.shape[axis] for axis in reversed(self.order)]
        outer = len(physical) - len(self.tile)
        filled = [-(-size // step) * step for size, step in zip(physical[outer:], self.tile, strict=True)]
        return round(prod([*physical[:outer], *filled]) * self.element_bytes)


def arrays(text: str) -> Iterator[Array]:
    """Yield all arrays of a type as HLO writes it, which may be a tuple."""
    for kind, shape, order, tile in ARRAY.findall(text):
        axes = _numbers(shape)
        yield Array(kind, axes, _numbers(order) or tuple(reversed(range(len(axes)))), _numbers(tile))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(",") if number)


def arguments(text: str) -> list[Array]:
    """The arguments of a compiled program, in the layouts that it takes, from its text."""
    return [array for layout in LAYOUT.findall(text)[:1] for array in arrays(layout)]
