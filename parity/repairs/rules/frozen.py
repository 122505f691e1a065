"""Rules for arrays that one side trains and the other does not: trained there too, or frozen on both sides."""

import ast
import re
from collections.abc import Iterator

from parity.checks.verdict import Verdict
from parity.repairs.rules.candidate import Candidate, Context, needs_import
from parity.repairs.rules.constructors import kept_as
from parity.repairs.rules.keywords import with_setting
from parity.repairs.source.files import SourceFile, TextEdit
from parity.repairs.source.nodes import called

STANDING = re.compile(r"(?:^|, )([^,]+?) (is [^,]+?) in (Flax|PyTorch)")
"""What a report says of an array's standing on one side."""
SIDES = {"Flax": "flax", "PyTorch": "torch"}


def frozen(context: Context, side: str) -> Iterator[Candidate]:
    """Edits of one side after which all arrays stand there as on the other side."""
    edits, standings = list[TextEdit](), list(_standings(context))
    for standing in standings:
        names, is_trained = standing[side][0], standing[side][1] == "is trained"
        for name in names.split(" + "):
            last = re.split(r"[./]", name)[-1]
            edits += [edit for edit in _turned(context, side, last, is_trained) if edit not in edits]
    if edits:
        thaws = any(standing[side][1] != "is trained" for standing in standings)
        yield Candidate(side, edits, "train what the other side trains" if thaws else "freeze it too")


def _standings(context: Context) -> Iterator[dict[str, tuple[str, str]]]:
    """Side → names of an array, and its standing there, of each array that only one side trains."""
    for rung in context.report.rungs:
        for finding in rung.findings:
            if finding.quantity == "training" and finding.verdict is Verdict.DIFFERENT:
                words = {SIDES[match[3]]: (match[1], match[2]) for match in STANDING.finditer(finding.reason)}
                if len(words) == len(SIDES):
                    yield words


def _turned(context: Context, side: str, name: str, is_trained: bool) -> Iterator[TextEdit]:
    """Edits after which an array that is trained is not, and the other way round."""
    for file in context.project.files.values():
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call):
                yield from _of_call(file, node, (side, name), is_trained)


def _of_call(file: SourceFile, node: ast.Call, which: tuple[str, str], is_trained: bool) -> Iterator[TextEdit]:
    side, name = which
    if side == "torch" and called(node) == "register_buffer" and _is_text(node, name) and not is_trained:
        spelled, imports = needs_import(file, "torch.nn.Parameter")
        if spelled and len(node.args) > 1:
            yield from (file.replaced(node, f"self.{name} = {spelled}({file.words(node.args[1])})"), *imports)
    elif side == "torch" and called(node) == "Parameter" and kept_as(file, node, name):
        yield from next(with_setting(file, node, ("requires_grad",), ..., str(not is_trained)))
    elif side == "flax" and file.dotted(node.func).startswith("flax.nnx.") and kept_as(file, node, name):
        wanted = {("Param", True): "Variable", ("Variable", False): "Param"}.get((called(node), is_trained))
        spelled = file.spelled(f"flax.nnx.{wanted}") if wanted else ""
        if spelled:
            yield file.replaced(node.func, spelled)


def _is_text(node: ast.Call, name: str) -> bool:
    return bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == name
