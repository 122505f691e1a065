"""The gated recurrent network by hand."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from parity.reference.layers import Array, sigmoid
from parity.reference.modules import Dense, Module, Shapes
from parity.reference.network import Network
from parity.reference.record import Gradients, Run
from parity.reference.rnn import mark_of


class GatesCache(NamedTuple):
    """The arrays that `gates_backward` needs, each (B, H).

    Attributes:
        r, z: the reset gate and the update gate.
        n: the candidate state.
        recurrent_n: the part of n that comes from the state, h_n, before the reset gate scales it.
        state: the state before the step.
    """

    r: Array
    z: Array
    n: Array
    recurrent_n: Array
    state: Array


def gates_forward(inputs: Array, recurrent: Array, state: Array) -> tuple[Array, GatesCache]:
    """Compute h' = (1 - z) * n + z * h with n = tanh(x_n + r * h_n), r and z the sigmoids of x + h.

    Args:
        inputs, recurrent: what the maps of x and of h give, (B, 3 * H) in the order r, z, n.
        state: h, (B, H).

    Returns:
        h', (B, H), and the cache. Source: `torch.nn.GRUCell`.
    """
    x_r, x_z, x_n = np.split(inputs, 3, axis=-1)
    h_r, h_z, h_n = np.split(recurrent, 3, axis=-1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    return (1.0 - z) * n + z * state, GatesCache(r, z, n, h_n, state)


def gates_backward(cotangent: Array, cache: GatesCache) -> tuple[Array, dict[str, Array]]:
    """Differentiate `gates_forward`.

    Args:
        cotangent: gradient with respect to h', (B, H).
        cache: what `gates_forward` returned.

    Returns:
        The gradient of `inputs`, (B, 3 * H); and those of `recurrent`, (B, 3 * H), and `state`, (B, H), by name. The
        last is that of z * h alone: h also enters through `recurrent`.
    """
    r, z, n, recurrent_n, state = cache
    to_n = cotangent * (1.0 - z) * (1.0 - n * n)
    to_r = to_n * recurrent_n * r * (1.0 - r)
    to_z = cotangent * (state - n) * z * (1.0 - z)
    to_recurrent = np.concatenate([to_r, to_z, to_n * r], axis=-1)
    return np.concatenate([to_r, to_z, to_n], axis=-1), {"recurrent": to_recurrent, "state": cotangent * z}


class GRUCell(Module):
    """Two dense layers, `hx` and `hh`, and the gates; two inputs, so it cannot be called alone."""

    def __init__(self, path: str, input_size: int, hidden_size: int) -> None:
        super().__init__(path)
        self.hx = Dense(f"{path}.hx", input_size, 3 * hidden_size)
        self.hh = Dense(f"{path}.hh", hidden_size, 3 * hidden_size)

    def walk(self) -> Iterator[Module]:
        """Yield `hx` and `hh`."""
        yield from (self.hx, self.hh)

    def shapes(self) -> Shapes:
        """Shapes of the weights of `hx`, then of those of `hh`."""
        return self.hx.shapes() | self.hh.shapes()

    def step(self, run: Run, mark: str, inputs: Array, state: Array) -> Array:
        """Run one step, recording three calls: `hx`, `hh` and the cell itself, whose output is the new state."""
        from_input = self.hx.forward(run, f"{self.hx.path}{mark}", inputs)
        from_state = self.hh.forward(run, f"{self.hh.path}{mark}", state)
        output, cache = gates_forward(from_input, from_state, state)
        return run.record(f"{self.path}{mark}", inputs, output, cache)

    def step_back(self, run: Run, gradients: Gradients, mark: str, cotangent: Array) -> tuple[Array, Array]:
        """Run a recorded step backward; return the gradients of its inputs and of the state before it."""
        gradients.outputs[f"{self.path}{mark}"] = cotangent
        to_input, to = gates_backward(cotangent, run.cache[f"{self.path}{mark}"])
        to_state = to["state"] + self.hh.backward(run, gradients, f"{self.hh.path}{mark}", to["recurrent"])
        return self.hx.backward(run, gradients, f"{self.hx.path}{mark}", to_input), to_state


class GRU(Network):
    """h_t = cell(x_t, h_{t-1}) from h_0 = 0; the logits are ph(h_last).

    Args:
        input_size: features of each x_t.
        hidden_size: features of h_t.
        num_classes: number of logits.

    Inputs are (B, steps, input_size) with steps > 0; logits are (B, num_classes). The calls of step t are
    `cell.hx[t]`, `cell.hh[t]` and `cell[t]`, which gives h_{t+1}; without a number if there is one step only.
    """

    def __init__(self, input_size: int = 1, hidden_size: int = 128, num_classes: int = 10) -> None:
        self.cell = GRUCell("cell", input_size, hidden_size)
        self.ph = Dense("ph", hidden_size, num_classes)
        super().__init__([self.cell, self.ph])

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; the cache is the number of steps."""
        features, hidden_size = self.cell.hx.in_features, self.cell.hh.in_features
        if inputs.ndim != 3 or inputs.shape[1] == 0:
            raise ValueError(f"GRU: got inputs {inputs.shape}, expected (B, steps, {features}), steps > 0")
        batch, steps, _ = inputs.shape
        hidden = np.zeros((batch, hidden_size))
        for step in range(steps):
            hidden = self.cell.step(run, mark_of(step, steps), inputs[:, step], hidden)
        return self.ph.forward(run, "ph", hidden), steps

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward through time, last step first."""
        cotangent = self.ph.backward(run, gradients, "ph", cotangent)
        steps = run.cache[""]
        input_gradient = np.zeros_like(run.inputs[""])
        for step in reversed(range(steps)):
            mark = mark_of(step, steps)
            input_gradient[:, step], cotangent = self.cell.step_back(run, gradients, mark, cotangent)
        return input_gradient
