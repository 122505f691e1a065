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
HELD = np.sin(angles()[:, : SIZE // 2]), np.cos(angles()[:, : SIZE // 2])
BESIDE = Original(
    lambda: torch.cat([wave(torch.tensor(angles()[:, : SIZE // 2])) for wave in (torch.sin, torch.cos)], 1).float()
)
SAME["two that stand beside each other in one"] = lambda: jnp.concatenate(list(map(jnp.float32, HELD)), 1), BESIDE
SAME["two that stand in one in turn"] = (
    lambda: jnp.stack(list(map(jnp.float32, HELD)), -1).reshape(TIME, SIZE),
    Original(
        lambda: (
            torch.stack([wave(torch.tensor(angles()[:, : SIZE // 2])) for wave in (torch.sin, torch.cos)], -1)
            .flatten(1)
            .float()
        )
    ),
)
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


FREQUENCY = 10000.0 ** -(np.arange(SIZE // 2) / (SIZE // 2))


class Looked(nn.Module):
    """Sines and cosines beside each other, of more positions than there are, looked up by position."""

    @nn.compact
    def __call__(self, x: jax.Array, positions: jax.Array) -> jax.Array:
        far = np.arange(LONGEST)[:, None] * FREQUENCY
        sine, cosine = jnp.split(jnp.asarray(np.concatenate([np.sin(far), np.cos(far)], -1))[positions], 2, -1)
        a, b = jnp.split(nn.Dense(SIZE, name="first")(x), 2, -1)
        return nn.Dense(3, name="last")(jnp.concatenate([a * cosine - b * sine, b * cosine + a * sine], -1))


class Rotated(torch.nn.Module):
    """Computes them from frequencies that it keeps, twice each; or keeps a frozen table of both."""

    def __init__(self, frozen: bool, base: float = 1.0) -> None:
        super().__init__()
        self.first, self.last = torch.nn.Linear(SIZE, SIZE), torch.nn.Linear(SIZE, 3)
        frequency = torch.tensor(FREQUENCY**base, dtype=torch.float32)
        self.register_buffer("frequency", frequency, persistent=False)
        self.table = None
        if frozen:
            angle = np.arange(LONGEST)[:, None] * FREQUENCY**base
            table = torch.tensor(np.concatenate([np.sin(angle), np.cos(angle)], -1), dtype=torch.float32)
            self.table = torch.nn.Parameter(table, requires_grad=False)

    def forward(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        del positions
        if self.table is None:
            angle = torch.arange(x.shape[1])[:, None] * self.get_buffer("frequency")
            angle = torch.cat([angle, angle], -1)
            sine, cosine = angle.sin(), angle.cos()
        else:
            sine, cosine = (part.repeat(1, 2) for part in self.table[: x.shape[1]].chunk(2, -1))
        x = self.first(x)
        a, b = x.chunk(2, -1)
        return self.last(x * cosine + torch.cat([-b, a], -1) * sine)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(("base", "verdict"), [(1.0, Verdict.SAME), (1.0001, Verdict.DIFFERENT)])
def test_parts_of_a_table_are_found(frozen: bool, base: float, verdict: Verdict) -> None:
    inputs = X, np.broadcast_to(np.arange(TIME), X.shape[:2]).copy()
    port, checks = Looked(), parity.Checks(probes=False)
    variables = port.init(jax.random.key(0), *inputs)
    report = parity.compare((port, variables), Rotated(frozen, base), inputs, checks=checks)
    assert report.verdict is verdict, report.first_difference


LEFT_OUT = 2
"""Rows that a table of positions leaves for padding, as some language models' do."""


class LookedLate(nn.Module):
    """Sines of positions, looked up by position, after the rows that are left out."""

    @nn.compact
    def __call__(self, x: jax.Array, positions: jax.Array) -> jax.Array:
        table = jnp.asarray(np.sin(angles(LONGEST)))[positions + LEFT_OUT]
        return nn.Dense(3, name="last")(nn.Dense(SIZE, name="first")(x) + table)


class CutLate(torch.nn.Module):
    """Keeps the same table and takes its rows from one on."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self.first, self.last, self.start = torch.nn.Linear(SIZE, SIZE), torch.nn.Linear(SIZE, 3), start
        held = torch.tensor(np.sin(angles(LONGEST)), dtype=torch.float32)
        self.register_buffer("held", held, persistent=False)

    def forward(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        del positions
        return self.last(self.first(x) + self.get_buffer("held")[self.start : self.start + x.shape[1]])


@pytest.mark.parametrize(
    ("start", "verdict"), [(LEFT_OUT, Verdict.SAME), (LEFT_OUT + 1, Verdict.DIFFERENT), (0, Verdict.DIFFERENT)]
)
def test_a_part_may_begin_after_the_rows_for_padding(start: int, verdict: Verdict) -> None:
    inputs = X, np.broadcast_to(np.arange(TIME), X.shape[:2]).copy()
    port, checks = LookedLate(), parity.Checks(probes=False)
    variables = port.init(jax.random.key(0), *inputs)
    report = parity.compare((port, variables), CutLate(start), inputs, checks=checks)
    assert report.verdict is verdict, report.first_difference
