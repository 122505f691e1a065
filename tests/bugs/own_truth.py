"""The blocks that people write themselves, by hand in NumPy float64 from PyTorch's arrays: the truth of what is drawn.

Nothing here is shared with the builders. The features are the last axis.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, softmax

Array = NDArray[Any]
Arrays = Mapping[str, Array]
FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {
    "softmax": lambda x: softmax(x, -1),
    "tanh": np.tanh,
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "softplus": lambda x: np.log1p(np.exp(x)),
}
Result = tuple[Array, Array | None]
"""What goes on, and what is returned beside it."""


def block(kind: str, s: Mapping[str, Any], arrays: Arrays, x: Array, mask: Array | None = None) -> Result:
    """What a block gives in evaluation for an input, if nothing rounds."""
    if kind in ("masked fill", "masked mean"):
        assert mask is not None
        return _masked(s, x, mask.astype(bool)), None
    if kind == "tap":
        return np.tanh(2 * x + 1), 2 * x
    if kind == "ids":
        return x, (x if s["function"] == "argmax" else -x).argmax(-1)
    return LAYERS[kind](s, arrays, x), None


def _norm(s: Mapping[str, Any], arrays: Arrays, x: Array) -> Array:
    x = x - x.mean(-1, keepdims=True) if s["form"] == "layer" else x
    y = x / np.sqrt(np.mean(x**2, -1, keepdims=True) + s["eps"]) * (arrays["weight"] + s["more"])
    return y + arrays["bias"] if s["form"] == "layer" else y


def _attention(s: Mapping[str, Any], arrays: Arrays, x: Array) -> Array:
    batch, _, features = x.shape
    size = features // s["heads"]
    weights, biases = projections(s, arrays, features)
    q, k, v = (x @ weights[name].T + biases[name] for name in "qkv")
    heads = np.zeros_like(x)
    for b in range(batch):
        for h in range(s["heads"]):
            part = slice(h * size, (h + 1) * size)
            seen = softmax(q[b, :, part] @ k[b, :, part].T / np.sqrt(size), -1)
            heads[b, :, part] = seen @ v[b, :, part]
    return heads @ arrays["c_proj.weight"].T + arrays["c_proj.bias"]


def projections(s: Mapping[str, Any], arrays: Arrays, features: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """The weights (F, F) and the biases of queries, keys and values, cut row by row from what is packed."""
    if s["torch"] == "separate":
        parts = {name: [arrays.get(f"{name}_proj.{role}") for role in ("weight", "bias")] for name in "qkv"}
    else:
        rows = np.arange(3 * features)
        # by head: head after head, and in each the three one after the other
        part = rows // (features // s["heads"]) % 3 if s["by head"] else rows // features
        packed = [arrays.get(f"c_attn.{role}") for role in ("weight", "bias")]
        parts = {n: [a if a is None else a[part == s["order"].index(n)] for a in packed] for n in "qkv"}
    weights = {name: weight for name, (weight, _) in parts.items() if weight is not None}
    return weights, {name: np.zeros(features) if bias is None else bias for name, (_, bias) in parts.items()}


def _table(s: Mapping[str, Any], arrays: Arrays, x: Array) -> Array:
    half = s["features"] // 2
    y = np.array(x)
    for time in range(s["time"]):
        for wave in range(half):
            angle = time / s["base"] ** (wave / half)
            a, b = (2 * wave, 2 * wave + 1) if s["form"] == "neighbours" else (wave, half + wave)
            if s["use"] == "add":
                y[:, time, a] += np.sin(angle)
                y[:, time, b] += np.cos(angle)
            else:
                turned = (x[:, time, a] + 1j * x[:, time, b]) * np.exp(1j * angle)
                y[:, time, a], y[:, time, b] = turned.real, turned.imag
    return y


def _dropped(s: Mapping[str, Any], arrays: Arrays, x: Array) -> Array:
    if s["layer"] == "dense":
        y = x @ arrays["layer.weight"].T + arrays["layer.bias"]
    elif s["layer"] == "layer norm":
        y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        y = y * arrays["layer.weight"] + arrays["layer.bias"]
    else:
        y = (x - arrays["layer.running_mean"]) / np.sqrt(arrays["layer.running_var"] + 1e-5)
        y = y * arrays["layer.weight"] + arrays["layer.bias"]
    return x + np.tanh(y)


def _frozen(s: Mapping[str, Any], arrays: Arrays, x: Array) -> Array:
    return x @ arrays["weight"].T + arrays["bias"]


def _weight_norm(s: Mapping[str, Any], arrays: Arrays, x: Array) -> Array:
    names = {
        "own": ("length", "direction"),
        "old": ("weight_g", "weight_v"),
        "new": ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    }[s["torch"]]
    length, direction = (arrays[name] for name in names)
    weight = length * direction / np.linalg.norm(direction, axis=1 - s["axis"], keepdims=True)
    return x @ weight.T + arrays["bias"]


def _parametrized(s: Mapping[str, Any], arrays: Arrays, x: Array) -> Array:
    return x @ FUNCTIONS[s["function"]](arrays["parametrizations.weight.original"]).T + arrays["bias"]


def _masked(s: Mapping[str, Any], x: Array, mask: Array) -> Array:
    if "divisor" not in s:
        return np.where(mask[..., None], x, 0)
    return np.stack([x[b, mask[b]].mean(0) for b in range(len(x))])


LAYERS: Mapping[str, Callable[[Mapping[str, Any], Arrays, Array], Array]] = {
    "own norm": _norm,
    "upcast": lambda s, arrays, x: FUNCTIONS[s["function"]](x),
    "fused attention": _attention,
    "table": _table,
    "dropped call": _dropped,
    "frozen dense": _frozen,
    "weight norm": _weight_norm,
    "parametrized dense": _parametrized,
}
