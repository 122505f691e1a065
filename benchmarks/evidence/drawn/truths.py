"""What the cause of each kind of drawn bug must say to be right: written from the bugs, before any was asked for."""

from collections.abc import Mapping, Sequence

from benchmarks.evidence.causes.truths import says

_ORDER = r"order|interleav|swap|permut|parts?\b|heads?|halves|transpos"
TRUTHS: Mapping[str, Sequence[str]] = {
    "tanh GELU": (r"gelu", r"tanh|approximate"),
    "exact GELU": (r"gelu", r"tanh|exact|approximate"),
    "leaky ReLU": (r"leaky|slope|relu",),
    "SiLU for GELU": (r"silu|sigmoid|logistic", r"gelu"),
    "GELU for SiLU": (r"silu|sigmoid|logistic", r"gelu"),
    "log-softmax for softmax": (r"log",),
    "sigmoid for tanh": (r"sigmoid|logistic", r"tanh"),
    "no bias": (r"bias|adds|add\b",),
    "epsilon 1e-6": (r"1e-0?6",),
    "epsilon 1e-5": (r"1e-0?5",),
    "epsilon 1e-3": (r"0\.001|1e-0?3",),
    "own epsilon 1e-6": (r"1e-0?6",),
    "own epsilon 1e-3": (r"0\.001|1e-0?3",),
    "epsilon outside the root": (r"order|before|after|outside|inside|sqrt|root|square|adds 1e-0",),
    "momentum 1 − m": (r"momentum|0\.\d+|running",),
    "momentum by default": (r"momentum|0\.\d+|running",),
    "fewer groups": (r"group",),
    "padding SAME": (r"pad",),
    "transposed padding": (r"pad|shift|slice",),
    "divisor of the mean": (r"count_include_pad|divisor|divi|pad",),
    "resize method": (r"nearest|linear|mode|resize|interpolat",),
    "flatten order": (_ORDER + r"|flatten|ax[ei]s|layout|channels",),
    "one head": (r"head",),
    "reversed time": (r"revers|other way|flip|backward|order|time",),
    "sum for mean": (r"sum|mean|divi|multipl|factor",),
    "scaled embedding": (r"\b2\b|\b0\.5\b|1/2|scale",),
    "no shortcut": (r"adds?\b|shortcut|residual|takes",),
    "unbiased variance": (r"n - 1|\d/\d|correction|ddof|unbiased|varianc|divi|multipl",),
    "scale of 1 + w": (r"\b1\b",),
    "no upcast": (r"float32|bfloat16|float16|cast|precision",),
    "half precision inside": (r"float32|bfloat16|float16|cast|precision|half",),
    "order in a projection": (_ORDER,),
    "heads in a projection": (_ORDER,),
    "unscaled scores": (r"multipl|divi|scale|√|factor",),
    "base of a table": (r"table|constant|base|500|10000|array",),
    "table from 1": (r"table|constant|\b1\b|array",),
    "neighbours for halves": (_ORDER + r"|neighbour|stack|concatenat",),
    "dropped result": (r"takes|applies|adds|norm|result|does not",),
    "second call of a norm": (r"once more|again|twice|applies|takes|norm",),
    "a later array returned": (r"takes|applies|returned|does not",),
    "gradient of a returned array stopped": (r"stop|detach",),
    "returned array changed in place": (r"place|applies|takes|adds|multipl|does not",),
    "frozen on one side": (r"frozen|trained|requires_grad|stop",),
    "argmin for argmax": (r"argm(ax|in)",),
    "ids from 1": (r"\b1\b",),
    "mask of the other sense": (r"mask|keeps|not\b|compares|other way",),
    "divisor of all steps": (r"divi|mean|number|sum|mask",),
    "axis of a weight norm": (r"ax[ie]s|dim",),
    "no parametrization": (r"applies|parametri|weight|array",),
    "another parametrization": (r"softplus|tanh|applies",),
}
"""Name of a kind of bug → regular expressions that its cause must all match, whatever the case of the letters."""


def is_right(mutation: str, cause: str) -> bool:
    """Whether a cause says what a bug of that kind does.

    Args:
        mutation: name of the kind.
        cause: the cause with its mend; "" for none.
    """
    return says(TRUTHS[mutation], cause)
