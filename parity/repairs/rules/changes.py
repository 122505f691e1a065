"""Rules for a value with a function applied to it: an activation, a factor, an offset, an order, a mask."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from parity.interface.programs.undone import Undone
from parity.repairs.rules.candidate import Candidate, Context, inside, instead, needs_import
from parity.repairs.rules.constructors import constructors
from parity.repairs.rules.expressions import around, function, in_words, inverse
from parity.repairs.source.files import SourceFile, TextEdit
from parity.repairs.source.nodes import FileExpression, called, of_spot, of_value, on_line, operands

MODULES = {
    "ReLU": "ReLU", "ReLU6": "ReLU6", "ELU": "ELU", "SELU": "SELU", "GELU (exact)": "GELU", "SiLU": "SiLU",
    "Mish": "Mish",
    "GELU (tanh form)": 'GELU(approximate="tanh")', "softplus": "Softplus", "softsign": "Softsign", "tanh": "Tanh",
    "sigmoid": "Sigmoid", "log-sigmoid": "LogSigmoid", "hard sigmoid": "Hardsigmoid", "hard swish": "Hardswish",
    "hard tanh": "Hardtanh", "leaky ReLU (slope 0.01)": "LeakyReLU",
}  # fmt: skip
"""Name of an elementwise function → PyTorch's module of it."""


REVERSIBLE = 2
"""Words of a change after which the function follows that was there."""


def change(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that apply the function to the value."""
    if not undone.means or undone.value is None:
        return
    places = _taken(context, undone) if undone.taken else of_value(context.project, undone.value)
    if undone.means[0] == "apply instead":
        yield from _instead(context, undone, places)
        return
    if undone.means[0] == "number":
        yield from _counted(undone, places)
    yield from wrapped(undone.side, undone.means, places)
    if not undone.taken:
        yield from wrapped(undone.side, undone.means, _taken(context, undone))


def elsewhere(context: Context, undone: Undone) -> Iterator[Candidate]:
    """Edits that do the reverse on the other side, at the line where it gives the same numbers."""
    side = "torch" if undone.side == "flax" else "flax"
    line = context.difference.lines.get(side, "")
    if line and undone.means and undone.means[0] == "apply instead" and len(undone.means) > REVERSIBLE:
        _, wanted, was = undone.means
        places = [(f, n) for f, n in reversed(list(on_line(context.project, line))) if isinstance(n, ast.Call)]
        turned = replace(undone, side=side, means=("apply instead", was, wanted), value=None)
        yield from _instead(context, turned, places)
        return
    reverse = inverse(undone.means) if undone.kind == "change" and undone.means else ()
    if line and reverse:
        whole = [(f, n) for f, n in on_line(context.project, line) if isinstance(n, ast.Call | ast.BinOp)]
        yield from wrapped(side, reverse, list(reversed(whole)))


def _taken(context: Context, undone: Undone) -> list[FileExpression]:
    """The expressions that are taken: the operands of the first operation that takes the value."""
    assert undone.value is not None
    places: list[FileExpression] = []
    for use in undone.value.used:
        for file, node in of_spot(context.project, use.spot):
            inner = list(operands(file, node))
            if inner:
                first = inner.pop(min(use.operand, len(inner) - 1))
                places += [(file, first), *((file, operand) for operand in inner)]
    return places


def wrapped(side: str, means: Sequence[str], places: Sequence[FileExpression]) -> Iterator[Candidate]:
    """Edits that write the function around each of some expressions."""
    name, form = around(side, means)
    arrays = [(file, node) for file, node in places if not isinstance(node, ast.Constant)]
    for file, node in arrays if form else ():
        edits = written(file, node, (name, form), node)
        if edits:
            yield Candidate(side, edits, f"{in_words(means)} at line {node.lineno}")


def written(file: SourceFile, node: ast.expr, what: tuple[str, str], taken: ast.expr) -> list[TextEdit]:
    """The edits that write a function of one expression for another; none where the file cannot name the function.

    Args:
        file, node: what is written now.
        what: the function's full name and what is written, as `around` gives them.
        taken: the expression that the function takes.
    """
    name, form = what
    spelled, imports = needs_import(file, name) if name else ("", [])
    split, more = needs_import(file, "jax.numpy.split") if "{s}" in form else ("", [])
    if name and not spelled:
        return []
    text = form.format(f=spelled, s=split, e=file.words(taken), p=inside(file, taken))
    return [instead(file, node, text), *imports, *(e for e in more if e not in imports)]


def _counted(undone: Undone, places: Sequence[FileExpression]) -> Iterator[Candidate]:
    """What a sum of ones stands for: the number of an array's entries, which goes with the batch where a number that is
    written does not."""
    for file, node in places:
        if called(node) == "sum" and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            size = f"{inside(file, node.func.value)}.{'numel()' if undone.side == 'torch' else 'size'}"
            yield Candidate(undone.side, [instead(file, node, size)], f"take the number of entries, {size}")


def _instead(context: Context, undone: Undone, places: Sequence[FileExpression]) -> Iterator[Candidate]:
    """Edits that write one function for another."""
    wanted = undone.means[1]
    words, what = f"apply {wanted}", function(undone.side, wanted)
    if undone.side == "torch" and wanted in MODULES and undone.value is not None and undone.value.call:
        for file, call in constructors(context.project, "torch", undone.value.call):
            root = file.words(call.func).rpartition(".")[0]
            if called(call) in {name.partition("(")[0] for name in MODULES.values()}:
                made = MODULES[wanted] if "(" in MODULES[wanted] else f"{MODULES[wanted]}()"
                text = f"{root}.{made}" if root else made
                yield Candidate("torch", [file.replaced(call, text)], words)
    for file, node in places if what[1] else ():
        for source in _sources(file, node):
            edits = written(file, node, what, source)
            if edits:
                yield Candidate(undone.side, edits, words)


def _sources(file: SourceFile, node: ast.expr) -> Iterator[ast.expr]:
    """What a function that is written as this expression may be of: each name or call in it, once."""
    first = operands(file, node)
    ordered = first if isinstance(node, ast.Call) else sorted(ast.walk(node), key=lambda n: isinstance(n, ast.Call))
    seen: set[str] = set()
    for inner in ordered:
        if isinstance(inner, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.BinOp) and inner is not node:
            words = file.words(inner)
            used = [n for n in ast.walk(node) if isinstance(n, ast.expr) and file.words(n) == words]
            if words not in seen and not file.dotted(inner) and (isinstance(node, ast.Call) or len(used) >= 1):
                seen.add(words)
                yield inner
