"""What two paired layers declare differently, said in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from parity.interface.observation import Dropped
from parity.pair.arrays.layout import spread
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing, WeightMap
from parity.pair.weightmap.ties import held
from parity.report.records import Lint

KINDS = {"batch_norm": "BatchNorm", "layer_norm": "LayerNorm", "group_norm": "GroupNorm", "rms_norm": "RMSNorm",
         "conv": "convolution", "conv_transpose": "transposed convolution",
         "dense": "dense layer", "lstm": "LSTM", "gru": "GRU", "rnn": "RNN", "embedding": "embedding"}  # fmt: skip
POWER = ("power_iteration", "power_steps", "power_eps")
"""Settings of a spectral norm."""
SIZES = (7, 8, 9, 10)
"""Inputs on which paddings are compared: even and odd."""


def lint(weight_map: WeightMap) -> list[Lint]:
    """Settings that differ, alike ones together."""
    lints: dict[tuple[str, str, str, str], Lint] = {}
    for layer in weight_map.layers:
        for difference in _layer(layer):
            key = (layer.torch.kind, difference.setting, difference.flax, difference.torch)
            lints[key] = replace(lints[key], count=lints[key].count + 1) if key in lints else difference
    return [*lints.values(), *(_tie(layer, array) for layer, array in weight_map.arrays if array.tie is not None)]


def _tie(layer: LayerPairing, array: ArrayPairing) -> Lint:
    assert array.tie is not None
    states = ("tied", "untied") if array.tie.side == "flax" else ("untied", "tied")
    return Lint(layer.flax.path, layer.torch.path, "tie", *states, held(array), convention="tied_weights")


def lint_dropout(flax: Sequence[Dropped], torch: Sequence[Dropped]) -> Iterator[Lint]:
    """Uses of dropout in training that differ."""
    if len(flax) != len(torch):
        text = f"dropout is used {len(flax)} times in Flax and {len(torch)} times in PyTorch"
        yield Lint("", "", "dropout", str(len(flax)), str(len(torch)), text)
    for place, (a, b) in enumerate(zip(flax, torch, strict=False), start=1):
        if a.rate != b.rate:
            text = f"dropout {place}: rate {a.rate:g} in Flax, {b.rate:g} in PyTorch"
            yield Lint("", "", "dropout", f"{a.rate:g}", f"{b.rate:g}", text)
        if spread(a.shape, b.shape):
            text = (
                f"dropout {place}: Flax draws a mask of {a.shape}, PyTorch one of {b.shape}; an attention of Flax's "
                f"drops the same weights in every sample and head unless broadcast_dropout=False is written"
            )
            yield Lint("", "", "broadcast_dropout", str(a.shape), str(b.shape), text)


def lint_precision(flax: tuple[bool, str], torch: tuple[bool, str]) -> Iterator[Lint]:
    """Whether one framework is set to strict float32 and the other is not; the check itself is strict on both."""
    if flax[0] != torch[0]:
        text = f"default precision: {flax[1]} in Flax, {torch[1]} in PyTorch (the check itself is strict on both)"
        yield Lint("", "", "precision", flax[1], torch[1], text)


def lint_gelu(flax: Sequence[str], torch: Sequence[str]) -> Iterator[Lint]:
    """Forms of GELU that differ."""
    if flax and torch and set(flax) != set(torch):
        ours, theirs = " and ".join(sorted(set(flax))), " and ".join(sorted(set(torch)))
        text = f"GELU: {ours} form in Flax, {theirs} in PyTorch (they differ by up to 5e-4)"
        yield Lint("", "", "gelu", ours, theirs, text, count=len(flax), convention="gelu_form")


def _layer(layer: LayerPairing) -> Iterator[Lint]:
    ours, theirs = layer.flax.settings, layer.torch.settings
    if layer.flax.kind != layer.torch.kind:
        return
    for setting in ours:
        apart = setting in theirs and setting not in ("padding", "padding_mode", "output_padding")
        if apart and ours[setting] != theirs[setting]:
            yield _lint(layer, setting, ours[setting], theirs[setting])
    if layer.flax.kind in ("conv", "conv_transpose"):
        yield from _padding(layer, ours, theirs)
    if theirs.get("padding_idx") is not None:
        text = (
            f"{_where(layer)}: row {theirs['padding_idx']} (padding_idx) gets no gradient in PyTorch, it does in Flax"
        )
        yield Lint(layer.flax.path, layer.torch.path, "padding_idx", "None", str(theirs["padding_idx"]), text)
    if ours.get("dtype") not in (None, "float64") and "dtype" not in theirs:
        text = f"{_where(layer)}: Flax computes in {ours['dtype']} whatever it is given, PyTorch in what it is given"
        if ours["dtype"] != "float32":
            yield Lint(layer.flax.path, layer.torch.path, "dtype", ours["dtype"], "as given", text)


def _lint(layer: LayerPairing, setting: str, flax: Any, torch: Any) -> Lint:
    texts = {
        "eps": lambda: f"eps is {flax:g} in Flax, {torch:g} in PyTorch",
        "keep": lambda: _keep(flax, torch),
        "running_var": lambda: (
            "running variance: Flax keeps the biased one (divides by n), PyTorch the unbiased (n - 1)"
        ),
        "fast_variance": lambda: (
            "variance: Flax as E[x²] - E[x]², which cancels at large means; PyTorch as E[(x - E[x])²]"
        ),
    }
    texts |= {"power_iteration": lambda: _power_iteration(flax, torch)}
    text = texts.get(setting, lambda: f"{setting} is {flax} in Flax, {torch} in PyTorch")()
    names = {"eps": "norm_eps", "keep": "running_keep", "running_var": "running_var_bias"}
    names |= dict.fromkeys(POWER, "power_iteration")
    return Lint(
        layer.flax.path,
        layer.torch.path,
        setting,
        str(flax),
        str(torch),
        f"{_where(layer)}: {text}",
        convention=names.get(setting, ""),
        mend=_mend(setting, torch),
    )


def _mend(setting: str, torch: Any) -> str:
    """What to write in Flax for PyTorch's setting, where one number is all."""
    words = {"eps": "epsilon", "keep": "momentum"}
    return f"write {words[setting]}={torch:.12g} in Flax" if setting in words and torch is not None else ""


