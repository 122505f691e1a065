"""What only another size of the inputs shows: one sample, one more, other images, shorter and longer sequences."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity
from parity.checks.verdict import Verdict
from parity.interface.observation import Inputs
from parity.interface.sides.functions import functions_of
from parity.pair.arrays.inputs import arrays, as_inputs
from parity.pair.rungs.probing.sizes import Resized, other_sizes
from parity.pair.rungs.probing.written_sizes import WrittenSize, written_sizes
from parity.report.pair import Report

RNG = np.random.default_rng(11)
ROWS = RNG.standard_normal((4, 6)).astype(np.float32)
STEPS = RNG.standard_normal((3, 10, 6)).astype(np.float32)
IMAGES = RNG.standard_normal((2, 8, 8, 3)).astype(np.float32)
IDS = RNG.integers(0, 9, (3, 10))


def shapes(inputs: Inputs) -> list[tuple[int, ...]]:
    return [array.shape for array in arrays(inputs).values()]


def flat(resized: Sequence[Resized]) -> dict[str, list[tuple[int, ...]]]:
    """The shapes of all that is tried, by its name; of one name the first that is tried alone."""
    named: dict[str, list[tuple[int, ...]]] = {}
    for each in resized:
        named.setdefault(each.name, shapes(each.inputs))
        named = {**flat(each.parts), **named}
    return named


@pytest.mark.parametrize(
    ("inputs", "tried"),
    [
        (np.zeros(()), {}),
        (np.zeros(5), {"one sample": [(1,)], "one sample more": [(6,)]}),
        (np.zeros((1, 1)), {"one sample more": [(2, 1)]}),
        (
            IMAGES,
            {
                "smaller sizes": [(1, 7, 7, 3)],
                "larger sizes": [(3, 10, 12, 3)],
                "one sample": [(1, 8, 8, 3)],
                "one sample more": [(3, 8, 8, 3)],
                "odd sizes": [(2, 7, 7, 3)],
                "larger images": [(2, 10, 12, 3)],
            },
        ),
        (
            {"ids": IDS, "mask": np.ones((3, 1, 10, 10), bool), "positions": np.arange(10)[None], "time": np.zeros(3)},
            {
                "smaller sizes": [(1, 5), (1, 1, 5, 5), (1, 5), (1,)],
                "larger sizes": [(4, 20), (4, 1, 20, 20), (1, 20), (4,)],
                "one sample": [(1, 10), (1, 1, 10, 10), (1, 10), (1,)],
                "one sample more": [(4, 10), (4, 1, 10, 10), (1, 10), (4,)],
                "shorter sequences": [(3, 5), (3, 1, 5, 5), (1, 5), (3,)],
                "longer sequences": [(3, 20), (3, 1, 20, 20), (1, 20), (3,)],
            },
        ),
        (
            (np.zeros((1, 7, 7), np.float32), np.zeros((7, 7), bool), np.zeros(7, int)),
            {
                "larger sizes": [(2, 14, 7), (14, 14), (14,)],
                "shorter sequences": [(1, 4, 7), (4, 4), (4,)],
                "one sample more": [(2, 7, 7), (7, 7), (7,)],
                "longer sequences": [(1, 14, 7), (14, 14), (14,)],
            },
        ),
    ],
)
def test_sizes_beyond_the_users(inputs: Any, tried: dict[str, list[tuple[int, ...]]]) -> None:
    assert flat(list(other_sizes(as_inputs(inputs)))) == tried


def test_a_long_sequence_becomes_one_longer_and_a_refused_one_is_tried_nearer() -> None:
    parts = {part.name: part for each in other_sizes(as_inputs(np.zeros((2, 40, 3)))) for part in each.parts}
    assert shapes(parts["longer sequences"].inputs) == [(2, 41, 3)] and not parts["longer sequences"].parts
    assert shapes(parts["shorter sequences"].inputs) == [(2, 21, 3)]
    assert [shapes(part.inputs) for part in parts["shorter sequences"].parts] == [[(2, 39, 3)]]


def test_what_a_longer_mask_lets_through_stays_together() -> None:
    mask = np.array([[1, 1, 1, 0], [1, 1, 1, 1]], bool)
    longer = list(other_sizes(as_inputs(mask)))[1].inputs.args[0]
    assert longer.tolist() == [[1, 1, 1, 0, 0, 0, 0, 0], [1] * 8, [1, 1, 1, 0, 0, 0, 0, 0]]


class Net(nnx.Module):
    """A dense layer, or a convolution, and a function of what it gives."""

    def __init__(self, after: Any, images: bool = False) -> None:
        rngs = nnx.Rngs(0)
        self.layer = nnx.Conv(3, 4, (3, 3), padding=1, rngs=rngs) if images else nnx.Linear(6, 4, rngs=rngs)
        self.after = after

    def __call__(self, x: jax.Array) -> Any:
        return self.after(self.layer(x))


class TorchNet(nn.Module):
    def __init__(self, after: Any, images: bool = False) -> None:
        super().__init__()
        self.layer, self.after = nn.Conv2d(3, 4, 3, padding=1) if images else nn.Linear(6, 4), after

    def forward(self, x: torch.Tensor) -> Any:
        return self.after(self.layer(x))


def compared(flax: Any, pytorch: Any, x: np.ndarray, **options: Any) -> Report:
    images = x.ndim == 4
    layout = {"to_torch": "NHWC->NCHW"} if images else {}
    return parity.compare(Net(flax, images), TorchNet(pytorch, images), x, **layout, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("flax", "pytorch", "x", "probe"),
    [
        (lambda y: y.max(-1), lambda y: y.amax(-1, keepdim=True).squeeze(), ROWS, "one sample"),
        (lambda y: y - y.mean(0) * (len(y) > 1), lambda y: y - y.mean(0), ROWS, "one sample"),
        (lambda y: list(y), lambda y: [*y] if len(y) > 1 else [y], ROWS, "one sample"),
        (lambda y: y.sum(0), lambda y: 4 * y.mean(0), ROWS, "one sample"),
        (lambda y: y.sum(1) / y.shape[1], lambda y: y.sum(1) / 10, STEPS, "shorter sequences"),
        (lambda y: jnp.cumsum(y, 1), lambda y: y[:, :16].cumsum(1), STEPS, "longer sequences"),
        (lambda y: y[:, :1], lambda y: y[:, :1] if y.shape[1] > 9 else y[:, -1:], STEPS, "shorter sequences"),
        (lambda y: y.mean((1, 2)), lambda y: nn.functional.avg_pool2d(y, 8).mean((2, 3)), IMAGES, "larger images"),
    ],
)
def test_a_size_that_no_input_of_the_users_has_is_tried(flax: Any, pytorch: Any, x: np.ndarray, probe: str) -> None:
    report = compared(flax, pytorch, x)
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert first.text.startswith(f"the same on your inputs; different with {probe}")


def test_a_size_can_be_accepted_by_its_name() -> None:
    flax, pytorch = lambda y: y.max(-1), lambda y: y.amax(-1, keepdim=True).squeeze()
    assert compared(flax, pytorch, ROWS, checks=parity.Checks(accept=["one_sample"])).verdict is Verdict.SAME


def test_what_is_shown_is_not_what_is_accepted() -> None:
    report = compared(
        lambda y: y.sum(1), lambda y: 10 * y.mean(1), STEPS, checks=parity.Checks(accept=["shorter_sequences"])
    )
    assert report.first_difference is not None
    assert report.first_difference.text.startswith("the same on your inputs; different with longer sequences")


@pytest.mark.parametrize(
    ("flax", "pytorch", "x"),
    [
        (lambda y: y * jnp.arange(10.0)[:, None], lambda y: y * torch.arange(10.0, dtype=y.dtype)[:, None], STEPS),
        (lambda y: list(y), lambda y: list(y.unbind()), ROWS),
        (lambda y: y / len(y), lambda y: y / y.shape[0], ROWS),
        (lambda y: y.reshape(4, 2, 2), lambda y: y.view(4, 2, 2), ROWS),
        (lambda y: y.reshape(len(y), -1)[:, :256], lambda y: y.permute(0, 2, 3, 1).flatten(1)[:, :256], IMAGES),
    ],
)
def test_networks_that_agree_at_all_sizes_that_they_take_are_the_same(flax: Any, pytorch: Any, x: np.ndarray) -> None:
    report = compared(flax, pytorch, x)
    assert report.verdict is Verdict.SAME, str(report)
    assert not [note for note in report.notes if "sequences" in note]


def test_sizes_that_agree_are_tried_together() -> None:
    rung = next(rung for rung in compared(nnx.relu, torch.relu, STEPS).rungs if rung.number == 2)
    sizes = {finding.quantity for finding in rung.findings if "sizes" in finding.quantity or "one" in finding.quantity}
    assert sizes == {"result with smaller sizes", "result with larger sizes"}


def waves(length: int) -> jax.Array:
    """Sines and cosines of positions times frequencies, as a rotary embedding's table has them, rounded at the end."""
    angles = np.arange(length)[:, None] * np.array([1.0, 0.3])
    return jnp.asarray(np.concatenate([np.sin(angles), np.cos(angles)], -1).astype(np.float32))


