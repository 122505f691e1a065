"""The RNN with PyTorch's own recurrent layer, one call for all time steps.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html.
"""

from typing import Any

import torch
from torch import nn

from benchmarks.contestants.torch_default import TorchDefault
from parity.interface.trace import Arrays


class Network(nn.Module):
    """`torch.nn.RNN`, then a dense layer on the last hidden state.

    `torch.nn.RNN` adds two biases where the twin has one, b_hh; b_ih is 0 and stays out of training, so that parameters
    and the norm of all gradients are those of the twin.
    """

    def __init__(self, *, input_size: int, hidden_size: int, num_classes: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=True)
        self.ph = nn.Linear(hidden_size, num_classes)
        self.rnn.bias_ih_l0 = nn.Parameter(torch.zeros(hidden_size), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of sequences x (B, T, F)."""
        return self.ph(self.rnn(x)[0][:, -1])


class TorchRNN(TorchDefault):
    """`torch-default` with `torch.nn.RNN` in the place of the twin's loop over time."""

    def network(self, weights: Arrays) -> nn.Module:
        """The network with these weights, float32 or float64, on the device."""
        model = Network(**self.recipe.config)
        with torch.no_grad():
            for name, parameter in self._named(model).items():
                array = weights[name]
                parameter.copy_(torch.tensor(array.T if array.ndim == 2 else array))
        return model.to(self._device, self.dtype)

    @staticmethod
    def _named(model: Any) -> dict[str, nn.Parameter]:
        """The trained parameters by canonical name; PyTorch's kernels are canonical ones transposed."""
        return {
            "hx.kernel": model.rnn.weight_ih_l0,
            "hh.kernel": model.rnn.weight_hh_l0,
            "hh.bias": model.rnn.bias_hh_l0,
            "ph.kernel": model.ph.weight,
            "ph.bias": model.ph.bias,
        }

    def weights(self) -> Arrays:
        """Copies of the parameters by canonical name."""
        arrays = {name: parameter.detach().cpu().numpy() for name, parameter in self._named(self.model).items()}
        return {name: (array.T if array.ndim == 2 else array).copy() for name, array in arrays.items()}
