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


def of_layer(name: str, layer: str, more: str = "") -> Lines:
    """The lines of a block that is one layer; `more` stands behind its call."""
    return Lines([f"self.{name} = {layer}"], [f"x = self.{name}(x){more}"])


def name_of(block: Block, place: Sequence[int]) -> str:
    """What a block is called in the text: its kind and its place."""
    return "_".join([block.kind.replace(" ", "_"), *map(str, place)])


def residual(block: Block, name: str, place: Sequence[int], inner: Callable[[Block, Sequence[int]], Lines]) -> Lines:
    """The lines of blocks whose output is added to their input; `inner` writes each of them."""
    parts = [inner(spec, (*place, i)) for i, spec in enumerate(block.inner)]
    made = [line for part in parts for line in part.made]
    run = [line for part in parts for line in part.run]
    if not block.settings.get("added", True):
        return Lines(made, run)
    return Lines(made, [f"{name} = x", *run, f"x = {name} + x"])


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
