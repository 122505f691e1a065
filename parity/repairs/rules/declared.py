"""Rules for what two layers declare differently, for layers without arrays that the other has, and for casts."""

import ast
import re
from collections.abc import Iterator, Mapping

from parity.repairs.rules.candidate import Candidate, Context, instead
from parity.repairs.rules.changes import wrapped
from parity.repairs.rules.constructors import set_in_constructor
from parity.repairs.rules.keywords import with_setting
from parity.repairs.source.files import SourceFile, TextEdit
from parity.repairs.source.nodes import called, on_line, operands
from parity.report.records import Lint

NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "flax": {"eps": ("epsilon",), "keep": ("momentum", "decay_rate"), "num_groups": ("num_groups",),
             "groups": ("feature_group_count",), "strides": ("strides",), "dilation": ("kernel_dilation",),
             "padding": ("padding",), "rate": ("rate",)},
    "torch": {"eps": ("eps",), "keep": ("momentum",), "num_groups": ("num_groups",), "groups": ("groups",),
              "strides": ("stride",), "dilation": ("dilation",), "rate": ("p",)},
}  # fmt: skip
"""Side → setting of the linter's → keywords of the layers' constructors."""
CASTS = {"bfloat16": ("bfloat16",), "float16": ("half", "float16")}
WIDER = ("to", "type", "astype", "asarray", "type_as", "float", "double", "bfloat16", "half")
REDUCTIONS = ('"sum"', '"mean"', '"batchmean"')


def declared(context: Context, side: str) -> Iterator[Candidate]:
    """Edits of the constructor of a layer, or of a call, so that one side declares what the other does."""
    for lint in context.report.lints:
        if lint.text == context.difference.cause:
            if lint.setting == "gelu":
                yield from _gelu(context, lint, side)
            elif lint.setting == "reduction":
                yield from _reduction(context, lint, side)
            else:
                yield from _layer(context, lint, side)


def _layer(context: Context, lint: Lint, side: str) -> Iterator[Candidate]:
    names = NAMES[side].get(lint.setting, () if lint.setting in NAMES["flax"] else (lint.setting,))
    was, wanted = (lint.flax, lint.torch) if side == "flax" else (lint.torch, lint.flax)
    if side == "torch" and lint.setting == "keep":
        was, wanted = _complement(was), _complement(wanted)
    path = lint.layer_flax if side == "flax" else lint.layer_torch
    try:
        value, _ = ast.literal_eval(was), ast.literal_eval(wanted)
    except (ValueError, SyntaxError):
        return
    values = value[0] if isinstance(value, tuple) and len(set(value)) == 1 and side == "torch" else value
    if not names or wanted in ("", "None"):
        return
    kind = next((n for n in _kinds(context, path, side)), "")
    for edits in set_in_constructor(context.project, side, (path, kind), names, (values, wanted)):
        yield Candidate(side, edits, f"write {names[0]}={wanted}")
    if not kind:
        return
    for edits in set_in_constructor(context.project, side, (path, ""), names, (values, wanted)):
        yield Candidate(side, edits, f"write {names[0]}={wanted}")


def _complement(keep: str) -> str:
    try:
        return f"{1 - float(keep):.12g}"
    except ValueError:
        return ""


def _kinds(context: Context, path: str, side: str) -> Iterator[str]:
    """The class of a layer, as the report names it."""
    for layer in context.report.layers:
        name = (layer.flax if side == "flax" else layer.torch).partition("[")[0]
        if name == path and " / " in layer.type:
            yield layer.type.split(" / ")[0 if side == "flax" else 1]


def _gelu(context: Context, lint: Lint, side: str) -> Iterator[Candidate]:
    other = lint.torch if side == "flax" else lint.flax
    exact = "exact" in other
    wanted = ("False" if exact else "True") if side == "flax" else ('"none"' if exact else '"tanh"')
    for file in context.project.files.values():
        for node in ast.walk(file.tree):
            if called(node) in ("gelu", "GELU") and isinstance(node, ast.Call) and file.side(node.func) == side:
                for edits in with_setting(file, node, ("approximate",), ..., wanted):
                    yield Candidate(side, edits, f"write approximate={wanted}")


def _reduction(context: Context, lint: Lint, side: str) -> Iterator[Candidate]:
    """Another reduction of a loss of PyTorch's."""
    del lint
    for file in context.project.files.values() if side == "torch" else ():
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call) and file.side(node.func) == side and _reduces(file, node):
                for wanted in REDUCTIONS:
                    for edits in with_setting(file, node, ("reduction",), ..., wanted):
                        yield Candidate(side, edits, f"write reduction={wanted}")


def _reduces(file: SourceFile, node: ast.Call) -> bool:
    """Whether a call is of a loss."""
    del file
    name = called(node)
    return any(k.arg == "reduction" for k in node.keywords) or name.endswith(("_loss", "Loss", "_div", "entropy"))


def scaled_loss(context: Context, side: str) -> Iterator[Candidate]:
    """A loss times the number by which the other is larger, where the reduction is said to differ."""
    match = re.search(r"(\w+) (?:sums|averages).*: (\d+) times larger", context.difference.cause)
    if match is not None:
        for file in context.project.files.values():
            for node in ast.walk(file.tree):
                if isinstance(node, ast.Call) and file.side(node.func) == side and _reduces(file, node):
                    number = match[2] if (match[1] != "Flax") is (side == "flax") else repr(1 / int(match[2]))
                    yield from wrapped(side, ("times", number), [(file, node)])


def missing_arrays(context: Context, side: str) -> Iterator[Candidate]:
    """A layer's scale and bias given to it on the side that lacks them."""
    match = re.match(r"(Flax|PyTorch) learns ([^ ]+(?:, [^ ]+)*?), and", context.difference.cause)
    if match is None:
        return
    has = "flax" if match[1] == "Flax" else "torch"
    paths = {name.rpartition(".")[0] for name in match[2].split(", ")}
    roles = {name.rpartition(".")[2] for name in match[2].split(", ")}
    wanted = "False" if side == has else "True"
    for path in paths:
        if side == "torch":
            choices: tuple[tuple[str, ...], ...] = (("affine",), ("elementwise_affine",), ("bias",))
        else:
            choices = (("use_bias",), ("use_scale",))
        for names in choices:
            if side == "torch" and names == ("bias",) and roles != {"bias"}:
                continue
            for edits in set_in_constructor(context.project, side, (path, ""), names, (..., wanted)):
                yield Candidate(side, edits, f"write {names[0]}={wanted}")


def without_casts(context: Context, side: str) -> Iterator[Candidate]:
    """A cast to a narrower dtype taken away."""
    match = re.search(r"computed in (\w+) at ((?:[\w.]+:\d+(?:, )?)+) in (Flax|PyTorch)", context.difference.cause)
    if match is None or (match[3] == "Flax") is not (side == "flax"):
        return
    words, single = f"leave the cast to {match[1]} out", list[TextEdit]()
    for file, node in (pair for place in match[2].split(", ") for pair in on_line(context.project, place)):
        if isinstance(node, ast.Call) and (called(node) in CASTS.get(match[1], ()) or _casts(file, node, match[1])):
            single += [instead(file, node, file.words(operand)) for operand in operands(file, node)[:1]]
    if len(single) > 1:
        yield Candidate(side, single, f"{words} on each line")
    yield from (Candidate(side, [edit], words) for edit in single)


def _casts(file: SourceFile, node: ast.Call, dtype: str) -> bool:
    names = CASTS.get(dtype, ())
    return called(node) in WIDER and any(file.words(arg).rpartition(".")[2].strip("\"'") in names for arg in node.args)
