"""A table that both sides compute with, rounded to float32 in other places, is no difference; another table is one."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

TIME, SIZE, LONGEST = 6, 8, 40
X = np.random.default_rng(1).standard_normal((2, TIME, SIZE)).astype(np.float32)
Table = Callable[..., Any]


def angles(time: int = TIME, base: float = 10000.0, start: float = 0.0) -> np.ndarray:
    return (start + np.arange(time)[:, None]) * base ** (-np.arange(SIZE) / SIZE)


POSITIONS = np.sin(angles())


class Port(nn.Module):
    """Multiplies what a dense layer gives by a table."""

    table: Table

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(3, name="last")(nn.Dense(SIZE, name="first")(x) * self.table())


class Original(torch.nn.Module):
    """Its twin, which may hold the table as a buffer or as an attribute."""

    def __init__(self, table: Table, buffer: np.ndarray | None = None, attribute: np.ndarray | None = None) -> None:
        super().__init__()
        self.first, self.last, self.table = torch.nn.Linear(SIZE, SIZE), torch.nn.Linear(SIZE, 3), table
        if buffer is not None:
            self.register_buffer("held", torch.tensor(buffer, dtype=torch.float32), persistent=False)
        if attribute is not None:
            self.held = torch.tensor(attribute, dtype=torch.float32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        held = getattr(self, "held", None)
        return self.last(self.first(x) * (self.table() if held is None else self.table(held)))


def compared(port: Table, original: Original, **checks: Any) -> Report:
    module = Port(port)
    asked = parity.Checks(probes=False, **checks)
    return parity.compare((module, module.init(jax.random.key(0), X)), original, X, checks=asked)


def inline() -> jax.Array:
    """In float32, from whole numbers, as rotary embeddings are."""
    frequencies = 10000.0 ** (-jnp.arange(SIZE, dtype=jnp.float32) / SIZE)
    return jnp.sin(jnp.arange(TIME, dtype=jnp.float32)[:, None] * frequencies)


FREQUENCIES = (1.0 / 10000.0 ** (np.arange(SIZE, dtype=np.float32) / np.float32(SIZE))).astype(np.float32)
SAME: dict[str, tuple[Table, Original]] = {
    "NumPy in float64, a buffer": (lambda: jnp.asarray(POSITIONS), Original(lambda held: held, POSITIONS)),
    "NumPy in float64, an attribute": (lambda: POSITIONS, Original(lambda held: held, attribute=POSITIONS)),
    "NumPy in float64 in both": (lambda: POSITIONS, Original(lambda: torch.tensor(POSITIONS, dtype=torch.float32))),
    "NumPy in float64, in float32": (
        lambda: POSITIONS,
        Original(lambda: torch.from_numpy(POSITIONS.astype(np.float32))),
    ),
    "computed, from stored frequencies": (
        inline,
        Original(lambda held: torch.sin(torch.arange(TIME)[:, None] * held), FREQUENCIES),
    ),
    "computed, a buffer": (inline, Original(lambda held: held, np.asarray(np.sin(angles()), np.float32))),
    "a longer buffer": (inline, Original(lambda held: held[:TIME], np.sin(angles(LONGEST)))),
    "the first numbers of a longer one": (
        lambda: jnp.asarray(np.sin(angles(LONGEST)))[:TIME],
        Original(lambda held: held, POSITIONS),
    ),
    "both transposed": (lambda: jnp.asarray(POSITIONS.T).T, Original(lambda held: held.T, POSITIONS.T)),
}
FIRST, HALVES = np.sin(angles()[:, : SIZE // 2]), np.tile(np.sin(angles()[:, : SIZE // 2]), 2)
SAME["tiled in Flax"] = lambda: jnp.tile(jnp.asarray(FIRST), (1, 2)), Original(lambda held: held, HALVES)
DIFFERENT: dict[str, np.ndarray] = {
    "another base": np.sin(angles(base=10001.0)),
    "a step further": np.sin(angles(start=1.0)),
    "a hundred thousandth larger": POSITIONS * 1.00001,
    "one number of it": POSITIONS + 1e-4 * (np.arange(SIZE) == 3) * (np.arange(TIME) == 2)[:, None],
    "cosines": np.cos(angles()),
}


@pytest.mark.parametrize("name", SAME)
def test_one_table_that_is_rounded_otherwise_is_no_difference(name: str) -> None:
    report = compared(*SAME[name])
    assert report.verdict is Verdict.SAME, report.first_difference


@pytest.mark.parametrize("name", DIFFERENT)
def test_another_table_is_a_difference(name: str) -> None:
    report = compared(lambda: jnp.asarray(POSITIONS), Original(lambda held: held, attribute=DIFFERENT[name]))
    assert report.verdict is Verdict.DIFFERENT


def test_a_table_that_was_made_equal_is_told_with_both_lines() -> None:
    report = compared(*SAME["NumPy in float64, a buffer"])
    (note,) = report.notes
    assert note.count("test_tables.py:") == 2 and "is one table" in note and "8" in note


def test_no_note_where_both_are_rounded_alike() -> None:
    table = np.cos(angles(start=0.3)).astype(np.float32)
    assert compared(lambda: jnp.asarray(table), Original(lambda held: held, table)).notes == []


def test_a_difference_beside_a_table_is_still_found() -> None:
    original = Original(lambda held: held * 1.001, POSITIONS)
    assert compared(lambda: jnp.asarray(POSITIONS), original).verdict is Verdict.DIFFERENT


def test_what_is_drawn_or_learnt_is_no_table() -> None:
    class Learning(Original):
        def __init__(self) -> None:
            super().__init__(lambda: None)
            self.scale = torch.nn.Parameter(torch.tensor(POSITIONS, dtype=torch.float32))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.first(x) * self.scale)

    report = compared(lambda: jnp.asarray(POSITIONS), Learning())
    assert report.verdict is not Verdict.SAME
