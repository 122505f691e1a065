"""`parity check file.py:function` where the process that compares the networks dies."""

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from parity.checks.verdict import Verdict
from parity.pair.passes.user_errors import broken
from tests.report import made_pair

PAIR = """
import os
import signal
import sys

import numpy as np
import torch
from flax import nnx

x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)


class Deadly(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, given):
        os.kill(os.getpid(), signal.SIGSEGV)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 2)

    def forward(self, x):
        return Deadly.apply(self.fc(x))


class Port(nnx.Module):
    def __init__(self):
        self.fc = nnx.Linear(3, 2, rngs=nnx.Rngs(0))

    def __call__(self, x):
        return 2 * self.fc(x)


def backward():
    return Port(), Net(), x


"""
LIGHT = """
import os
import signal


def starved():
    os.kill(os.getpid(), signal.SIGKILL)


def slow():
    import time
    print("ready", os.getpid(), flush=True)
    time.sleep(600)


def raising():
    raise ValueError("no such\\nnetwork")
"""


HEEDING = """
import signal
from parity.cli.main import entry_point
signal.signal(signal.SIGINT, signal.default_int_handler)
entry_point()
"""
"""The command; what is started in the background may have been told to ignore Ctrl-C."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pair.py"
    path.write_text(PAIR)
    return path


@pytest.fixture
def light(tmp_path: Path) -> Path:
    """A file whose functions come to no network."""
    path = tmp_path / "light.py"
    path.write_text(LIGHT)
    return path


def test_a_crash_of_the_backward_pass_costs_the_gradients_only(parity, file: Path, tmp_path: Path) -> None:
    forms = {form: tmp_path / f"report.{form}" for form in ("json", "html", "junit", "markdown")}
    options = [word for form, path in forms.items() for word in (f"--{form}", str(path))]
    found = parity("check", f"{file}:backward", "--no-probes", *options)
    assert found.returncode == 3, found.stderr
    reason = "the process died with SIGSEGV during PyTorch's forward and backward pass (evaluation, float64)"
    assert reason in " ".join(found.stdout.split()) and found.stdout.splitlines()[-2].startswith("INCONCLUSIVE")
    document = json.loads(forms["json"].read_text())
    rungs = {one["number"]: one for one in document["rungs"]}
    assert {n: one["verdict"] for n, one in rungs.items()} == {1: "same", 2: "same", 3: "inconclusive"}
    assert rungs[3]["findings"][0]["reason"] == reason and document["exit_code"] == 3
    assert not any(line["proven"] for line in document["weights"])  # nobody saw whether the arrays have an effect
    assert ElementTree.parse(forms["junit"]).getroot().find(".//error") is not None
    assert "died with SIGSEGV" in forms["markdown"].read_text() and "died with SIGSEGV" in forms["html"].read_text()
    assert "in backward" in found.stderr  # where it was, of the process itself


def test_a_pair_that_is_killed_or_raises_is_inconclusive_and_the_next_is_checked(parity, light: Path, tmp_path) -> None:
    out = tmp_path / "report.xml"
    found = parity("check", f"{light}:starved", f"{light}:raising", "--junit", str(out))
    assert found.returncode == 3, found.stderr
    first, second = ElementTree.parse(out).getroot().findall("testsuite")
    killed, raised = (suite.find(".//error").get("message") for suite in (first, second))  # type: ignore[union-attr]
    assert "died with SIGKILL, as the system does when there is no memory left" in str(killed)
    assert "ValueError: no such" in str(raised) and "Traceback" in found.stderr
    skipped = second.find(".//skipped")
    assert skipped is not None and "after rung 1" in skipped.get("message", "")


def test_what_was_different_before_the_crash_stays_so() -> None:
    made = made_pair.report(9, 3)
    report = broken(replace(made, rungs=made.rungs[:2]), 3, "it died")
    assert report.verdict is Verdict.DIFFERENT and report.first_difference == made.first_difference
    assert [(one.number, one.verdict) for one in report.rungs][1:] == [(2, "different"), (3, "inconclusive")]
    assert report.not_run == dict.fromkeys((4, 5, 6), "after rung 3: it died")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_no_process_outlives_the_command(light: Path, sent: signal.Signals, code: int) -> None:
    command = [sys.executable, "-c", HEEDING, "check", f"{light}:slow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        worker = int(run.stdout.readline().split()[1])
        run.send_signal(sent)
        try:
            assert run.wait(20) == code
        finally:
            run.kill()  # or leaving the block would wait for what does not end
        assert _gone(worker)


def _gone(process: int) -> bool:
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


RAISING = """
import torch


def make(**settings):
    return torch.nn.Linear(2, 2, **settings)


def pair():
    return None, make(bogus=1), None
"""


def test_what_a_pair_s_function_raises_is_shown_from_the_user_s_line_on(parity, tmp_path: Path) -> None:
    (tmp_path / "port.py").write_text(RAISING)
    ended = parity("check", "port.py:pair", cwd=tmp_path)
    assert ended.returncode == 3
    assert "'bogus', port.py line 6 during the call of port.py:pair" in " ".join(ended.stdout.split())
    frames = [line.strip() for line in ended.stderr.splitlines() if line.strip().startswith("File ")]
    assert len(frames) == 2 and all("port.py" in frame for frame in frames)
    assert "TypeError: " in ended.stderr
