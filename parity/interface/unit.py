"""A layer with parameters or buffers, as a side describes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from parity.interface.packing import Packing

Kind = Literal[
    "dense",
    "conv",
    "conv_transpose",
    "batch_norm",
    "layer_norm",
    "group_norm",
    "rms_norm",
    "embedding",
    "lstm",
    "gru",
    "rnn",
    "custom",
]
CHANNELS_FIRST = frozenset({"conv", "conv_transpose", "batch_norm", "group_norm"})
"""Kinds whose inputs have their channels on the second axis in PyTorch, on the last in Flax."""
BUFFERS = frozenset({"running_mean", "running_var"})


@dataclass(frozen=True)
class Unit:
    """One layer that holds arrays. Canonical roles and layouts (Flax's), by kind:

    - dense: kernel (in, out), bias (out). Attention is dense units: query, key, value, out, whatever holds them; heads
      are merged, kernels are (in, heads x head features) and (heads x head features, out).
    - conv: kernel (*spatial, in / groups, out), bias (out).
    - conv_transpose: kernel (*spatial, in, out), as Flax has it with transpose_kernel=False (PyTorch's is flipped);
      bias.
    - batch_norm: scale, bias, running_mean, running_var (features); the other norms: scale, bias.
    - embedding: table (entries, features).
    - lstm: input_kernel (in, 4 H), recurrent_kernel (H, 4 H), bias (4 H), the sum of both; gates i, f, g, o.
    - gru: input_kernel (in, 3 H), recurrent_kernel (H, 3 H), gates r, z, n; gate_bias (2 H) of r and z, the sum of
      both; candidate_bias (H), the input's of n; recurrent_bias (H), that of n inside the reset gate.
    - rnn: input_kernel (in, H), recurrent_kernel (H, H), bias (H), the sum of both.
    - custom: arrays that a module of no known kind holds itself, by their own names, as they are.

    One layer of stacked ones (a scan's) is a unit of its own, with "[i]" behind its path.

    Args:
        path: path of the module, in the framework's own spelling; "" is the network itself.
        kind: what it computes.
        arrays: canonical role → how the native arrays hold it.
        settings: its conventions in canonical terms and plain values, for those of the kind (see `SETTINGS`).
        order: place in the order of first execution, counted over all units; those that never run come last.
        type: name of the class, for people.
        runs: whether it ran at all.
        normed: the same layer where its weight is computed by a weight norm: its kernel is what is normed, and
            weight_scale (a number for each channel) its norm; or by a spectral norm: spectral_u (a number for each
            output) and spectral_v are the vectors of its power iteration, spectral_sigma the norm that Flax notes down.
    """

    path: str
    kind: Kind
    arrays: Mapping[str, Packing]
    settings: Mapping[str, Any] = field(default_factory=dict)
    order: int = 0
    type: str = ""
    runs: bool = True
    normed: "Unit | None" = None


SETTINGS: Mapping[str, str] = {
    "features": "outputs or channels, int",
    "kernel_size": "tuple of int",
    "strides": "tuple of int",
    "dilation": "tuple of int (of the kernel)",
    "input_dilation": "tuple of int",
    "groups": "int",
    "padding": "'SAME', 'VALID', 'CIRCULAR', 'REFLECT', 'CAUSAL' or a tuple of (before, after) pairs",
    "padding_mode": "'zeros', 'reflect', 'replicate', 'circular'",
    "output_padding": "tuple of int (conv_transpose)",
    "eps": "float added to the variance",
    "keep": "share of the running statistics that a training step keeps: Flax's momentum, one minus PyTorch's",
    "running_var": "'biased' (Flax) or 'unbiased' (PyTorch)",
    "fast_variance": "whether the variance is E[x²] - E[x]²",
    "num_groups": "int (group_norm): an instance norm has as many as channels",
    "padding_idx": "row of an embedding that gets no gradient, or None (PyTorch only)",
    "heads": "int (dense units of attention)",
    "dropout": "rate (attention, recurrent layers)",
    "dtype": "name of the dtype it computes in whatever it is given, if it has one of its own",
    "activation": "name of the activation (rnn)",
    "gate": "name of the gates' activation where it is not sigmoid",
    "power_steps": "int (a spectral norm): steps of the power iteration that a call takes",
    "power_eps": "float (a spectral norm): what keeps the iteration from dividing by zero",
    "overwritten": "bool (a spectral norm of NNX): whether a call writes over the kernel",
    "power_iteration": "(a spectral norm) what is iterated and when, in words",
    "reset_after": "bool (gru): whether the reset gate is applied after the matrix product",
}
"""Names of settings and what they hold."""


STACKED = re.compile(r"(.*)\[(\d+)\]$")


def split_stack(path: str) -> tuple[str, int | None]:
    """Path and index of one of stacked units, such as layers that a scan goes through.

    Returns:
        The path of the stack and the unit's index in it; the path as it is and None for a unit of no stack.
    """
    match = STACKED.match(path)
    return (match[1], int(match[2])) if match else (path, None)
