"""The vanilla recurrent network by hand."""

from typing import Any

import numpy as np

from parity.reference.layers import Array
from parity.reference.modules import Dense, Tanh
from parity.reference.network import Network
from parity.reference.record import Gradients, Run


class RNN(Network):
    """h_t = tanh(hx(x_t) + hh(h_{t-1})) from h_0 = 0; the logits are ph(h_last). `hx` has no bias.

    Args:
        input_size: features of each x_t.
        hidden_size: features of h_t.
        num_classes: number of logits.

    Inputs are (B, steps, input_size) with steps > 0; logits are (B, num_classes). The calls of step t are
    `hx[t]`, `hh[t]` (`hh[0]` gets h_0) and `tanh[t]` (which gives h_{t+1}), without a number if there is one step only.
    """

    def __init__(self, input_size: int = 1, hidden_size: int = 128, num_classes: int = 10) -> None:
        self.hx = Dense("hx", input_size, hidden_size, has_bias=False)
        self.hh = Dense("hh", hidden_size, hidden_size)
        self.tanh = Tanh("tanh")
        self.ph = Dense("ph", hidden_size, num_classes)
        super().__init__([self.hx, self.hh, self.tanh, self.ph])

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; nothing lies between the modules but the number of steps."""
        if inputs.ndim != 3 or inputs.shape[1] == 0:
            raise ValueError(f"RNN: got inputs {inputs.shape}, expected (B, steps, {self.hx.in_features}), steps > 0")
        batch, steps, _ = inputs.shape
        hidden = np.zeros((batch, self.hh.in_features))
        for step in range(steps):
            mark = mark_of(step, steps)
            from_input = self.hx.forward(run, f"hx{mark}", inputs[:, step])
            from_state = self.hh.forward(run, f"hh{mark}", hidden)
            hidden = self.tanh.forward(run, f"tanh{mark}", from_input + from_state)
        return self.ph.forward(run, "ph", hidden), steps

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward through time, last step first."""
        cotangent = self.ph.backward(run, gradients, "ph", cotangent)
        steps = run.cache[""]
        input_gradient = np.zeros_like(run.inputs[""])
        for step in reversed(range(steps)):
            mark = mark_of(step, steps)
            cotangent = self.tanh.backward(run, gradients, f"tanh{mark}", cotangent)
            input_gradient[:, step] = self.hx.backward(run, gradients, f"hx{mark}", cotangent)
            cotangent = self.hh.backward(run, gradients, f"hh{mark}", cotangent)
        return input_gradient


def mark_of(step: int, steps: int) -> str:
    """The suffix that numbers the calls of a step, such as "[3]"; "" if there is one step only."""
    return f"[{step}]" if steps > 1 else ""