def torch_waves(y: torch.Tensor) -> torch.Tensor:
    angles = torch.arange(y.shape[1], dtype=torch.float32)[:, None] * torch.tensor([1.0, 0.3])
    return y * torch.cat([angles.sin(), angles.cos()], -1).to(y.dtype)


def test_a_table_of_more_positions_than_the_user_has_is_one_table_at_all_lengths() -> None:

    def flax(y: jax.Array) -> jax.Array:
        positions = jnp.arange(y.shape[1]) + jnp.isnan(y[0, :, 0])  # of the input, so that it is no table itself
        return y * waves(24)[positions]

    report = compared(flax, torch_waves, STEPS)
    assert report.verdict is Verdict.SAME, str(report)
    assert [note for note in report.notes if "is one table" in note]


def test_what_reads_past_the_end_of_its_table_is_not_ruled_on() -> None:
    """JAX gives the last row where PyTorch, which computes the rows, goes on: a longer input than it is made for."""
    report = compared(lambda y: y * waves(10)[jnp.arange(y.shape[1])], torch_waves, STEPS)
    assert report.verdict is Verdict.SAME, str(report)
    assert [
        note for note in report.notes if note.startswith("longer sequences: not ruled on, Flax's network reads past")
    ]


def test_a_longer_input_that_reads_within_its_table_is_ruled_on() -> None:
    report = compared(lambda y: y * waves(24)[jnp.arange(y.shape[1]) % 16], torch_waves, STEPS)
    assert report.first_difference is not None
    assert report.first_difference.text.startswith("the same on your inputs; different with longer sequences")


