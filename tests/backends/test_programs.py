"""Both backends' passes as operations: they give what the passes give, know the user's lines, and can be edited."""

from pathlib import Path

import flax.linen as fnn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

from parity.backends.flax.side import FlaxSide
from parity.backends.torch.side import TorchSide
from parity.interface.observation import Inputs
from parity.interface.programs.operations import Alias, Setting
from parity.interface.side import Pass, Side

X = np.random.default_rng(0).standard_normal((3, 4, 6)).astype(np.float32)


class TorchNet(nn.Module):
    """A layer, a loop that changes a tensor in its place, rows that are taken apart, and a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 5)
        self.register_buffer("seen", torch.zeros(5))
        self.seen: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layer(x)
        total = torch.zeros_like(x[0])
        for row in x:
            total += row * 2
        total[0] = 1.0
        if self.training:
            self.seen.mul_(0.9).add_(0.1 * x.mean((0, 1)))
        return torch.softmax(total, dim=-1)  # the line that is told


class FlaxNet(fnn.Module):
    @fnn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = fnn.gelu(fnn.Dense(5)(x))
        return jax.nn.softmax(x.sum(0) * 2.0, axis=-1)  # the line that is told


def sides() -> list[Side]:
    port = FlaxNet()
    inputs = Inputs((X,))
    return [TorchSide(TorchNet(), inputs), FlaxSide((port, port.init(jax.random.key(0), jnp.asarray(X))), inputs)]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("which", [0, 1])
def test_the_operations_give_what_the_pass_gives(which: int, training: bool) -> None:
    side = sides()[which]
    how = Pass("float64", training)
    seen, program = side.run(side.native, Inputs((X,)), how), side.program(side.native, Inputs((X,)), how)
    for name, value in program.named.results.items():
        assert np.allclose(program.compute([value])[0], seen.outputs[name], rtol=1e-14)
    for name, value in program.named.buffers.items():
        assert np.allclose(program.compute([value])[0], seen.buffers[name], rtol=1e-14)
    assert [call.path for call in program.calls] == [call.path for call in seen.calls]
    for call, taped in zip(program.calls, seen.calls, strict=True):
        arrays = program.compute([*call.inputs, *call.outputs])
        assert all(np.allclose(a, b, rtol=1e-14) for a, b in zip(arrays, (*taped.inputs, *taped.outputs), strict=True))


def test_the_users_lines_are_known() -> None:
    lines = Path(__file__).read_text().splitlines()
    told = [number for number, line in enumerate(lines, 1) if line.endswith("# the line that is told")]
    for side, line, name in zip(sides(), told, ("softmax", "exp"), strict=True):
        program = side.program(side.native, Inputs((X,)), Pass())
        assert [each.place for each in program.operations if each.name == name] == [f"test_programs.py:{line}"]


def test_a_setting_of_pytorchs_can_be_edited() -> None:
    side = sides()[0]
    program = side.program(side.native, Inputs((X,)), Pass())
    (number,) = [n for n, each in enumerate(program.operations) if each.name == "softmax"]
    assert program.operations[number].settings["dim"] == -1
    (edited,) = program.compute([program.named.results[""]], [Setting(number, "dim", 0)])
    assert np.allclose(edited.sum(0), 1.0) and not np.allclose(edited.sum(1), 1.0)


def test_a_number_and_a_step_of_flaxs_can_be_edited() -> None:
    side = sides()[1]
    program = side.program(side.native, Inputs((X,)), Pass())
    last = program.named.results[""]
    doubled = next(n for n, e in enumerate(program.operations) if e.name == "mul" and 2.0 in e.settings.values())
    (name,) = [name for name, value in program.operations[doubled].settings.items() if value == 2.0]
    (plain,), (edited,) = program.compute([last]), program.compute([last], [Setting(doubled, name, 1.0)])
    each = program.operations[doubled]
    (without,) = program.compute([last], [Alias(each.results[0], each.operands[0])])
    assert np.allclose(edited, without, rtol=1e-14) and not np.allclose(edited, plain)


class Recurrent(nn.Module):
    """PyTorch's own LSTM, begun with zeros that the network makes itself."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        begun = torch.zeros(1, 4, 5)
        return self.lstm(x, (begun, begun))[0]


@pytest.mark.parametrize("edited", ["the state that comes in", "whether there are biases"])
def test_what_pytorch_would_crash_at_is_refused(edited: str) -> None:
    side = TorchSide(Recurrent(), Inputs((X,)))
    program = side.program(side.native, Inputs((X,)), Pass())
    names = [each.name for each in program.operations]
    zeros, lstm = names.index("zeros"), names.index("lstm")
    size = next(name for name, value in program.operations[zeros].settings.items() if value == 1)
    flag = next(name for name, value in program.operations[lstm].settings.items() if value is True)
    edit = Setting(zeros, size, 4) if edited == "the state that comes in" else Setting(lstm, flag, False)
    with pytest.raises(ValueError, match="lstm is run again only as it was"):
        program.compute([program.named.results[""]], [edit])
