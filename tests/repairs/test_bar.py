"""A patch that brings the sides no nearer costs no whole check: it ends at the place where they parted."""

from pathlib import Path

from parity.checks.verdict import Finding, Verdict
from parity.pair.bar import Bar, first_finding
from parity.pair.process.child import Asked
from parity.repairs.copies import in_this_process
from parity.report.pair import Report

TEXT = """
import numpy as np
import torch
from flax import nnx


class Flax(nnx.Module):
    def __init__(self):
        self.layer = nnx.Linear(3, 2, rngs=nnx.Rngs(0))

    def __call__(self, x):
        return FACTOR * self.layer(x)


class Torch(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)

    def forward(self, x):
        return 2 * self.layer(x)


def pair():
    return Flax(), Torch(), np.ones((4, 3), "float32")
"""


def checked(file: Path, factor: str, bar: Bar | None = None) -> Report:
    check = in_this_process(Asked(f"{file}:pair", {"probes": False}))
    made = check({str(file): TEXT.replace("FACTOR", factor)}, bar)
    assert isinstance(made, Report), made
    return made


def test_a_check_ends_where_it_shows_no_nearer_sides(tmp_path: Path) -> None:
    file = tmp_path / "pair.py"
    file.write_text(TEXT.replace("FACTOR", "3"))
    whole = checked(file, "3")
    first = first_finding(whole)
    assert first is not None and whole.first_difference is not None and whole.first_difference.proof
    bar = Bar(*first)
    missed = checked(file, "4", bar)
    assert missed.verdict is Verdict.DIFFERENT and [rung.number for rung in missed.rungs] == [1, 2]
    assert missed.first_difference is not None and not missed.first_difference.cause
    nearer = checked(file, "2.1", bar)
    assert nearer.verdict is Verdict.DIFFERENT and [rung.number for rung in nearer.rungs] == [1, 2, 3]
    assert nearer.first_difference is not None and nearer.first_difference.proof
    assert checked(file, "2", bar).verdict is Verdict.SAME
    elsewhere = Bar(2, Finding("output", "elsewhere", Verdict.DIFFERENT, gap=1.0))
    assert not elsewhere.missed(whole)
