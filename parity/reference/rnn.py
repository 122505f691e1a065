"""The vanilla recurrent network by hand."""

from typing import Any

import numpy as np

from parity.reference.layers import Array, tanh_backward, tanh_forward
from parity.reference.modules import Dense
from parity.reference.network import Network
from parity.reference.record import Gradients, Run


class RNN(Network):
    """h_t = tanh(hx(x_t) + hh(h_{t-1})) from h_0 = 0; the logits are ph(h_last). `hx` has no bias.

    Args:
        input_size: features of each x_t.
        hidden_size: features of h_t.
        num_classes: number of logits.

    Inputs are (B, steps, input_size) with steps > 0; logits are (B, num_classes). The calls of step t are
    `hx[t]` and `hh[t]` (`hh[0]` gets h_0), or `hx` and `hh` if there is one step only.
    """

    def __init__(self, input_size: int = 1, hidden_size: int = 128, num_classes: int = 10) -> None:
        self.hx = Dense("hx", input_size, hidden_size, has_bias=False)
        self.hh = Dense("hh", hidden_size, hidden_size)
        self.ph = Dense("ph", hidden_size, num_classes)
        super().__init__([self.hx, self.hh, self.ph])

    def compute(self, run: Run, inputs: Array) -> tuple[Array, Any]:
        """Run forward; the cache lists the hidden states h_1, …, which are what tanh needs."""
        if inputs.ndim != 3 or inputs.shape[1] == 0:
            raise ValueError(f"RNN: got inputs {inputs.shape}, expected (B, steps, {self.hx.in_features}), steps > 0")
        batch, steps, _ = inputs.shape
        hidden = np.zeros((batch, self.hh.in_features))
        states = []
        for step in range(steps):
            mark = _mark(step, steps)
            from_input = self.hx.forward(run, f"hx{mark}", inputs[:, step])
            from_state = self.hh.forward(run, f"hh{mark}", hidden)
            hidden, cache = tanh_forward(from_input + from_state)
            states.append(cache)
        return self.ph.forward(run, "ph", hidden), states

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward through time, last step first."""
        cotangent = self.ph.backward(run, gradients, "ph", cotangent)
        states = run.cache[""]
        steps = len(states)
        input_gradient = np.zeros_like(run.inputs[""])
        for step in reversed(range(steps)):
            mark = _mark(step, steps)
            cotangent = tanh_backward(cotangent, states[step])
            input_gradient[:, step] = self.hx.backward(run, gradients, f"hx{mark}", cotangent)
            cotangent = self.hh.backward(run, gradients, f"hh{mark}", cotangent)
        return input_gradient


def _mark(step: int, steps: int) -> str:
    return f"[{step}]" if steps > 1 else ""
