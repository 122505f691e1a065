"""Layers as people write them themselves, each drawn for the shape of its input.

Where a block's settings have entries "flax" and "torch", these say by which of several equal ways that side is written.
"""

from collections.abc import Callable

from benchmarks.evidence.drawn.network import Block, Choose, Shape

Made = tuple[Block, Shape]


def _norm(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw a layer or root-mean-square norm in a class of one's own, which may compute in float32 inside."""
    del keeps
    settings = {
        "features": shape[-1],
        "form": choose(("layer", "rms")),
        "eps": choose((1e-5, 1e-6, 1e-3)),
        "more": choose((0.0, 1.0)),
        **_precision(choose),
    }
    return Block("own norm", settings), shape


def _upcast(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw a function of which half precision may be asked, and that may compute in float32 all the same."""
    del keeps
    return Block("upcast", {"function": choose(("softmax", "tanh", "gelu")), **_precision(choose)}), shape


def _precision(choose: Choose) -> dict[str, bool]:
    return dict(zip(("narrow", "upcast"), choose(((False, True), (True, True), (True, False))), strict=True))


def _fused(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw self-attention whose queries, keys and values come from one projection, at least on one side."""
    del keeps
    flax, torch = choose((("fused", "fused"), ("separate", "fused"), ("fused", "separate")))
    features = shape[-1]
    settings = {
        "features": features,
        "heads": choose([n for n in (2, 1, 3) if features % n == 0]),
        "flax": flax,
        "torch": torch,
        "order": choose(("qkv", "vkq")),
        "by head": choose((False, True)),
        "bias": choose((True, False)),
    }
    return Block("fused attention", settings), shape


def _table(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw a table of sines that is added, or by which features are turned; an upcast where their number is odd."""
    time, features = shape
    if features % 2 or features < 4:
        return _upcast(choose, shape, keeps)
    settings = {
        "time": time,
        "features": features,
        "base": choose((10000.0, 500.0)),
        "form": choose(("halves", "neighbours")),
        "use": choose(("add", "turn")),
        "flax": choose(("computed", "held", "numpy")),
        "torch": choose(("computed", "held", "attribute", "numpy")),
    }
    return Block("table", settings), shape


def _dropped(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw a layer beside a shortcut, which either side may call once more for nothing."""
    del keeps
    layer = choose(("dense", "layer norm"))
    return Block("dropped call", {"features": shape[-1], "layer": layer, **_sides(choose, (False, True))}), shape


def _dropped_norm(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw a BatchNorm beside a shortcut; each of its calls counts in the running statistics."""
    del keeps
    twice = choose((False, True))
    settings = {"features": shape[-1], "layer": "batch norm", "flax": twice, "torch": twice}
    return Block("dropped call", settings), shape


def _tap(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw an array that is returned beside the result and used inside too."""
    del choose, keeps
    return Block("tap", {"returned": "as it is"}), shape


def _frozen(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw a dense layer whose arrays are not trained, or are."""
    out = shape[-1] if keeps else choose((4, 3, 7))
    settings = {
        "in": shape[-1],
        "out": out,
        "frozen": choose((True, True, False)),
        "flax": choose(("stopped", "variable")),
        "torch": choose(("requires_grad", "buffer", "detached")),
    }
    return Block("frozen dense", settings), (*shape[:-1], out)


def _ids(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw the number of the largest feature, which is returned beside the result."""
    del keeps
    return Block("ids", {"features": shape[-1], "function": choose(("argmax", "argmin")), "first": 0}), shape


def _masked_fill(choose: Choose, shape: Shape, keeps: bool) -> Made:
    del keeps
    return Block("masked fill", {"kept": True, **_sides(choose, ("multiplied", "filled"))}), shape


def _masked_mean(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw the mean over the steps that are there."""
    del keeps
    return Block("masked mean", {"kept": True, "divisor": "kept", **_sides(choose, ("multiplied", "filled"))}), shape[
        -1:
    ]


def _weight_norm(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw a dense layer whose kernel is a direction and a length for each output, or for each input."""
    out = shape[-1] if keeps else choose((4, 3, 7))
    settings = {"in": shape[-1], "out": out, "axis": choose((0, 1)), "torch": choose(("new", "old", "own"))}
    return Block("weight norm", settings), (*shape[:-1], out)


def _parametrized(choose: Choose, shape: Shape, keeps: bool) -> Made:
    """Draw a dense layer whose kernel is a function of what is learnt."""
    out = shape[-1] if keeps else choose((4, 3, 7))
    settings = {"in": shape[-1], "out": out, "function": choose(("softplus", "tanh"))}
    return Block("parametrized dense", settings), (*shape[:-1], out)


def _sides(choose: Choose, ways: tuple[str, ...] | tuple[bool, ...]) -> dict[str, str | bool]:
    return {side: choose(ways) for side in ("flax", "torch")}


OWN_MAKERS: dict[str, Callable[[Choose, Shape, bool], Made]] = {
    "own norm": _norm,
    "upcast": _upcast,
    "fused attention": _fused,
    "table": _table,
    "dropped call": _dropped,
    "dropped norm": _dropped_norm,
    "tap": _tap,
    "frozen dense": _frozen,
    "ids": _ids,
    "masked fill": _masked_fill,
    "masked mean": _masked_mean,
    "weight norm": _weight_norm,
    "parametrized dense": _parametrized,
}
