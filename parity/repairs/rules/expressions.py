"""What to write around an expression, in each framework."""

import re
from collections.abc import Mapping, Sequence

TORCH: Mapping[str, str] = {
    "ReLU": "torch.nn.functional.relu", "ReLU6": "torch.nn.functional.relu6",
    "leaky ReLU (slope 0.01)": "torch.nn.functional.leaky_relu", "ELU": "torch.nn.functional.elu",
    "SELU": "torch.nn.functional.selu", "GELU (exact)": "torch.nn.functional.gelu", "SiLU": "torch.nn.functional.silu",
    "Mish": "torch.nn.functional.mish", "softplus": "torch.nn.functional.softplus",
    "softsign": "torch.nn.functional.softsign", "tanh": "torch.tanh", "sigmoid": "torch.sigmoid",
    "log-sigmoid": "torch.nn.functional.logsigmoid", "hard sigmoid": "torch.nn.functional.hardsigmoid",
    "hard swish": "torch.nn.functional.hardswish", "hard tanh": "torch.nn.functional.hardtanh",
    "square": "torch.square", "exp": "torch.exp", "floor": "torch.floor", "ceil": "torch.ceil", "round": "torch.round",
}  # fmt: skip
"""Name of an elementwise function → PyTorch's."""
JAX: Mapping[str, str] = {
    "ReLU": "jax.nn.relu", "ReLU6": "jax.nn.relu6", "leaky ReLU (slope 0.01)": "jax.nn.leaky_relu", "ELU": "jax.nn.elu",
    "SELU": "jax.nn.selu", "SiLU": "jax.nn.silu", "Mish": "jax.nn.mish", "softplus": "jax.nn.softplus",
    "softsign": "jax.nn.soft_sign", "tanh": "jax.numpy.tanh", "sigmoid": "jax.nn.sigmoid",
    "log-sigmoid": "jax.nn.log_sigmoid", "hard sigmoid": "jax.nn.hard_sigmoid", "hard swish": "jax.nn.hard_swish",
    "hard tanh": "jax.nn.hard_tanh", "square": "jax.numpy.square", "exp": "jax.numpy.exp", "floor": "jax.numpy.floor",
    "ceil": "jax.numpy.ceil", "round": "jax.numpy.round",
}  # fmt: skip
"""Name of an elementwise function → JAX's."""
MORE: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "torch": {
        "leaky ReLU (slope 0.2)": ("torch.nn.functional.leaky_relu", "{f}({e}, 0.2)"),
        "GELU (tanh form)": ("torch.nn.functional.gelu", '{f}({e}, approximate="tanh")'),
        "GELU (x·σ(1.702·x))": ("torch.sigmoid", "{p} * {f}(1.702 * {p})"),
        "1 - x": ("", "1 - {p}"),
    },
    "flax": {
        "leaky ReLU (slope 0.2)": ("jax.nn.leaky_relu", "{f}({e}, 0.2)"),
        "GELU (exact)": ("jax.nn.gelu", "{f}({e}, approximate=False)"),
        "GELU (tanh form)": ("jax.nn.gelu", "{f}({e}, approximate=True)"),
        "GELU (x·σ(1.702·x))": ("jax.nn.sigmoid", "{p} * {f}(1.702 * {p})"),
        "1 - x": ("", "1 - {p}"),
    },
}
"""Side → name of a function that needs more than a name → the function, and what is written: {f} is the function's
name, {e} the expression, {p} the expression as a part of another."""
ROOT = re.compile(r"(1/)?√(\d+)")


def function(side: str, name: str) -> tuple[str, str]:
    """The full name of an elementwise function, and what is written with it; "" for both where it has none."""
    if name in MORE[side]:
        return MORE[side][name]
    plain = (TORCH if side == "torch" else JAX).get(name, "")
    return plain, "{f}({e})" if plain else ""


