"""Lines of source of one block, and what both sides' texts have in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.evidence.drawn.network import RETURNING, Block

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Lines:
    """The lines of one block.

    Args:
        made: those of the module's constructor.
        run: those of its call, which read `x` and bind `x`.
    """

    made: Sequence[str] = ()
    run: Sequence[str] = ()


def joined(parts: Sequence[Lines]) -> Lines:
    """The lines of blocks that follow each other."""
    made = [line for part in parts for line in part.made]
    return Lines(made, [line for part in parts for line in part.run])


def angles(s: Settings) -> str:
    """The line that binds the angles of a table of sines, in NumPy."""
    half, times = s["features"] // 2, f"np.arange({s['time']})"
    start = f"({s['start']} + {times})" if "start" in s else times
    return f"angles = {start}[:, None] * {s['base']} ** (-np.arange({half}) / {half})"


def of_layer(name: str, layer: str, more: str = "") -> Lines:
    """The lines of a block that is one layer; `more` stands behind its call."""
    return Lines([f"self.{name} = {layer}"], [f"x = self.{name}(x){more}"])


def name_of(block: Block, place: Sequence[int]) -> str:
    """What a block is called in the text: its kind and its place."""
    return "_".join([block.kind.replace(" ", "_"), *map(str, place)])


def residual(block: Block, name: str, place: Sequence[int], inner: Callable[[Block, Sequence[int]], Lines]) -> Lines:
    """The lines of blocks whose output is added to their input; `inner` writes each of them."""
    lines = joined([inner(spec, (*place, i)) for i, spec in enumerate(block.inner)])
    if not block.settings.get("added", True):
        return lines
    return Lines(lines.made, [f"{name} = x", *lines.run, f"x = {name} + x"])


def results(blocks: Sequence[Block]) -> str:
    """What the call returns: `x`, and what single blocks give beside it."""
    further = [name_of(block, (i,)) for i, block in enumerate(blocks) if block.kind in RETURNING]
    return ", ".join(["x", *further])


def indented(lines: Sequence[str], by: int) -> str:
    """The lines, each behind so many spaces."""
    return "\n".join(" " * by + line for line in lines)


def plus(number: float, text: str) -> str:
    """A number that is added to what a text says, unless it is zero."""
    return f"({number} + {text})" if number else text
