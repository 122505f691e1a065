"""Hypotheses on steps that are random on one side: a dropout that is on, noise that is added."""

from collections.abc import Iterator

from parity.interface.programs.operations import Alias
from parity.pair.causes.search.hypothesis import NAMES, Hypothesis, always, other
from parity.pair.causes.search.piece import Half, Piece

DRAWS = frozenset({"dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", "bernoulli", "rand", "randn",
                   "rand_like", "randn_like", "normal", "multinomial", "rng_bit_generator"})  # fmt: skip
"""Operations that draw numbers; those of JAX's random module begin as follows."""
OF_JAX = ("random_", "threefry")
STEPS = 4
"""Operations that a dropout may be written in, from what is dropped of to what is left."""


def without_draw(piece: Piece, side: str) -> Iterator[Hypothesis]:
    """One side draws random numbers in a step that the other does not have: a dropout, or noise."""
    half = piece.half(side)
    drawn = _drawn(half)
    for number, each in half.operations:
        for value in each.results:
            if value not in drawn or half.values[value].dtype.kind != "f":
                continue
            for before in _not_drawn(half, number, drawn):
                if half.values[before].shape == half.values[value].shape:
                    there = NAMES[other(side)]
                    text = (
                        f"{NAMES[side]} draws random numbers here, as a dropout that is on does, and {there} does not"
                    )
                    mend = f"turn the dropout off, or leave the noise out, in {NAMES[side]}"
                    yield Hypothesis(side, text, mend, always(Alias(value, before)), number, value)


def _drawn(half: Half) -> set[int]:
    """The values of a piece that are made of random numbers."""
    drawn: set[int] = set()
    for _, each in half.operations:
        if each.name in DRAWS or each.name.startswith(OF_JAX) or drawn & set(each.operands):
            drawn |= set(each.results)
    return drawn


def _not_drawn(half: Half, number: int, drawn: set[int]) -> Iterator[int]:
    """The floating values that an operation's result is made of and that are not random, the nearest first."""
    level = [number]
    for _ in range(STEPS):
        operands = dict.fromkeys(v for n in level for v in half.program.operations[n].operands if v in half.values)
        yield from (v for v in operands if v not in drawn and half.values[v].dtype.kind == "f")
        makers = (half.program.maker.get(v) for v in operands)
        level = [n for n in dict.fromkeys(makers) if n is not None and n in half.numbers]
