"""The wheel and the source distribution: built from what git has, checked, and used from another folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import Parser
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.command.test_pair import PAIR

ROOT = Path(__file__).parent.parent.parent
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
TEST = """
import port


def test_port(netparity):
    netparity.assert_same(*port.right(), checks=netparity.Checks(accept=["running_var_bias"], probes=False))
"""
pytestmark = pytest.mark.slow


def tracked() -> list[str]:
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in found.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel and the source distribution, of a copy, for a build leaves files behind."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("dist")
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for kind in ("build_sdist", "build_wheel"):
        command = [sys.executable, "-c", BUILD, kind, str(out)]
        subprocess.run(command, cwd=copy, check=True, capture_output=True, env=environment)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


def test_the_source_distribution_has_all_that_git_has(built: dict[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert set(tracked()) - names == set()
    assert not [name for name in names if name.endswith((".pyc", ".so")) or "__pycache__" in name]


def test_the_wheel_has_the_packages_and_nothing_else(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built["wheel"]) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        info = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(info).decode())
    ours = {name for name in tracked() if name.startswith(("jaxnets/", "torchnets/", "parity/"))}
    assert names == ours
    page = str(metadata.get_payload())
    assert "](docs/" not in page and "/raw/main/benchmarks/records/" in page
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_those_who_look_at_packages_find_nothing_wrong(built: dict[str, Path]) -> None:
    tools = [("twine", ["check", "--strict"]), ("check_wheel_contents", ["--toplevel", "jaxnets,torchnets,parity"])]
    there = [(tool, words) for tool, words in tools if find_spec(tool) is not None]
    if not there:
        pytest.skip("pip install 'netparity[release]'")
    for tool, words in there:
        files = [str(built["wheel"])] if tool != "twine" else [str(path) for path in built.values()]
        command = [sys.executable, "-m", tool, *words, *files]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout + found.stderr


def test_the_wheel_is_used_from_another_folder(built: dict[str, Path], tmp_path: Path) -> None:
    place = tmp_path / "environment"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*words: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, capture_output=True, text=True, check=False, env=environment, cwd=cwd)

    installed = run(str(python), "-m", "pip", "install", "--no-deps", "--no-index", str(built["wheel"]))
    assert installed.returncode == 0, installed.stderr
    folder = next((place / "lib").glob("python*/site-packages"))
    (folder / "dependencies.pth").write_text("\n".join(_dependencies()))  # all but netparity, which is the wheel's
    (tmp_path / "port.py").write_text(PAIR)
    where = run(str(python), "-c", "import parity; print(parity.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(folder), where.stdout + where.stderr
    assert run(str(place / "bin" / "parity"), "--version").stdout.startswith("netparity ")
    words = ["check", "port.py:right", "--accept", "running_var_bias", "--no-probes", "--html", "report.html"]
    found = run(str(place / "bin" / "parity"), *words)
    assert found.returncode == 0 and "SAME" in found.stdout, found.stdout + found.stderr
    assert "<html" in (tmp_path / "report.html").read_text()
    (tmp_path / "test_port.py").write_text(TEST)
    tested = run(str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_port.py")
    assert "1 passed" in tested.stdout, tested.stdout + tested.stderr


def _dependencies() -> list[str]:
    """Folders of the packages that this Python has, those that its .pth files name too."""
    own = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    named = {path for path in sys.path if path.endswith("site-packages")}
    return sorted(own | named)
