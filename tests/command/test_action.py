"""The GitHub action and the pre-commit hook: their scripts run here, with what GitHub would give them."""

import json
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.command.test_pair import PAIR

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parent.parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["run"].split()[-1]: step for step in ACTION["runs"]["steps"] if "run" in step}


def expression(text: str, known: dict[str, str]) -> str:
    """A value of a step, with the expressions in it replaced; the one with && and || is that of the package."""

    def value(match: re.Match[str]) -> str:
        if "&&" in match[1]:
            return known["github.action_path"] if known["inputs.package"] == "checkout" else known["inputs.package"]
        return known[match[1].strip()]

    return re.sub(r"\$\{\{(.+?)\}\}", value, text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "port.py").write_text(PAIR)
    (tmp_path / "bin").mkdir()
    return tmp_path


def tool(folder: Path, name: str, script: str) -> None:
    place = folder / "bin" / name
    place.write_text(f"#!/usr/bin/env bash\n{script}\n")
    place.chmod(0o755)


def run(step: str, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run a step of the action as GitHub does, with its inputs, and the action's defaults for the others."""
    given = {f"inputs.{name}": str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
    given |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
    known = {"github.action_path": str(ROOT), "runner.temp": str(folder / "temp"), "github.token": "secret", **given}
    known |= {"github.event.pull_request.html_url": "https://github.com/o/r/pull/7"}
    known["inputs.token"] = "secret"
    environment = {name: expression(value, known) for name, value in STEPS[step].get("env", {}).items()}
    files = {name: str(folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    path = f"{folder / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    (folder / "temp").mkdir(exist_ok=True)
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", expression(STEPS[step]["run"], known)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder / known["inputs.working-directory"],
        env={**os.environ, **environment, **files, "PATH": path, "GITHUB_WORKSPACE": str(folder)},
    )


def test_a_wrong_pair_is_annotated_and_all_reports_are_there(folder: Path) -> None:
    arguments = "--no-probes --accept running_var_bias"
    found = run("check", folder, pairs="port.py:wrong\nport.py:right", arguments=arguments)
    assert found.returncode == 1, found.stderr
    (line,) = [line for line in found.stdout.splitlines() if line.startswith("::")]
    number = 1 + PAIR.splitlines().index("        return nn.Dense(2)(nn.tanh(x))")
    assert line.startswith(f"::error file=port.py,line={number},title=netparity%3A port.py%3Awrong is different::")
    reports = folder / "temp" / "netparity"
    assert {path.name for path in reports.iterdir()} == {
        "report.json",
        "report.xml",
        "summary.md",
        "port.py_wrong.html",
        "port.py_right.html",
    }
    assert (folder / "github_step_summary").read_text() == (reports / "summary.md").read_text()
    assert (folder / "github_output").read_text() == f"verdict=different\nreports={reports}\n"
    assert len(json.loads((reports / "report.json").read_text())["results"]) == 2
    assert ElementTree.parse(reports / "report.xml").getroot().find(".//failure") is not None


def test_without_pairs_the_listed_ones_are_checked_and_one_that_is_not_there_is_told(folder: Path) -> None:
    (folder / "parity.toml").write_text("[pairs.gone]\nfunction = 'gone.py:pair'\n")
    found = run("check", folder)
    assert found.returncode == 2 and "there is no file gone.py" in found.stderr
    assert (folder / "github_output").read_text().startswith("verdict=usage\n")


def test_an_input_is_not_run_as_code(folder: Path) -> None:
    run("check", folder, pairs="$(touch broken) `touch broken` port.py:x;touch", arguments="--seed $(touch broken)")
    assert not (folder / "broken").exists()


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, [str(ROOT)]),
        (
            {"package": "netparity==0.2", "extras": "-r requirements.txt ."},
            ["netparity==0.2", "-r", "requirements.txt", "."],
        ),
        ({"package": "", "extras": "."}, ["."]),
    ],
)
def test_what_is_asked_for_is_installed(inputs: dict[str, str], expected: list[str], folder: Path) -> None:
    tool(folder, "python", 'printf "%s\\n" "$@" > asked; echo "$PIP_EXTRA_INDEX_URL" > index')
    assert run("install", folder, **inputs).returncode == 0
    assert (folder / "asked").read_text().split() == ["-m", "pip", "install", "--quiet", *expected]
    assert (folder / "index").read_text() == "https://download.pytorch.org/whl/cpu\n"


def test_nothing_is_installed_where_nothing_is_asked_for(folder: Path) -> None:
    tool(folder, "python", "exit 9")
    assert run("install", folder, package="").returncode == 0


def test_the_summary_becomes_one_comment(folder: Path) -> None:
    tool(folder, "gh", 'printf "%s\\n" "$@" > asked; [[ $GH_TOKEN == secret ]]')
    assert run("comment", folder).returncode == 0 and not (folder / "asked").exists()
    (folder / "temp" / "netparity").mkdir()
    (folder / "temp" / "netparity" / "summary.md").write_text("x" * 70_000)
    assert run("comment", folder).returncode == 0
    words = (folder / "asked").read_text().split()
    assert words[:3] == ["pr", "comment", "https://github.com/o/r/pull/7"] and "--edit-last" in words
    assert Path(words[-1]).stat().st_size == 60_000


def test_the_action_names_what_is_there_and_only_its_own_inputs() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == ACTION["inputs"].keys() >= {"pairs", "python", "extras"}
    assert STEPS.keys() == {"install", "check", "comment"}
    assert os.access(ROOT / ".ci" / "action", os.X_OK)
    assert all(step.get("shell") == "bash" for step in STEPS.values())


def test_the_hook_checks_the_listed_pairs(folder: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {"id", "name", "entry", "language", "files"} <= hook.keys() and hook["pass_filenames"] is False
    assert re.search(hook["files"], "ports/net.py") and not re.search(hook["files"], "README.md")
    (folder / "parity.toml").write_text("[pairs.mine]\nfunction = 'port.py:odd'\n")
    tool(folder, "parity", f'exec {shlex.quote(sys.executable)} -m parity "$@"')
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    found = subprocess.run(
        shlex.split(hook["entry"]),
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (2, "") and "returned tuple" in found.stderr
