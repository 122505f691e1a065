"""Scripts for sequences show what is declared otherwise, and nothing else."""

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import pytest

from parity.interface.observation import PassResult
from parity.interface.packing import whole
from parity.interface.unit import Kind, Unit
from parity.pair.repro.script import script
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing
from parity.report.records import Difference

NOTHING = PassResult({}, (), {})


@pytest.fixture(autouse=True)
def _precision() -> Iterator[None]:
    """A script asks for float64 for its whole process."""
    yield
    jax.config.update("jax_enable_x64", False)


def bond(kind: Kind, role: str, shape: tuple[int, ...], flax: dict[str, Any], torch: dict[str, Any]) -> LayerPairing:
    units = Unit("a", kind, {}, flax), Unit("b", kind, {}, torch)
    return LayerPairing(*units, (ArrayPairing(role, shape, whole("a"), whole("b")),))


def written(one: LayerPairing, rung: str = "forward") -> str:
    return script(Difference(rung, "a", "b", "the output of b differs"), one, NOTHING, [])


def exit_code(text: str, path: Path) -> int:
    path.write_text(text)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(path), run_name="__main__")
    return int(stopped.value.code or 0)


H = {"features": 4}
HARD = {**H, "gate": "hard_sigmoid"}
CASES: dict[str, tuple[LayerPairing, str, str, str]] = {
    "lstm": (bond("lstm", "input_kernel", (3, 16), HARD, H), "forward", "hard_sigmoid", "sigmoid"),
    "gru": (bond("gru", "input_kernel", (3, 12), HARD, H), "forward", "hard_sigmoid", "sigmoid"),
    "rnn": (
        bond("rnn", "input_kernel", (3, 4), {**H, "activation": "relu"}, {**H, "activation": "tanh"}),
        "forward", "nn.relu", "nn.tanh",
    ),
    "attention": (bond("dense", "kernel", (8, 8), {"heads": 4}, {"heads": 2}), "forward", "num_heads=4", "num_heads=2"),
    "embedding": (bond("embedding", "table", (5, 3), {}, {"padding_idx": 0}), "gradients", ", padding_idx=0", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_script_shows_the_difference_and_none_once_it_is_mended(name: str, tmp_path: Path) -> None:
    one, rung, wrong, right = CASES[name]
    text = written(one, rung)
    assert text.count(wrong) == 1
    assert exit_code(text, tmp_path / "layer.py") == 1
    assert exit_code(text.replace(wrong, right), tmp_path / "layer.py") == 0


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_layers_that_are_declared_alike_differ_in_something_that_no_script_knows(kind: Kind) -> None:
    assert written(bond(kind, "input_kernel", (3, 4), H, H)) == ""
    assert written(bond(kind, "input_kernel", (3, 4), {**H, "gate": "<lambda>"}, H)) == ""


def test_no_script_of_an_output_is_written_for_a_gradient() -> None:
    conv = {"kernel_size": (3,), "strides": (1,), "dilation": (1,), "groups": 1, "features": 4, "padding": ((1, 1),)}
    assert written(bond("conv", "kernel", (3, 2, 4), conv, conv), "gradients") == ""
    assert written(bond("embedding", "table", (5, 3), {}, {"padding_idx": None}), "gradients") == ""