def around(side: str, means: Sequence[str]) -> tuple[str, str]:
    """What is written around an expression for a change of its value, as `function` gives it."""
    kind, arguments = means[0], list(means[1:])
    if kind in ("apply", "apply instead"):
        return function(side, arguments[0])
    array = "torch" if side == "torch" else "jax.numpy"
    if kind == "times":
        return "", f"{_factor(arguments)}"
    if kind == "plus":
        number = arguments[0]
        return "", f"{{p}} - {number[1:]}" if number.startswith("-") else f"{{p}} + {number}"
    if kind == "ordered":
        return _ordered(side, arguments)
    if kind == "dealt":
        axis, parts = int(arguments[0]), arguments[1]
        index = ", ".join(["...", f"i::{parts}", *[":"] * (-axis - 1)])
        join = "torch.cat" if side == "torch" else "jax.numpy.concatenate"
        return join, f"{{f}}([v[{index}] for v in [{{e}}] for i in range({parts})], {axis})"
    if kind == "swapped":
        return "", _swapped(int(arguments[0]), int(arguments[1]))
    if kind == "swapaxes":
        return "", f"{{p}}.swapaxes({arguments[0]}, {arguments[1]})"
    if kind == "flip":
        axes = f"({arguments[0]},)" if side == "torch" else arguments[0]
        return f"{array}.flip", f"{{f}}({{e}}, {axes})"
    if kind == "roll":
        return f"{array}.roll", f"{{f}}({{e}}, {arguments[0]}, {arguments[1]})"
    if kind in ("ones", "zeros"):
        return f"{array}.{kind}_like", "{f}({e})"
    if kind == "not":
        return "", "~{p}"
    if kind == "part":
        return "", f"{{p}}{arguments[0]}"
    return ("", arguments[0]) if kind == "number" else ("", "")


WORDS: Mapping[str, str] = {
    "apply": "apply {0}",
    "apply instead": "apply {0}",
    "plus": "add {0}",
    "number": "take {0}",
    "ordered": "put the parts along axis {0} in the order {1}",
    "flip": "reverse axis {0}",
    "dealt": "bring every number that is {1} places apart along axis {0} together",
    "swapped": "split axes {0} and {1} in the other order",
    "swapaxes": "swap axes {0} and {1}",
    "roll": "shift by {0} along axis {1}",
    "ones": "take ones",
    "zeros": "take zeros",
    "not": "negate the mask",
    "part": "take the part {0}",
}
"""Kind of a change → what it does, of its arguments."""


def in_words(means: Sequence[str]) -> str:
    """What a change of a value does, for people.

    Args:
        means: its kind, and its arguments as Python's source.
    """
    if means[0] == "times":
        return f"multiply with {means[-1]}"
    return WORDS[means[0]].format(*means[1:]) if means[0] in WORDS else " ".join(means)


def _factor(arguments: Sequence[str]) -> str:
    root = ROOT.fullmatch(arguments[1]) if len(arguments) > 1 else None
    if root is not None:
        return f"{{p}} {'/' if root[1] else '*'} {root[2]} ** 0.5"
    if len(arguments) > 1 and "/" in arguments[1]:
        over, _, under = arguments[1].partition("/")
        return f"{{p}} / {under}" if over == "1" else f"{{p}} * {over} / {under}"
    return "-{p}" if float(arguments[0]) == -1 else f"{{p}} * {arguments[0]}"


def _ordered(side: str, arguments: Sequence[str]) -> tuple[str, str]:
    axis, order = arguments
    count = order.count(",") + (0 if order.endswith(",)") else 1)
    if side == "torch":
        return "torch.cat", f"{{f}}([parts[i] for parts in [{{p}}.chunk({count}, {axis})] for i in {order}], {axis})"
    split = f"{{s}}({{e}}, {count}, {axis})"
    return "jax.numpy.concatenate", f"{{f}}([parts[i] for parts in [{split}] for i in {order}], {axis})"


def _swapped(first: int, second: int) -> str:
    between = f"*v.shape[{first + 1}:{second}], " if second > first + 1 else ""
    shape = f"*v.shape[:{first}], v.shape[{second}], {between}v.shape[{first}], *v.shape[{second + 1}:]"
    return f"(lambda v: v.reshape({shape}).swapaxes({first}, {second}))({{e}})"


def inverse(means: Sequence[str]) -> Sequence[str]:
    """What undoes a change of the other side's value; () where there is no rule for it."""
    kind, arguments = means[0], list(means[1:])
    if kind == "times" and float(arguments[0]):
        return ("times", repr(1 / float(arguments[0])), _turned(arguments[1]) if len(arguments) > 1 else "")
    if kind == "plus":
        return ("plus", arguments[0][1:] if arguments[0].startswith("-") else f"-{arguments[0]}")
    if kind == "ordered":
        order = [int(part) for part in arguments[1].strip("(),").split(",")]
        return ("ordered", arguments[0], repr(tuple(order.index(i) for i in range(len(order)))))
    if kind == "roll":
        return ("roll", arguments[0][1:] if arguments[0].startswith("-") else f"-{arguments[0]}", arguments[1])
    return tuple(means) if kind in ("flip", "swapaxes", "not") else ()


def _turned(words: str) -> str:
    if words.startswith("1/"):
        return words[2:]
    over, _, under = words.partition("/")
    return f"{under}/{over}" if under else f"1/{over}"
