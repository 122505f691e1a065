"""An environment of one Python with the lowest or the newest versions, in which tests are run."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.requirements import Requirement

from benchmarks import ROOT
from benchmarks.evidence.slow import counted
from benchmarks.versions.ranges import dependencies, lowest
from parity.errors import UsageError

ENDS = ("lowest", "newest")
SHOWN = 2000
"""Characters of what pip or pytest said that a record keeps."""
VERSIONS = (
    "import json, sys; from importlib.metadata import version; print(json.dumps({n: version(n) for n in sys.argv[1:]}))"
)
REPORTED = ("-o", "junit_family=xunit1")
"""The form of JUnit's report into which a test may write what it measured."""
OURS = ("PYTHONPATH", "VIRTUAL_ENV", "PIP_CONSTRAINT")
"""Variables that would let something of this environment into the other one."""


@dataclass(frozen=True)
class Environment:
    """An environment.

    Args:
        python: The version of Python, such as "3.12".
        end: "lowest" or "newest".
        folder: The folder that holds it.
    """

    python: str
    end: str
    folder: Path

    @property
    def _program(self) -> Path:
        return self.folder / "bin" / "python"

    def make(self) -> str:
        """Make it, or bring what is there up to date.

        Returns:
            "" if it was made, else why it could not be.
        """
        if not self._program.exists() and (fault := _ran([interpreter(self.python), "-m", "venv", str(self.folder)])):
            return fault
        pip = [str(self._program), "-m", "pip", "install", "--upgrade", "--only-binary", ":all:"]
        with TemporaryDirectory() as place:
            pins = Path(place) / "lowest.txt"
            pins.write_text("\n".join(lowest(dependencies(ROOT / "pyproject.toml"), self.python)) + "\n")
            chosen = ["--constraint", str(pins)] if self.end == "lowest" else ["--upgrade-strategy", "eager"]
            return _ran([*pip, *chosen, "--editable", f"{ROOT}[dev]"])

    def versions(self) -> dict[str, str]:
        """Version of each package that ours needs by default, by name."""
        names = [Requirement(text).name for text in dependencies(ROOT / "pyproject.toml")]
        ended = subprocess.run(
            [str(self._program), "-c", VERSIONS, *names], capture_output=True, text=True, check=True, env=_variables()
        )
        return json.loads(ended.stdout)

    def test(self, selection: Sequence[str]) -> dict[str, Any]:
        """Run tests in it.

        Args:
            selection: What pytest is given; all tests if it is empty.

        Returns:
            pytest's exit code, and by module how many tests passed, failed and were skipped; what it said if one
            failed.
        """
        with TemporaryDirectory() as place:
            report = Path(place) / "junit.xml"
            pytest = [str(self._program), "-m", "pytest", "-q", *REPORTED, f"--junitxml={report}", *selection]
            variables = {**_variables(), "OMP_NUM_THREADS": "1"}
            ended = subprocess.run(pytest, capture_output=True, text=True, check=False, cwd=ROOT, env=variables)
            words = {} if ended.returncode == 0 else {"output": (ended.stdout + ended.stderr).strip()[-SHOWN:]}
            counts = counted(report) if report.is_file() else {}
        return {"exit_code": ended.returncode, **counts, **words}


def interpreter(version: str) -> str:
    """The program of a version of Python: on PATH, or the newest that pyenv has of it.

    Args:
        version: Such as "3.12".

    Raises:
        UsageError: There is none.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = sorted(pyenv.glob(f"{version}.*/bin/python"), key=lambda path: int(path.parts[-3].rpartition(".")[2]))
    if kept:
        return str(kept[-1])
    if (program := shutil.which(f"python{version}")) is not None:
        return program
    raise UsageError(f"there is no Python {version} on PATH or in {pyenv}; install it, or name others with --python")


def _variables() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OURS}


def _ran(command: Sequence[str]) -> str:
    """Run a command: "" if it ended well, else the last of what it said, without warnings."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=_variables(), cwd=ROOT)
    if ended.returncode == 0:
        return ""
    lines = [line for line in (ended.stdout + ended.stderr).splitlines() if not line.startswith("WARNING: ")]
    return "\n".join(lines).strip()[-SHOWN:]
