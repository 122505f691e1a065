"""Arrays that one side freezes, tables of other numbers, functions of the other side, and what no patch may do."""

from dataclasses import replace
from pathlib import Path

import pytest

from parity.checks.verdict import Finding, Rung, Verdict
from parity.interface.programs.undone import SourceValue, Spot, Undone, Use
from parity.repairs.candidates import candidates
from parity.repairs.progress import parts
from parity.repairs.rules.candidate import Context
from parity.repairs.source.files import edited
from parity.repairs.source.project import Project
from parity.report.pair import Report
from parity.report.records import Coverage, Difference
from tests.repairs.test_rules import HEAD, LINE, changed, made, of

NETS = """class Flax(nnx.Module):
    def __init__(self, rngs):
        self.kernel = nnx.Param(jnp.ones(3))


class Torch(nn.Module):
    def __init__(self):
        {torch}"""


@pytest.mark.parametrize(
    ("torch", "standing", "side", "expected"),
    [
        ("self.w = nn.Parameter(x, requires_grad=False)", "is frozen (requires_grad=False)", "torch",
         "self.w = nn.Parameter(x, requires_grad=True)"),
        ('self.register_buffer("w", x)', "is a buffer", "torch", "self.w = nn.Parameter(x)"),
        ('self.register_buffer("w", x)', "is a buffer", "flax", "self.kernel = nnx.Variable(jnp.ones(3))"),
    ],
)  # fmt: skip
def test_an_array_is_trained_on_both_sides_or_on_neither(
    tmp_path: Path, torch: str, standing: str, side: str, expected: str
) -> None:
    (tmp_path / "pair.py").write_text(HEAD + NETS.format(torch=torch))
    project = Project(tmp_path / "pair.py")
    words = f"kernel is trained in Flax, w {standing} in PyTorch"
    rung = Rung(
        1, "structure", Verdict.DIFFERENT, findings=(Finding("training", "w", Verdict.DIFFERENT, reason=words),)
    )
    difference = Difference("structure", "", "", "", cause="it", proof="so")
    report = Report("pair", Verdict.DIFFERENT, [rung], difference, [], [], [], [], Coverage(1, 1))
    patches = list(candidates(Context(project, report, difference), side))
    assert expected in edited(project.files[project.target].text, patches[0].edits)


TABLES = """class Flax(nnx.Module):
    def __call__(self, x):
        return x + jnp.sin(jnp.arange(4) * 10000.0 ** 0.5)


class Torch(nn.Module):
    def forward(self, x):
        return x + torch.sin((1 + torch.arange(4)) * 500.0 ** 0.5)"""


def test_a_number_of_a_table_is_written_as_the_other_side_has_it(tmp_path: Path) -> None:
    undone = Undone("torch", "change", Spot("add", ""))
    texts = made(tmp_path, TABLES, of(undone))
    assert any("(1 + torch.arange(4)) * 10000.0 ** 0.5" in text for text in texts)
    assert any("torch.sin(torch.arange(4) * 500.0 ** 0.5)" in text for text in texts)


def test_the_other_side_may_apply_this_side_s_function(tmp_path: Path) -> None:
    undone = changed("relu", "apply instead", "tanh", "softplus")
    texts = made(tmp_path, "y = x @ nnx.tanh(w)", of(undone, lines={"flax": LINE}), side="flax")
    assert any("jax.nn.softplus(w)" in text or "nnx.softplus(w)" in text for text in texts)


def test_no_function_of_an_array_is_written_around_a_number(tmp_path: Path) -> None:
    taken = SourceValue(None, used=(Use(Spot("mul", LINE), 0),))
    undone = replace(changed("mul", "ordered", "-1", "(0, 2, 1, 3)"), value=taken, taken=True)
    assert all("2.chunk" not in text for text in made(tmp_path, "y = 2 * x", of(undone)))


def _report(*verdicts: Verdict) -> Report:
    findings = [Finding("result", f"[{number}]", verdict) for number, verdict in enumerate(verdicts)]
    rung = Rung(2, "forward", Verdict.DIFFERENT, "", findings[-1], tuple(findings))
    return Report("pair", Verdict.DIFFERENT, [rung], None, [], [], [], [], Coverage(1, 1))


def test_a_patch_that_parts_what_agreed_is_told() -> None:
    before = _report(Verdict.SAME, Verdict.DIFFERENT)
    assert parts(before, _report(Verdict.DIFFERENT, Verdict.SAME)) == "[0]"
    assert parts(before, _report(Verdict.SAME, Verdict.SAME)) == ""
