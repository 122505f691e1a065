"""A script of a few lines that shows a difference on one layer alone, in both frameworks."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity.checks.referee import AGREED
from parity.interface.observation import PassResult
from parity.interface.unit import CHANNELS_FIRST
from parity.pair.arrays.target import is_target
from parity.pair.passes.check_state import CheckState
from parity.pair.repro.replay import written
from parity.pair.repro.sequences import CELLS, attention, embedding, recurrent
from parity.pair.weightmap.pairing.pairings import LayerPairing
from parity.report.records import Difference, Lint

HEAD = '''"""{title}

Run it with python; it exits with 1 if the two still differ."""

import jax
import numpy as np
import torch
from flax import nnx

jax.config.update("jax_enable_x64", True)
jnp, rng = jax.numpy, np.random.default_rng(0)
x = rng.normal({mean:.4g}, {std:.4g}, {shape})  # {layout}; as large and as spread as the layer's own input
'''
TAIL = f"""gap, size = abs(y - t).max(), abs(t).max()
print(f"largest difference in float64: {{gap:.3g}}, of numbers up to {{size:.3g}}")
raise SystemExit(int(gap > {AGREED!r} * size))
"""
TO_TORCH = "np.moveaxis({}, -1, 1).copy()"


def reproduced(first: Difference | None, state: CheckState, name: str) -> tuple[str, bytes]:
    """The script that reproduces the first difference, and the .npz file that it reads, if it does: of a layer of a
    known kind alone, else, where the pair's name is that of a function that makes it, with the networks themselves."""
    layers = (layer for layer in state.weight_map.layers if first and layer.torch.path == first.layer_torch)
    text = script(first, next(layers, None), state.passes["evaluation"].torch["float64"], state.lints)
    return (text, b"") if text or not is_target(name) else written(first, state, name)


def script(difference: Difference | None, layer: LayerPairing | None, seen: PassResult, lints: list[Lint]) -> str:
    """The script; "" where the difference is not in one layer of a kind that can be written down.

    Args:
        difference: The first difference.
        layer: The pairing of the layers that it is in.
        seen: PyTorch's evaluation pass, for the shape of the layer's input.
        lints: Settings that differ; one of them says it of a GELU, which is no layer.
    """
    if difference is None:
        return ""
    gelu = next((a for a in lints if a.convention == "gelu_form" and a.text == difference.cause), None)
    if gelu is not None:
        return _gelu(difference, gelu)
    if layer is None or layer.flax.kind != layer.torch.kind:
        return ""
    title = f"{difference.text}: {layer.flax.path} in Flax, {layer.torch.path} in PyTorch."
    if lines := _sequence(difference, layer):
        shape, layout = _sequence_shape(layer)
        return HEAD.format(title=title, mean=0.0, std=1.0, shape=shape, layout=layout) + lines + TAIL
    write = WRITERS.get(layer.torch.kind) if difference.rung in ("forward", "state") else None
    call = next((call for call in seen.calls if call.path == layer.torch.path), None)
    if write is None or call is None or not call.inputs or not call.inputs[0].size:
        return ""
    inputs = np.moveaxis(call.inputs[0], 1, -1) if _channels_first(layer, call.inputs[0].ndim) else call.inputs[0]
    layout = "channels last" if inputs.ndim > 2 else "(batch, features)"
    head = HEAD.format(title=title, mean=inputs.mean(), std=inputs.std(), shape=inputs.shape, layout=layout)
    return head + write(layer, inputs.shape, difference.rung == "state") + TAIL


def _sequence(difference: Difference, layer: LayerPairing) -> str:
    """The lines for a recurrent layer, an attention or an embedding, where what is declared makes the difference."""
    if difference.rung == "gradients":
        return embedding(layer) if layer.torch.kind == "embedding" else ""
    if difference.rung != "forward":
        return ""
    return recurrent(layer) if layer.torch.kind in CELLS else attention(layer) if layer.torch.kind == "dense" else ""


def _sequence_shape(layer: LayerPairing) -> tuple[tuple[int, ...], str]:
    shape = layer.arrays[0].shape
    return (shape, "the gradient's weights") if layer.torch.kind == "embedding" else ((2, 5, shape[0]), "sequences")


def _channels_first(layer: LayerPairing, rank: int) -> bool:
    return layer.torch.kind in CHANNELS_FIRST and rank > 2


def _gelu(difference: Difference, lint: Lint) -> str:
    head = HEAD.format(title=difference.text, mean=0.0, std=1.0, shape=(1000,), layout="numbers")
    torch = '"tanh"' if lint.torch == "tanh" else '"none"'
    return (
        head
        + f"y = np.asarray(jax.nn.gelu(jnp.asarray(x), approximate={lint.flax == 'tanh'}))\n"
        + f"t = torch.nn.functional.gelu(torch.tensor(x), approximate={torch}).numpy()\n"
        + TAIL
    )


