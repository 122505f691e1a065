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
from parity.pair.weightmap.pairings import LayerPairing
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


def reproduced(first: Difference | None, work: CheckState, name: str) -> tuple[str, bytes]:
    """The script that reproduces the first difference, and the .npz file that it reads, if it does: of a layer of a
    known kind alone, else, where the pair's name is that of a function that makes it, with the networks themselves."""
    same = (bond for bond in work.match.bonds if first and bond.torch.path == first.layer_torch)
    text = script(first, next(same, None), work.views["evaluation"].torch["float64"], work.lints)
    return (text, b"") if text or not is_target(name) else written(first, work, name)


def script(found: Difference | None, bond: LayerPairing | None, seen: PassResult, lints: list[Lint]) -> str:
    """The script; "" where the difference is not in one layer of a kind that can be written down.

    Args:
        found: the first difference.
        bond: the layers that it is in.
        seen: PyTorch's evaluation pass, for the shape of the layer's input.
        lints: for a GELU, which is no layer.
    """
    if found is None:
        return ""
    gelu = next((one for one in lints if one.convention == "gelu_form" and one.text == found.cause), None)
    if gelu is not None:
        return _gelu(found, gelu)
    if bond is None or bond.flax.kind != bond.torch.kind:
        return ""
    title = f"{found.text}: {bond.flax.path} in Flax, {bond.torch.path} in PyTorch."
    if lines := _sequence(found, bond):
        shape, layout = _sequence_shape(bond)
        return HEAD.format(title=title, mean=0.0, std=1.0, shape=shape, layout=layout) + lines + TAIL
    write = WRITERS.get(bond.torch.kind) if found.rung in ("forward", "state") else None
    call = next((call for call in seen.calls if call.path == bond.torch.path), None)
    if write is None or call is None or not call.inputs or not call.inputs[0].size:
        return ""
    given = np.moveaxis(call.inputs[0], 1, -1) if _channels_first(bond, call.inputs[0].ndim) else call.inputs[0]
    layout = "channels last" if given.ndim > 2 else "(batch, features)"
    head = HEAD.format(title=title, mean=given.mean(), std=given.std(), shape=given.shape, layout=layout)
    return head + write(bond, given.shape, found.rung == "state") + TAIL


def _sequence(found: Difference, bond: LayerPairing) -> str:
    """The lines for a recurrent layer, an attention or an embedding, where what is declared makes the difference."""
    if found.rung == "gradients":
        return embedding(bond) if bond.torch.kind == "embedding" else ""
    if found.rung != "forward":
        return ""
    return recurrent(bond) if bond.torch.kind in CELLS else attention(bond) if bond.torch.kind == "dense" else ""


def _sequence_shape(bond: LayerPairing) -> tuple[tuple[int, ...], str]:
    shape = bond.links[0].shape
    return (shape, "the gradient's weights") if bond.torch.kind == "embedding" else ((2, 5, shape[0]), "sequences")


def _channels_first(bond: LayerPairing, rank: int) -> bool:
    return bond.torch.kind in CHANNELS_FIRST and rank > 2


def _gelu(found: Difference, lint: Lint) -> str:
    head = HEAD.format(title=found.text, mean=0.0, std=1.0, shape=(1000,), layout="numbers")
    torch = '"tanh"' if lint.torch == "tanh" else '"none"'
    return (
        head
        + f"y = np.asarray(jax.nn.gelu(jnp.asarray(x), approximate={lint.flax == 'tanh'}))\n"
        + f"t = torch.nn.functional.gelu(torch.tensor(x), approximate={torch}).numpy()\n"
        + TAIL
    )


def _convolution(bond: LayerPairing, shape: tuple[int, ...], state: bool) -> str:
    del state
    flax, torch, rank = bond.flax.settings, bond.torch.settings, len(shape) - 2
    turned = bond.torch.kind == "conv_transpose"
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


def _batch_norm(bond: LayerPairing, shape: tuple[int, ...], state: bool) -> str:
    flax, torch, size = bond.flax.settings, bond.torch.settings, shape[-1]
    given = TO_TORCH.format("x") if len(shape) > 2 else "x"
    made = (
        f"flax_layer = nnx.BatchNorm({size}, momentum={flax['keep']!r}, epsilon={flax['eps']!r}, "
        f"use_fast_variance={flax['fast_variance']}, param_dtype=jnp.float64, rngs=nnx.Rngs(0))\n"
        f"torch_layer = torch.nn.BatchNorm{max(len(shape) - 2, 1)}d({size}, eps={torch['eps']!r}, "
        f"momentum={_momentum(torch['keep'])}).double()\n"
        f"y, t = np.asarray(flax_layer(jnp.asarray(x))), torch_layer(torch.tensor({given})).detach().numpy()\n"
    )
    if state:
        return made + "y, t = np.asarray(flax_layer.var[...]), torch_layer.running_var.numpy()  # after one step\n"
    return made + ("t = np.moveaxis(t, 1, -1)\n" if len(shape) > 2 else "")


def _momentum(keep: float | None) -> str:
    return "None" if keep is None else f"{round(1 - keep, 12):g}"


def _norm(flax: str, torch: str) -> Callable[[LayerPairing, tuple[int, ...], bool], str]:
    def write(bond: LayerPairing, shape: tuple[int, ...], state: bool) -> str:
        del state
        ours, theirs, size = bond.flax.settings, bond.torch.settings, shape[-1]
        first = flax == "GroupNorm" and len(shape) > 2
        given = TO_TORCH.format("x") if first else "x"
        return (
            f"flax_layer = nnx.{flax}({size}, {_groups(ours)}epsilon={ours['eps']!r}, "
            f"use_fast_variance={ours['fast_variance']}, param_dtype=jnp.float64, rngs=nnx.Rngs(0))\n"
            f"torch_layer = torch.nn.{torch}({_groups(theirs, named=False)}{size}, eps={theirs['eps']!r}).double()\n"
            f"y, t = np.asarray(flax_layer(jnp.asarray(x))), torch_layer(torch.tensor({given})).detach().numpy()\n"
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
