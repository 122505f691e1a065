"""Small pairs of layers that the study's networks do not have, made as a user would bring them.

A module here has `Settings`, a dataclass of all that a bug may change, and `pair(flax, torch)`: both sides' networks,
each by its own settings, the inputs and the options of `parity.compare`. With equal settings the two are the same
function.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

PAIRS: dict[str, tuple[str, Mapping[str, Any]]] = {
    **{name: (name, {}) for name in ("attention", "lstm", "norms", "decoder", "tokens", "average", "special")},
    "decoder, mean": ("decoder", {"pool": "mean"}),
    "padded loss": ("losses", {"kind": "padded"}),
    "smoothed loss": ("losses", {"kind": "smoothed"}),
    "weighted loss": ("losses", {"kind": "weighted"}),
    "divergence": ("losses", {"kind": "divergence"}),
    "alignment": ("losses", {"kind": "alignment"}),
    **{name: ("optimizers", {"kind": name}) for name in ("adamw", "adagrad", "amsgrad", "momentum")},
    "adamw, some": ("optimizers", {"kind": "adamw, some", "decayed": "kernels"}),
    "rmsprop, scheduled": ("optimizers", {"kind": "rmsprop", "schedule": "cosine"}),
    "cosine": ("optimizers", {"schedule": "cosine"}),
    "cosine, beyond": ("optimizers", {"schedule": "cosine", "steps": 60}),
    "one cycle": ("optimizers", {"schedule": "one cycle"}),
    "warm-up": ("optimizers", {"schedule": "warm-up"}),
    "stairs": ("optimizers", {"schedule": "stairs"}),
}
"""Name of a pair → module in this package, and the settings of both its sides."""


def make(pair: str, side: str = "", plant: Mapping[str, Any] | None = None) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Make a pair, with a bug planted in one side.

    Args:
        pair: a name in `PAIRS`.
        side: "flax" or "torch", the side with the bug; "" for none.
        plant: the settings of that side that the bug changes.

    Returns:
        Flax's network, PyTorch's network, the inputs, and the options of `parity.compare`.
    """
    name, base = PAIRS[pair]
    module = import_module(f"{__name__}.{name}")
    settings = {
        which: module.Settings(**{**base, **(plant if plant and which == side else {})}) for which in ("flax", "torch")
    }
    return module.pair(**settings)
