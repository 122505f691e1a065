"""The kinds of bugs in blocks as people write them themselves."""

from collections.abc import Callable
from typing import Literal

from benchmarks.evidence.drawn.mutation import Mutation, Settings, epsilon, other

Change = Callable[[Settings], Settings | None]


def _several(**new: float | bool) -> Change:
    """A change of a norm over several numbers."""
    return lambda s: new if s["features"] > 1 else None


def _unbiased(s: Settings) -> Settings | None:
    return {"times": s["features"] / (s["features"] - 1)} if s["features"] > 1 else None


def _turned(name: str, *values: object) -> Change:
    """A change of a setting to the other one of two values."""
    return lambda s: {name: values[1] if s[name] == values[0] else values[0]}


def _of_table(change: Change) -> Change:
    """A change of a table, unless both sides hold it as an array: it is state then, which a weight map carries over."""
    return lambda s: None if s["flax"] == s["torch"] == "held" else change(s)


def _no_upcast(s: Settings) -> Settings | None:
    return {"upcast": False} if s["narrow"] and s["upcast"] else None


def _narrow(s: Settings) -> Settings | None:
    return {"narrow": True} if not s["narrow"] else None


def _packed(side: Literal["flax", "torch"], change: Change) -> Change:
    """A change where that side has one projection for queries, keys and values."""
    return lambda s: change(s) if s[side] == "fused" else None


def _heads_apart(s: Settings) -> Settings | None:
    return {"by head": not s["by head"]} if s["heads"] > 1 else None


def _dropped(s: Settings) -> Settings | None:
    return {"used": False} if s["layer"] != "batch norm" else None


def _once_more(side: Literal["flax", "torch"]) -> Change:
    """A change of how often that side calls its BatchNorm."""
    return lambda s: {side: not s[side]} if s["layer"] == "batch norm" else None


def _another_id(s: Settings) -> Settings | None:
    return {"function": "argmin" if s["function"] == "argmax" else "argmax"} if s["features"] > 1 else None


def _no_scale(s: Settings) -> Settings | None:
    return {"scaled": False} if s["features"] > s["heads"] else None


_NORM, _CAST = ("own norm",), ("own norm", "upcast")
_FUSED, _TABLE, _MASKS = ("fused attention",), ("table",), ("masked fill", "masked mean")
OWN_MUTATIONS = (
    Mutation("own epsilon 1e-6", "47", _NORM, "", epsilon(1e-6)),
    Mutation("own epsilon 1e-3", "47", _NORM, "", epsilon(1e-3)),
    Mutation("epsilon outside the root", "69", _NORM, "", _several(outside=True)),
    Mutation("unbiased variance", "65", _NORM, "", _unbiased),
    Mutation("scale of 1 + w", "15", _NORM, "", _turned("more", 0.0, 1.0)),
    Mutation("no upcast", "131", _CAST, "", _no_upcast),
    Mutation("half precision inside", "131", _CAST, "", _narrow),
    Mutation("order in a projection", "12", _FUSED, "flax", _packed("flax", _turned("order", "qkv", "kqv"))),
    Mutation("order in a projection", "12", _FUSED, "torch", _packed("torch", _turned("order", "qkv", "kqv"))),
    Mutation("heads in a projection", "12", _FUSED, "flax", _packed("flax", _heads_apart)),
    Mutation("heads in a projection", "12", _FUSED, "torch", _packed("torch", _heads_apart)),
    Mutation("unscaled scores", "20", _FUSED, "", _no_scale),
    Mutation("base of a table", "14", _TABLE, "", _of_table(_turned("base", 10000.0, 500.0))),
    Mutation("table from 1", "14", _TABLE, "", _of_table(other(start=1))),
    Mutation("neighbours for halves", "13", _TABLE, "", _turned("form", "halves", "neighbours")),
    Mutation("dropped result", "23", ("dropped call",), "", _dropped),
    Mutation("second call of a norm", "39", ("dropped call",), "flax", _once_more("flax")),
    Mutation("second call of a norm", "39", ("dropped call",), "torch", _once_more("torch")),
    Mutation("a later array returned", "", ("tap",), "", other(returned="later")),
    Mutation("gradient of a returned array stopped", "", ("tap",), "", other(returned="stopped")),
    Mutation("returned array changed in place", "", ("tap",), "torch", other(returned="changed")),
    Mutation("frozen on one side", "", ("frozen dense",), "", _turned("frozen", True, False)),
    Mutation("argmin for argmax", "", ("ids",), "", _another_id),
    Mutation("ids from 1", "134", ("ids",), "", other(first=1)),
    Mutation("mask of the other sense", "84", _MASKS, "", other(kept=False)),
    Mutation("divisor of all steps", "126", ("masked mean",), "", other(divisor="all")),
    Mutation("axis of a weight norm", "19", ("weight norm",), "", _turned("axis", 0, 1)),
    Mutation("no parametrization", "16", ("parametrized dense",), "", other(function="none")),
    Mutation("another parametrization", "52", ("parametrized dense",), "", _turned("function", "softplus", "tanh")),
)  # fmt: skip
