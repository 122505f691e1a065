"""The kinds of bugs in the frameworks' own layers."""

from collections.abc import Callable
from math import prod

from benchmarks.evidence.drawn.mutation import Mutation, Settings, epsilon, other


def _function(old: str, new: str) -> Callable[[Settings], Settings | None]:
    return lambda s: {"function": new} if s["function"] == old else None


def _other_order(s: Settings) -> Settings | None:
    """A change of the order of flattening, where images have several channels and places."""
    *places, channels = s["shape"]
    return {"order": "channels first"} if len(places) == 2 and channels > 1 and prod(places) > 1 else None


def _fewer_groups(s: Settings) -> Settings | None:
    return {"groups": 1} if s["groups"] > 1 else None


def _shift(s: Settings) -> Settings | None:
    return {"shift": 1} if s["padding"] > 0 else None


def _shift_transposed(s: Settings) -> Settings | None:
    """A shift of the padding by one pixel, where both edges have room for it."""
    return {"shift": 1} if min(s["kernel"]) - 1 - s["padding"] > 0 else None


def _other_divisor(s: Settings) -> Settings | None:
    return {"inner": not s["inner"]} if s["padding"] > 0 else None


def _no_bias(s: Settings) -> Settings | None:
    return {"bias": False} if s["bias"] else None


def _other_method(s: Settings) -> Settings | None:
    return {"method": "nearest" if s["method"] == "bilinear" else "bilinear"}


def _one_head(s: Settings) -> Settings | None:
    return {"heads": 1} if s["heads"] > 1 else None


LAYER_MUTATIONS = (
    Mutation("tanh GELU", "51", ("activation",), "", _function("gelu", "gelu tanh")),
    Mutation("exact GELU", "51", ("activation",), "", _function("gelu tanh", "gelu")),
    Mutation("leaky ReLU", "52", ("activation",), "", _function("relu", "leaky relu")),
    Mutation("SiLU for GELU", "52", ("activation",), "", _function("gelu", "silu")),
    Mutation("GELU for SiLU", "52", ("activation",), "", _function("silu", "gelu")),
    Mutation("log-softmax for softmax", "63", ("activation",), "", _function("softmax", "log softmax")),
    Mutation("sigmoid for tanh", "52", ("activation",), "", _function("tanh", "sigmoid")),
    Mutation("no bias", "16", ("dense", "conv", "transposed conv"), "", _no_bias),
    Mutation("epsilon 1e-6", "47", ("layer norm", "group norm", "rms norm"), "", epsilon(1e-6)),
    Mutation("epsilon 1e-5", "47", ("layer norm", "group norm", "rms norm"), "", epsilon(1e-5)),
    Mutation("epsilon 1e-3", "45", ("batch norm",), "", other(eps=1e-3)),
    Mutation("momentum 1 − m", "36", ("batch norm",), "", lambda s: {"keep": 1 - s["keep"]}),
    Mutation("momentum by default", "37", ("batch norm",), "", other(keep=0.99)),
    Mutation("fewer groups", "49", ("group norm",), "", _fewer_groups),
    Mutation("padding SAME", "25", ("conv", "max pool", "mean pool"), "flax", _shift),
    Mutation("transposed padding", "6", ("transposed conv",), "flax", _shift_transposed),
    Mutation("divisor of the mean", "29", ("mean pool",), "", _other_divisor),
    Mutation("resize method", "34", ("resize",), "", _other_method),
    Mutation("flatten order", "4", ("flatten",), "torch", _other_order),
    Mutation("one head", "12", ("attention",), "torch", _one_head),
    Mutation("reversed time", "9", ("rnn", "lstm", "gru"), "flax", other(reverse=True)),
    Mutation("sum for mean", "58", ("mean",), "", other(sum=True)),
    Mutation("scaled embedding", "14", ("embedding",), "", other(scale=2.0)),
    Mutation("no shortcut", "23", ("residual",), "", other(added=False)),
)  # fmt: skip