def _keep(flax: float, torch: float | None) -> str:
    if torch is None:
        return f"Flax's momentum {flax:g} keeps {flax:.4g} of the running statistics, PyTorch averages all steps alike"
    return (
        f"momentum: Flax {flax:g} keeps {100 * flax:.4g} % of the running statistics each step, "
        f"PyTorch {1 - torch:.4g} keeps {100 * torch:.4g} %"
    )


def _power_iteration(flax: str, torch: str) -> str:
    return (
        f"spectral norm: Flax starts from the u that it keeps and takes a step {flax}; PyTorch takes one {torch}, and "
        f"evaluates with the u and v that it keeps"
    )


def _where(layer: LayerPairing) -> str:
    return KINDS.get(layer.torch.kind, layer.torch.kind)


def _padding(layer: LayerPairing, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[Lint]:
    pads = _transposed_pads if layer.flax.kind == "conv_transpose" else _pads
    for size in SIZES:
        a, b = pads(ours, size, "flax"), pads(theirs, size, "torch")
        if a is not None and b is not None and a != b:
            text = (
                f"{_where(layer)}: padding {_padding_text(ours['padding'])} in Flax pads {a} where PyTorch's "
                f"{_padding_text(theirs['padding'])} pads {b} ({'even' if size % 2 == 0 else 'odd'} sizes)"
            )
            mend = f"write padding={b} in Flax"
            yield Lint(layer.flax.path, layer.torch.path, "padding", str(a), str(b), text, mend=mend)
            return


def _padding_text(padding: Any) -> str:
    return padding if isinstance(padding, str) else str(tuple(p[0] if p[0] == p[1] else p for p in padding))


def _pads(settings: Mapping[str, Any], size: int, side: str) -> tuple[tuple[int, int], ...] | None:
    """(Before, after) of every axis of a convolution on an input of that size."""
    padding = settings["padding"]
    if not isinstance(padding, str):
        return tuple(padding)
    if padding == "VALID":
        return tuple((0, 0) for _ in settings["kernel_size"])
    if padding != "SAME":
        return None
    each = zip(settings["kernel_size"], settings["strides"], settings["dilation"], strict=True)
    return tuple(_same(size, k, s, d) for k, s, d in each)


def _same(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """SAME: as many outputs as inputs over strides, the odd one behind. PyTorch has it for strides of one only."""
    total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def _transposed_pads(settings: Mapping[str, Any], size: int, side: str) -> tuple[tuple[int, int], ...] | None:
    """(Before, after) of every axis of the convolution over the strided input that a transposed convolution is."""
    del size
    padding, each = (
        settings["padding"],
        list(zip(settings["kernel_size"], settings["strides"], settings["dilation"], strict=True)),
    )
    if side == "torch":
        extra = settings["output_padding"]
        reach = [d * (k - 1) for k, _, d in each]
        return tuple((r - p[0], r - p[1] + o) for r, p, o in zip(reach, padding, extra, strict=True))
    if not isinstance(padding, str):
        return tuple(padding)
    if padding not in ("SAME", "VALID"):
        return None
    return tuple(_transposed_same(d * (k - 1) + 1, s, padding) for k, s, d in each)


def _transposed_same(kernel: int, stride: int, padding: str) -> tuple[int, int]:
    """The padding before and after one axis that `jax.lax.conv_transpose` applies for SAME or VALID."""
    if padding == "VALID":
        return kernel - 1, kernel + stride - 2 + max(kernel - stride, 0) - (kernel - 1)
    total = kernel + stride - 2
    before = kernel - 1 if stride > kernel - 1 else -(-total // 2)
    return before, total - before
