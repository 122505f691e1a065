"""The pytest plugin, in the hands of another project."""

from pathlib import Path

import pytest

TESTS = """
import numpy as np
import torch
from flax import nnx

from parity import Checks


class Port(nnx.Module):
    def __init__(self, rngs):
        self.a, self.b = nnx.Linear(3, 4, rngs=rngs), nnx.Linear(4, 2, rngs=rngs)

    def __call__(self, x):
        return self.b(nnx.tanh(self.a(x)))


x = np.ones((2, 3), np.float32)


def model(activation):
    return torch.nn.Sequential(torch.nn.Linear(3, 4), activation, torch.nn.Linear(4, 2))


def test_right(parity):
    report = parity.assert_same(Port(nnx.Rngs(0)), model(torch.nn.Tanh()), x, checks=Checks(probes=False))
    assert report.verdict == "same"


def test_wrong(parity):
    parity.assert_same(Port(nnx.Rngs(0)), model(torch.nn.ReLU()), x, checks=Checks(probes=False))
"""


def test_a_port_is_asserted_and_a_failure_can_be_acted_on(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile(TESTS)
    reports = tmp_path / "reports"
    result = pytester.runpytest("-p", "no:cacheprovider", f"--parity-html={reports}")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*test_wrong: the networks are not the same function*",
            "*first difference (forward): the input of 2 (Linear / Linear) differs already in evaluation*",
            "*Flax layer: input of b*",
            "*flax's value there: *",
            "*rung 2 (forward) different*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert {path.name for path in reports.iterdir()} == {"test_right.html", "test_wrong.html"}
