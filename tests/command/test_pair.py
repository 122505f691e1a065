"""`parity check file.py:function`, `parity convert` and `parity conventions`, as a person runs them."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from safetensors import numpy as safetensors_numpy

from parity.cli.main import main

PAIR = """
import flax.linen as nn
import jax
import numpy as np
import torch

from parity import Checks, TrainingPair

x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)


class Port(nn.Module):
    @nn.compact
    def __call__(self, x, train=False):
        x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(nn.Dense(5)(x))
        return nn.Dense(2)(nn.tanh(x))


def right():
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.BatchNorm1d(5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    return (Port(), Port().init(jax.random.key(0), x)), model, x


class Odd(torch.nn.Tanh):
    def forward(self, x):
        return torch.nn.functional.softsign(x) if self.training else super().forward(x)


def trained():
    flax, model, x = right()
    model[2] = Odd()
    losses = (lambda y, t: ((y - t) ** 2).mean(), lambda y, t: ((y - t) ** 2).mean())
    return flax, model, x, {"training": TrainingPair(loss=losses, targets=np.ones((4, 2), np.float32))}


def wrong():
    flax, model, x = right()
    model[2] = torch.nn.Softsign()
    return flax, model, x, {"checks": Checks(accept=["running_var_bias"])}


def odd():
    return 1, 2


def misspelt():
    return *right(), {"accepted": []}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pair.py"
    path.write_text(PAIR)
    return path


def test_a_pair_is_checked_and_every_form_of_the_report_is_written(parity, file: Path, tmp_path: Path) -> None:
    forms = {form: tmp_path / f"report.{form}" for form in ("json", "html", "junit", "markdown", "map-out", "repro")}
    options = [word for form, path in forms.items() for word in (f"--{form}", str(path))]
    found = parity("check", f"{file}:trained", *options, "--show-map")
    assert found.returncode == 1, found.stderr
    assert "convention running_var_bias (confirmed): " in found.stdout
    assert "mapped 100 % of the parameters; 8 of 8 arrays proven" in found.stdout
    assert [line.partition(":")[0] for line in found.stdout.splitlines()[-3:]][::2] == ["DIFFERENT", "next"], (
        found.stdout
    )
    document = json.loads(forms["json"].read_text())
    assert document["exit_code"] == 1 and document["rungs"][2]["findings"][0]["quantity"] == "loss"
    assert ElementTree.parse(forms["junit"]).getroot().find(".//failure") is not None
    assert r"running\_var\_bias" in forms["markdown"].read_text() and "<html" in forms["html"].read_text()
    assert len(json.loads(forms["map-out"].read_text())["pairs"]) == 3
    assert "from parity.pair.repro.replay import replay" in forms["repro"].read_text()
    assert "flax feeds" in str(np.load(forms["repro"].with_suffix(".npz")).files)


def test_the_exit_code_is_the_verdicts(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--no-probes", "--in-process"]
    assert main(["check", f"{file}:right", "--accept", "running_var_bias", *options]) == 0
    assert main(["check", f"{file}:wrong", *options]) == 1
    assert "the input of layer 3 (Dense / Linear) differs already in evaluation" in capsys.readouterr().out


def test_weights_are_converted_to_a_file(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "weights.safetensors"
    assert main(["convert", f"{file}:right", "--out", str(out)]) == 0
    assert safetensors_numpy.load(out.read_bytes())["params/Dense_1/kernel"].shape == (5, 2)
    out.unlink()
    assert main(["convert", f"{file}:wrong", "--out", str(out)]) == 2
    assert not out.exists()


def test_conventions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conventions"]) == 0
    assert "running_var_bias" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["{}:rigth"], "did you mean right?"),
        (["nothing.py:right"], "there is no file nothing.py"),
        (["{}:odd"], "expected (flax_model, torch_model, inputs)"),
        (["{}:misspelt"], "did you mean accept?"),
        (["{}:right", "moons"], "got moons beside"),
        (["{}:right", "--rungs", "2"], "--rungs is for recipes"),
        (["moons", "--repro", "x.py"], "--repro is for a pair of your own"),
        (["{}:right", "--accept", "running_var"], "did you mean running_var_bias"),
        (["{}:right", "--html", "no/such/folder/x.html"], "expected a file name in a folder that exists"),
        (["{}:right", "--map", "{}"], "is not JSON"),
    ],
)
def test_bad_input_is_one_clear_line(
    words: list[str], expected: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = [] if "moons" in words else ["--in-process"]
    assert main(["check", *(word.format(file) for word in words), *process]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("parity: ") and expected in last


FAULTS = {
    "syntax": ("def pair(:\n", "line 1 is no Python"),
    "import": ("import no_such_module_of_anybody\ndef pair(): ...\n", "cannot be imported: ModuleNotFoundError"),
    "raises": ("1 / 0\ndef pair(): ...\n", "cannot be imported: ZeroDivisionError: division by zero, it.py line 1"),
    "arguments": ("def pair(x, y=1, *, z): ...\n", "needs arguments (x, z)"),
    "no function": ("pair = 3\n", "is of type int; expected a function"),
    "another name": ("def pairs(): ...\n", "did you mean pairs?"),
    "nothing": ("def pair(): ...\n", "returned NoneType; expected"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_users_file_is_one_clear_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, expected = FAULTS[name]
    file = tmp_path / "it.py"
    file.write_text(text)
    assert main(["check", f"{file}:pair", "--in-process"]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("parity: ") and expected in last


def test_a_fault_that_can_be_seen_is_told_before_the_frameworks_are_loaded(tmp_path: Path) -> None:
    file = tmp_path / "it.py"
    file.write_text("def pair(x): ...\n")
    code = (
        "import sys; from parity.cli.main import main; "
        f"code = main(['check', {f'{file}:pair'!r}]); "
        "sys.exit(9 if {'jax', 'torch'} & sys.modules.keys() else code)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 2


def test_a_function_s_name_is_no_emoji(parity, tmp_path: Path) -> None:
    (tmp_path / "port.py").write_text(PAIR.replace("def right()", "def two()"))
    ended = parity("check", "port.py:two", "--no-probes", cwd=tmp_path)
    assert ended.stdout.startswith("port.py:two\n")
    assert ended.stderr.startswith("port.py:two: making the networks\n")