LONGEST = 40


def asked(x: Any, y: Any) -> Any:
    batch, length, _ = x.shape
    if length == 7 or x.size(0) == 16:
        return x
    return y[:3, :20] if 1 < batch < 9 and min(length, LONGEST) >= len(y) else y[..., 1:5]


def test_sizes_that_code_compares_with_are_read() -> None:
    written = written_sizes(functions_of([SimpleNamespace(run=asked)]))
    assert set(written) == {
        WrittenSize(0, 1, (1, 2)),
        WrittenSize(0, 9, (8, 9)),
        WrittenSize(1, 7),
        WrittenSize(0, 16),
        WrittenSize(1, 40, (40, 41)),
        WrittenSize(0, 3, (3, 4), cuts=True),
        WrittenSize(1, 20, (20, 21), cuts=True),
    }


def across(x: np.ndarray, *written: WrittenSize) -> list[tuple[str, list[tuple[int, ...]]]]:
    tried = [each for each in other_sizes(as_inputs(x), written) if each.name.startswith("sizes in the code")]
    return [(each.name, shapes(each.inputs)) for each in tried]


def test_the_nearest_size_across_what_is_written_is_tried() -> None:
    both = across(STEPS, WrittenSize(1, 7), WrittenSize(1, 50, (50, 51)), WrittenSize(0, 9, (8, 9)))
    assert both == [("sizes in the code (9 × 7 × 6)", [(9, 7, 6)])]
    assert across(STEPS, WrittenSize(1, 50, (50, 51))) == [("sizes in the code (3 × 51 × 6)", [(3, 51, 6)])]
    assert across(STEPS, WrittenSize(-1, 1)) == []
    assert across(IMAGES, WrittenSize(2, 4)) == []  # a network is made for images of one size, and may say so


def test_nothing_more_is_tried_where_other_sizes_are_across_already() -> None:
    covered = [WrittenSize(1, 15, (15, 16)), WrittenSize(0, 4), WrittenSize(1, 6, (5, 6)), WrittenSize(2, 3)]
    assert across(STEPS, *covered, WrittenSize(1, 4, (4, 5), cuts=True)) == []
    assert across(STEPS, WrittenSize(1, 10**6)) == []


def test_a_branch_at_one_length_is_taken_and_told() -> None:
    def flax(y: jax.Array) -> jax.Array:
        return 2 * y if y.shape[1] == 7 else y

    report = compared(flax, lambda y: y, STEPS)
    first = report.first_difference
    assert first is not None and "different with sizes in the code (3 × 7 × 6)" in first.text
    assert "multiplies with 2" in first.cause
    accepted = parity.Checks(accept=["sizes_in_code"])
    assert compared(flax, lambda y: y, STEPS, checks=accepted).verdict is Verdict.SAME