def _convolution(layer: LayerPairing, shape: tuple[int, ...], state: bool) -> str:
    del state
    flax, torch, rank = layer.flax.settings, layer.torch.settings, len(shape) - 2
    turned = layer.torch.kind == "conv_transpose"
    names = ("ConvTranspose", f"ConvTranspose{rank}d") if turned else ("Conv", f"Conv{rank}d")
    groups = "" if turned else f", feature_group_count={flax['groups']}"
    padding = torch["padding"] if isinstance(torch["padding"], str) else tuple(p[0] for p in torch["padding"])
    padding = padding.lower() if isinstance(padding, str) else padding
    extra = f", output_padding={torch['output_padding']}" if turned else ""
    order = (*range(2, 2 + rank), 0, 1) if turned else (*range(2, 2 + rank), 1, 0)
    flipped = f"np.flip(kernel, {tuple(range(rank))})" if turned else "kernel"
    return (
        f"flax_layer = nnx.{names[0]}({shape[-1]}, {flax['features']}, {flax['kernel_size']}, "
        f"strides={flax['strides']}, padding={flax['padding']!r},\n"
        f"    kernel_dilation={flax['dilation']}{groups}, use_bias=False, param_dtype=jnp.float64, rngs=nnx.Rngs(0))\n"
        f"torch_layer = torch.nn.{names[1]}({shape[-1]}, {torch['features']}, {torch['kernel_size']}, "
        f"{torch['strides']}, padding={padding!r},\n    dilation={torch['dilation']}, groups={torch['groups']}{extra}, "
        f"bias=False).double()\n"
        f"kernel = torch_layer.weight.detach().numpy().transpose{order}\n"
        f"flax_layer.kernel[...] = jnp.asarray({flipped})\n"
        f"y = np.asarray(flax_layer(jnp.asarray(x)))\n"
        f"t = torch_layer(torch.tensor({TO_TORCH.format('x')})).detach().numpy()\n"
        f"t = np.moveaxis(t, 1, -1)\n"
        f"assert y.shape == t.shape, (y.shape, t.shape)\n"
    )


def _batch_norm(layer: LayerPairing, shape: tuple[int, ...], state: bool) -> str:
    flax, torch, size = layer.flax.settings, layer.torch.settings, shape[-1]
    inputs = TO_TORCH.format("x") if len(shape) > 2 else "x"
    lines = (
        f"flax_layer = nnx.BatchNorm({size}, momentum={flax['keep']!r}, epsilon={flax['eps']!r}, "
        f"use_fast_variance={flax['fast_variance']}, param_dtype=jnp.float64, rngs=nnx.Rngs(0))\n"
        f"torch_layer = torch.nn.BatchNorm{max(len(shape) - 2, 1)}d({size}, eps={torch['eps']!r}, "
        f"momentum={_momentum(torch['keep'])}).double()\n"
        f"y, t = np.asarray(flax_layer(jnp.asarray(x))), torch_layer(torch.tensor({inputs})).detach().numpy()\n"
    )
    if state:
        return lines + "y, t = np.asarray(flax_layer.var[...]), torch_layer.running_var.numpy()  # after one step\n"
    return lines + ("t = np.moveaxis(t, 1, -1)\n" if len(shape) > 2 else "")


def _momentum(keep: float | None) -> str:
    return "None" if keep is None else f"{round(1 - keep, 12):g}"


def _norm(flax: str, torch: str) -> Callable[[LayerPairing, tuple[int, ...], bool], str]:
    def write(layer: LayerPairing, shape: tuple[int, ...], state: bool) -> str:
        del state
        ours, theirs, size = layer.flax.settings, layer.torch.settings, shape[-1]
        first = flax == "GroupNorm" and len(shape) > 2
        inputs = TO_TORCH.format("x") if first else "x"
        return (
            f"flax_layer = nnx.{flax}({size}, {_groups(ours)}epsilon={ours['eps']!r}, "
            f"use_fast_variance={ours['fast_variance']}, param_dtype=jnp.float64, rngs=nnx.Rngs(0))\n"
            f"torch_layer = torch.nn.{torch}({_groups(theirs, named=False)}{size}, eps={theirs['eps']!r}).double()\n"
            f"y, t = np.asarray(flax_layer(jnp.asarray(x))), torch_layer(torch.tensor({inputs})).detach().numpy()\n"
        ) + ("t = np.moveaxis(t, 1, -1)\n" if first else "")

    return write


def _groups(settings: Mapping[str, Any], named: bool = True) -> str:
    groups = settings.get("num_groups")
    return "" if groups is None else f"num_groups={groups}, " if named else f"{groups}, "


WRITERS: dict[str, Callable[[LayerPairing, tuple[int, ...], bool], str]] = {
    "conv": _convolution,
    "conv_transpose": _convolution,
    "batch_norm": _batch_norm,
    "layer_norm": _norm("LayerNorm", "LayerNorm"),
    "group_norm": _norm("GroupNorm", "GroupNorm"),
    "rms_norm": _norm("RMSNorm", "RMSNorm"),
}
"""Kind → the lines between the input and the comparison."""
