"""The lowest and the newest versions: what is pinned, where Pythons are found, what a record and its table say."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import RECORDS, ROOT
from benchmarks.versions import __main__ as command
from benchmarks.versions import environment, page, record
from benchmarks.versions.ranges import dependencies, lowest
from parity.errors import UsageError

COUNTS: dict[str, Any] = {"tests.test_a": {"passed": 3, "failed": 0, "skipped": 1}}
VERSIONS = {"jax": "0.12.0.1", "flax": "0.12.12", "torch": "2.14.1", "numpy": "2.4.6", "scipy": "1.17.1"}


def result(**changes: Any) -> Any:
    made = {"python": "3.12", "end": "newest", "tests": ["tests/test_a.py"], "versions": VERSIONS, "exit_code": 0}
    return {**made, "seconds": 2, "modules": COUNTS, **changes}


def test_the_lowest_versions_are_those_of_the_ranges() -> None:
    ranges = ["numpy>=2.0; python_version < '3.13'", "numpy>=2.1; python_version >= '3.13'", "jax>=0.10,<0.13"]
    assert lowest(ranges, "3.11") == ["numpy==2.0", "jax==0.10"]
    assert lowest(ranges, "3.13") == ["numpy==2.1", "jax==0.10"]


@pytest.mark.parametrize("requirement", ["numpy", "numpy<3", "numpy==2.0"])
def test_a_range_without_a_lower_bound_is_refused(requirement: str) -> None:
    with pytest.raises(UsageError, match=r"expected one lower bound, such as numpy>=1\.0"):
        lowest([requirement], "3.12")


@pytest.mark.parametrize("python", command.PYTHONS)
def test_every_dependency_has_one_lowest_version_on_every_python(python: str) -> None:
    needed = dependencies(ROOT / "pyproject.toml")
    names = [pin.partition("==")[0] for pin in lowest(needed, python)]
    assert len(names) == len(set(names)) >= 11


def test_the_pythons_are_those_that_the_package_says_it_runs_on() -> None:
    declared = (ROOT / "pyproject.toml").read_text()
    for python in command.PYTHONS:
        assert f'"Programming Language :: Python :: {python}"' in declared


def test_the_newest_python_of_pyenv_is_taken_and_a_missing_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("3.12.9", "3.12.10", "3.11.7"):
        (tmp_path / "versions" / version / "bin").mkdir(parents=True)
        (tmp_path / "versions" / version / "bin" / "python").touch()
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert environment.interpreter("3.12") == str(tmp_path / "versions" / "3.12.10" / "bin" / "python")
    with pytest.raises(UsageError, match=r"there is no Python 9\.99 .* install it"):
        environment.interpreter("9.99")


def test_an_environment_that_cannot_be_made_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "versions" / "3.12.0" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho no room left >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert environment.Environment("3.12", "lowest", tmp_path / "made").make() == "no room left"


def test_a_record_keeps_the_last_result_of_each_python_and_end(tmp_path: Path) -> None:
    file = tmp_path / "versions.json"
    for python, end in (("3.13", "newest"), ("3.11", "newest"), ("3.11", "lowest"), ("3.11", "newest")):
        record.add(file, result(python=python, end=end))
    kept = [(one["python"], one["end"]) for one in record.read(file)["results"]]
    assert kept == [("3.11", "lowest"), ("3.11", "newest"), ("3.13", "newest")]
    assert all(one["commit"] for one in record.read(file)["results"])


def test_the_table_says_what_could_not_be_installed() -> None:
    failed = result(end="lowest", versions={}, exit_code=-1, modules={}, output="no wheel")
    table = page.block({"command": "", "hardware": {}, "results": [failed, result()]})
    assert "| 3.12 | lowest | – | – | – | – | – | `tests/test_a.py` | could not be installed |  |  |" in table
    assert "| 3.12 | newest | 0.12.0.1 | 0.12.12 | 2.14.1 | 2.4.6 | 1.17.1 | `tests/test_a.py` | 3 | 0 | 1 |" in table


def test_the_command_goes_on_after_a_failure_and_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {"lowest": "no wheel", "newest": ""}
    monkeypatch.setattr(command, "interpreter", lambda python: python)
    monkeypatch.setattr(environment.Environment, "make", lambda self: made[self.end])
    monkeypatch.setattr(environment.Environment, "versions", lambda self: VERSIONS)
    monkeypatch.setattr(environment.Environment, "test", lambda self, tests: {"exit_code": 0, "modules": COUNTS})
    words = ["--python", "3.13", "--folder", str(tmp_path), "--json", str(tmp_path / "made.json"), "tests/test_a.py"]
    assert command.main(words) == 1
    told = capsys.readouterr().out
    assert "Python 3.13, lowest: could not be installed\nno wheel" in told
    assert "Python 3.13, newest: jax 0.12.0.1" in told and "3 passed, 0 failed, 1 skipped" in told
    assert [one["exit_code"] for one in record.read(tmp_path / "made.json")["results"]] == [-1, 0]
    assert command.main([*words, "--end", "newest"]) == 0


def test_the_page_says_what_the_newest_record_says() -> None:
    assert [record.read(path) for path in RECORDS.glob("*-versions.json")]
    assert command.main(["--page", "--check"]) == 0
