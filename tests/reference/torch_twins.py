"""The same networks as functions in torch, on the flat dict of canonical names and layouts."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = dict[str, Tensor]


def dense(weights: Weights, path: str, inputs: Tensor) -> Tensor:
    return F.linear(inputs, weights[f"{path}.kernel"].T, weights.get(f"{path}.bias"))


def mlp(weights: Weights, inputs: Tensor, training: bool) -> Tensor:
    hidden = (inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs).flatten(1)
    last = len(weights) // 2 - 1
    for i in range(last):
        hidden = F.relu(dense(weights, f"layers.{i}", hidden))
    return dense(weights, f"layers.{last}", hidden)


def block(weights: Weights, path: str, inputs: Tensor, training: bool) -> Tensor:
    kernel = weights[f"{path}.conv.kernel"].permute(3, 2, 0, 1)
    hidden = F.conv2d(inputs, kernel, weights[f"{path}.conv.bias"], padding=1)
    mean, var, scale, bias = (weights[f"{path}.norm.{n}"] for n in ("running_mean", "running_var", "scale", "bias"))
    return F.relu(F.batch_norm(hidden, mean, var, scale, bias, training, momentum=0.1, eps=1e-5))


def vgg(weights: Weights, inputs: Tensor, training: bool, plan: Any) -> Tensor:
    hidden = inputs.permute(0, 3, 1, 2)
    for i, entry in enumerate(plan):
        if entry == "M":
            hidden = F.max_pool2d(hidden, 3, stride=2, padding=1)
        else:
            hidden = block(weights, f"features.{i}", hidden, training)
    return dense(weights, "classifier", hidden.flatten(1))


def rnn(weights: Weights, inputs: Tensor, training: bool) -> Tensor:
    hidden = torch.zeros(len(inputs), len(weights["hh.bias"]), dtype=inputs.dtype)
    for step in inputs.unbind(1):
        hidden = torch.tanh(dense(weights, "hx", step) + dense(weights, "hh", hidden))
    return dense(weights, "ph", hidden)


def gru(weights: Weights, inputs: Tensor, training: bool) -> Tensor:
    own = {f"weight_{way}_l0": weights[f"cell.{path}.kernel"].T for way, path in (("ih", "hx"), ("hh", "hh"))}
    own |= {f"bias_{way}_l0": weights[f"cell.{path}.bias"] for way, path in (("ih", "hx"), ("hh", "hh"))}
    hidden_size = len(weights["cell.hh.kernel"])
    module = torch.nn.GRU(inputs.shape[-1], hidden_size, batch_first=True, dtype=inputs.dtype)
    _, last = torch.func.functional_call(module, own, (inputs,))
    return dense(weights, "ph", last[0])


TWINS: dict[str, Callable[..., Tensor]] = {
    "MLP": mlp,
    "MLP of rows": mlp,
    "VGG": lambda weights, inputs, training: vgg(weights, inputs, training, (5, "M", 7, 3, "M")),
    "RNN": rnn,
    "GRU": gru,
    "GRU of one step": gru,
    "RNN of one step": rnn,
}
