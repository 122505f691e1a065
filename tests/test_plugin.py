"""The pytest plugin, in the hands of another project."""

import re
from pathlib import Path

import pytest

TESTS = """
import numpy as np
import pytest
import torch
from flax import nnx

import parity
from parity import Checks


class Port(nnx.Module):
    def __init__(self, rngs):
        self.a, self.b = nnx.Linear(3, 4, rngs=rngs), nnx.Linear(4, 2, rngs=rngs)

    def __call__(self, x):
        return self.b(nnx.tanh(self.a(x)))


x = np.ones((2, 3), np.float32)


def model(activation):
    return torch.nn.Sequential(torch.nn.Linear(3, 4), activation, torch.nn.Linear(4, 2))


def test_right(netparity):
    report = netparity.assert_same(Port(nnx.Rngs(0)), model(torch.nn.Tanh()), x, checks=Checks(probes=False))
    assert report.verdict == "same"


def test_wrong(parity):
    parity.assert_same(Port(nnx.Rngs(0)), model(torch.nn.ReLU()), x, checks=parity.Checks(probes=False))


def test_no_layout(netparity):
    netparity.assert_same(Port(nnx.Rngs(0)), model(torch.nn.Tanh()), x, to_torch="NHWC")


def test_no_array(netparity):
    with pytest.raises(parity.UsageError):
        netparity.compare(Port(nnx.Rngs(0)), model(torch.nn.Tanh()), "x")
"""


def test_a_port_is_asserted_and_a_failure_can_be_acted_on(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile(TESTS)
    reports = tmp_path / "reports"
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", f"--parity-html={reports}")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*test_wrong: the networks are not the same function*",
            "*first difference (forward): the input of layer 2 (Linear / Linear) differs already in evaluation*",
            "*Flax layer: input of b*",
            "*flax's value there: *",
            "*rung 2 (forward) different*",
            "*netparity.assert_same(Port(nnx.Rngs(0)), model(torch.nn.Tanh()), x, to_torch=*",
            "E *UsageError: *NHWC*",
        ]
    )
    shown = result.stdout.str()
    assert "Traceback" not in shown
    assert not re.search(r"^\S*parity/\S+\.py:\d+", shown, re.MULTILINE), "a frame of ours"
    assert {path.name for path in reports.iterdir()} == {"test_right.html", "test_wrong.html"}
