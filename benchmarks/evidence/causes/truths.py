"""What a cause must say to be right, for every bug that is planted in a brought pair.

Each is written from the bug's own code, not from what the tool says: every pattern must be found somewhere in the
cause, whatever the case of its letters.
"""

import re
from collections.abc import Mapping, Sequence

TRUTHS: Mapping[str, tuple[str, ...]] = {
    "heads-split": (r"order|axes|permut|transpos|swap|reshape|unflatten",),
    "rotary-neighbours": (r"neighbour|interleav|2i|every second|permut|order|halves",),
    "grouped-tile": (r"repeat|tile|order|permut",),
    "query-scaled-before": (r"2\.449|√6|sqrt\(6\)|scale|factor|divided|div",),
    "attention-axis": (r"axis|dim", r"softmax|reduce|exp|sum"),
    "lstm-gates": (r"order|gates?|permut|chunk|split|swap",),
    "lstm-one-bias": (r"bias",),
    "lstm-carry": (r"swap|order|\[0\]|\[1\]|index|select|state|part [01]",),
    "forget-plus-1": (r"\b1(\.0)?\b", r"add|more|\+|offset"),
    "ln-eps": (r"eps", r"1e-0?6", r"1e-0?5"),
    "gn-eps": (r"eps", r"1e-0?6", r"1e-0?5"),
    "rms-eps": (r"eps", r"1\.19|1e-0?6"),
    "rms-plus-1": (r"1 \+|\+ 1|adds? 1|add.*\b1\b|1.*more",),
    "gn-groups": (r"group", r"\b3\b", r"\b4\b"),
    "in-affine": (r"affine|scale|bias|instance",),
    "conv-same-strided": (r"pad",),
    "pool-zeros": (r"pad", r"\b0\b|zero|inf"),
    "transposed-shift": (r"pad|shift",),
    "resize-antialias": (r"antialias|smooth",),
    "resize-corners": (r"align_corners|corner",),
    "adaptive-windows": (r"window|adaptive|slice|:|from",),
    "mean-of-inner": (r"count_include_pad|padding|divisor",),
    "sinusoid-halves": (r"order|sin|cos|halves|concatenat|table",),
    "embedding-times-root": (r"2\.449|√6|sqrt\(6\)|factor|times|mul",),
    "post-norm": (r"norm",),
    "final-norm": (r"norm|last",),
    "keep-for-rate": (r"dropout", r"0\.25", r"0\.75"),
    "ids-from-1": (r"\b1\b|\bids?\b|index|row", r"add|shift|more|\+|offset"),
    "bfloat16-lookup": (r"bfloat16",),
    "average-debiased": (r"0\.526|0\.1\b|0\.9\b|debias",),
    "average-decay": (r"0\.1\b", r"0\.9\b"),
    "average-twice": (r"twice|second time|again|once more|two times",),
    "gelu-tanh": (r"gelu", r"tanh"),
    "quick-gelu": (r"1\.702|quick",),
    "silu": (r"silu|swish|sigmoid|logistic", r"gelu"),
    "split-chunks": (r"split|chunk|slice",),
    "deviation-ddof": (r"\b5\b|n - 1|ddof|unbiased", r"\b6\b|biased|\bn\b"),
    "abs-at-0": (r"abs", r"\b0\b|zero"),
    "max-ties": (r"max", r"tie|equal"),
    "norm-at-0": (r"norm|sqrt|root", r"\b0\b|zero"),
    "deviation-at-0": (r"sqrt|root|deviation", r"\b0\b|zero"),
    "single-where": (r"where|select|branch|sqrt|root", r"nan|negative|branch|\b0\b"),
    "smoothing-others": (r"0\.025|0\.1", r"0\.02\b|0\.1\b|smooth"),
    "padding-counted": (r"mask|left out|labels|padding|kept|>= 0|\bge\b",),
    "padding-in-mean": (r"divi|mean|sum", r"\b4\b|batch|18|sequence|token|number"),
    "loss-not-averaged": (r"sum", r"averag|mean|divi"),
    "weighted-by-number": (r"divi|mean", r"24|weight|number"),
    "divergence-mean": (r"\b30\b|\b4\b|\b120\b|batch|mean|elements",),
    "alignment-mean": (r"div|length",),
    "softmax-over-time": (r"softmax|axis|dim", r"axis|dim|time"),
    "adamw-decay": (r"decay", r"0\.0001|1e-0?4"),
    "adagrad-start": (r"accumulator|start|initial", r"0\.1\b"),
    "amsgrad-corrected": (r"amsgrad|largest|max", r"correct"),
    "nesterov": (r"nesterov",),
    "momentum-of-rates": (r"momentum", r"rate"),
    "decay-mask": (r"decay", r"bias|mask|kernel|group"),
    "cosine-T-1": (r"\b39\b|early|earlier|step",),
    "cosine-rises": (r"40|end|rises|stays|after",),
    "one-cycle-peak": (r"earlier|peak|\b11\b",),
    "warm-up-from-1": (r"\b1\b|one|shift|later|earlier",),
    "warm-up-included": (r"40|50|included|step",),
    "no-stairs": (r"stair|\b7\b|floor",),
}
"""Name of a bug → regular expressions."""


def says(patterns: Sequence[str], cause: str) -> bool:
    """Whether a cause matches all of these."""
    return bool(cause) and all(re.search(pattern, cause, re.IGNORECASE) for pattern in patterns)


def says_some(patterns: Sequence[str], cause: str) -> bool:
    """Whether a cause matches one of these."""
    return any(says([pattern], cause) for pattern in patterns)
