"""Public networks against ports in Flax as a user would write them, right ones and ones with bugs that people met.

A maker returns (Flax network, PyTorch network, inputs, options of `parity.compare`). What it needs is imported when it
is called.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

Pair = tuple[Any, Any, Any, dict[str, Any]]


def _maker(place: str, **settings: Any) -> Callable[[], Pair]:
    """Of "file:function", which is imported when it is called; a setting "=name" is an attribute of flax.linen."""

    def make() -> Pair:
        file, _, function = place.partition(":")
        linen = import_module("flax.linen")
        given = {
            name: getattr(linen, value[1:]) if isinstance(value, str) and value.startswith("=") else value
            for name, value in settings.items()
        }
        return getattr(import_module(f"tests.pairs.{file}"), function)(**given)

    return make


PAIRS: dict[str, Callable[[], Pair]] = {
    "resnet18": _maker("resnet:resnet18"),
    "resnet50": _maker("resnet:resnet50"),
    "vgg11_bn": _maker("vgg11_adaptive:vgg11_adaptive"),
    "mobilenet_v2": _maker("mobilenet_v2:mobilenet_v2"),
    "densenet121": _maker("densenet121:densenet121"),
    "convnext": _maker("convnext:convnext"),
    "vit_linen": _maker("vit_linen:vit_linen"),
    "vit_linen_dense_patches": _maker("vit_linen:vit_linen", patches="dense"),
    "vit_linen_scan": _maker("vit_linen:vit_linen", scan=True),
    "vit_nnx_scan": _maker("vit_nnx:vit_nnx_scan"),
    "transformer_encoder": _maker("encoder:transformer_encoder"),
    "char_lstm": _maker("char_lstm:char_lstm"),
    "char_lstm_own_cell": _maker("char_lstm:char_lstm", cell="own"),
    "gru": _maker("gru_classifier:gru_classifier"),
    "gru_bidirectional": _maker("gru_classifier:gru_classifier", bidirectional=True),
    "nanogpt": _maker("nanogpt:nanogpt"),
    "autoencoder": _maker("autoencoder:autoencoder"),
    "autoencoder_turned": _maker("autoencoder:autoencoder", transpose_kernel=True),
    "llama": _maker("llama_blocks:llama_blocks"),
}
"""Name → maker of a right pair."""

WRONG: dict[str, tuple[Callable[[], Pair], str, int]] = {
    "resnet18_same": (_maker("resnet:resnet18", padding="SAME"), "layer2.0.conv1", 25),
    "resnet18_momentum": (_maker("resnet:resnet18", momentum=0.1), "bn1", 36),
    "vit_tanh_gelu": (_maker("vit_linen:vit_linen", approximate=True), "encoder_layer_0.mlp", 51),
    "vit_epsilon": (_maker("vit_linen:vit_linen", epsilon=1e-5), "encoder_layer_0.ln_1", 47),
    "transformer_epsilon": (_maker("encoder:transformer_encoder", epsilon=1e-6), "layers.0.norm1", 47),
    "transformer_heads_last": (_maker("encoder:transformer_encoder", heads_last=True), "layers.0.self_attn", 12),
    "nanogpt_heads_first": (_maker("nanogpt:nanogpt", heads_first=True), "transformer.h.0.attn", 12),
    "char_lstm_no_bias": (_maker("char_lstm:char_lstm", cell="own", bias=False), "lstm", 8),
    "char_lstm_hard_gates": (_maker("char_lstm:char_lstm", gate="=hard_sigmoid"), "lstm", 7),
    "char_lstm_carry": (_maker("char_lstm:char_lstm", handed_on=True), "lstm", 9),
    "autoencoder_same": (_maker("autoencoder:autoencoder", padding="SAME"), "9", 6),
    "llama_tiled_keys": (_maker("llama_blocks:llama_blocks", tile=True), "layers.0.self_attn", 17),
    "llama_interleaved": (_maker("llama_blocks:llama_blocks", interleaved=True), "layers.0.self_attn", 13),
}
"""Name → (maker of a wrong pair, part of the path of PyTorch's layer where it shows, row of docs/porting-bugs.md)."""
