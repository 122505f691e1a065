"""What the package declares: dependencies, extras, ranges, pages."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import packaging.requirements as packaging
import pytest

from parity.cli.doctor.faults import faults_of
from setup import absolute
from tests.test_imports import tops

ROOT = Path(__file__).parent.parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
PACKAGES = ("jaxnets", "torchnets", "parity")
NEEDED_BY_FEW = {
    "matplotlib": "study",
    "scikit-learn": "study",
    "pillow": "study",
    "argcomplete": "completion",
    "gymnasium": "rl",
    "torchvision": "download",
}
"""Packages that are imported where they are needed only, and the extra that brings them."""
OTHERS = {"jaxlib", "pytest", "libtpu"}
"""What comes with jax, what runs the plugin, and what only a TPU has."""


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower()


def third_parties() -> set[str]:
    """Names of the packages that ours import."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    modules = {top for file in files for top in tops(file.read_text(), ".".join(file.relative_to(ROOT).parent.parts))}
    known = packages_distributions()
    return {known[top][0].lower() for top in modules - {*sys.stdlib_module_names, *PACKAGES} if top in known}


def test_every_import_is_declared_and_everything_declared_is_imported() -> None:
    default = {name_of(requirement) for requirement in PROJECT["dependencies"]}
    found = {name.replace("_", "-") for name in third_parties()} - OTHERS
    assert found - default == set(NEEDED_BY_FEW) & found
    assert default - found <= {"typing-extensions"}, "declared and never imported"
    for package, extra in NEEDED_BY_FEW.items():
        assert package in map(name_of, EXTRAS[extra])


def test_the_ranges_are_those_that_were_tried() -> None:
    assert {"flax>=0.12.1", "typing-extensions>=4.14.1"} <= set(PROJECT["dependencies"])
    assert {"study", "bench", "docs"} <= EXTRAS.keys()


def pins(python: str) -> dict[str, str]:
    """Package → the version that constraints.txt has for a version of Python."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    requirements = [packaging.Requirement(line) for line in lines]
    applying = [one for one in requirements if one.marker is None or one.marker.evaluate({"python_version": python})]
    names = [one.name.lower().replace("_", "-") for one in applying]
    assert len(names) == len(set(names)), "pinned twice"
    return dict(zip(names, (str(one.specifier).removeprefix("==") for one in applying), strict=True))


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_pinned_version_is_in_its_range(python: str) -> None:
    pinned = pins(python)
    wanted = [*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]
    requirements = [packaging.Requirement(one) for one in wanted if not one.startswith("netparity")]
    outside = {str(one) for one in requirements if one.name in pinned and pinned[one.name] not in one.specifier}
    assert outside == set()
    extras = ("completion", "docs", "download", "notebook", "peers", "study", "dev")
    dev = {one for extra in extras for one in EXTRAS[extra]}
    assert {name_of(one) for one in dev} - pinned.keys() == {"netparity"}


def test_jax_is_pinned_to_a_version_without_known_faults_where_python_allows_it() -> None:
    assert faults_of({"jax": pins("3.11")["jax"]})
    assert not faults_of(pins("3.12")) and pins("3.12") == pins("3.13")


def test_comparing_needs_neither_the_study_nor_its_figures() -> None:
    code = """
import sys, numpy as np, torch
from flax import nnx
import parity
pair = nnx.Linear(3, 2, rngs=nnx.Rngs(0)), torch.nn.Linear(3, 2), np.ones((2, 3), "float32")
assert parity.compare(*pair, checks=parity.Checks(probes=False)).verdict == "same"
print(*sorted({"sklearn", "matplotlib", "PIL", "torchvision", "pandas"} & sys.modules.keys()))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.parametrize("missing", ["sklearn", "PIL"])
def test_data_without_its_package_is_told(missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from parity.data import arguments, points
    from parity.data.folder import decode
    from parity.errors import UsageError

    monkeypatch.setattr(arguments, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(UsageError, match=r"not installed; pip install 'netparity\[study\]'"):
        points.moons(0) if missing == "sklearn" else decode.pillow()


def test_the_links_of_the_package_page_are_whole() -> None:
    page = absolute((ROOT / "README.md").read_text(), "https://here")
    assert not [link for link in re.findall(r"\]\(([^)]+)\)", page) if "://" not in link]
    images = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page)
    assert images and all(image.startswith("https://here/raw/main/benchmarks/records/") for image in images)
    assert "](https://here/blob/main/docs/pairs.md)" in page
    untouched = "[a](https://b/c) [d](#e) ```[f](g```"
    assert absolute(untouched, "https://here") == untouched


def test_the_address_of_the_repository_stands_in_one_place() -> None:
    urls = PROJECT["urls"]
    assert all(url.startswith(urls["Repository"]) for url in urls.values())
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name and name != "pyproject.toml"]
    host = urls["Repository"].encode().partition(b"://")[2].partition(b"/")[0]
    naming = [str(file.relative_to(ROOT)) for file in files if file.is_file() and host in file.read_bytes()]
    assert naming == [], "setup.py and docs/site.py take it from pyproject.toml"


def test_the_citation_has_the_version_of_the_package() -> None:
    yaml = pytest.importorskip("yaml")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (cited["version"], cited["license"], cited["title"]) == (PROJECT["version"], "Apache-2.0", "netparity")
    assert {"cff-version", "message", "authors"} <= cited.keys()


def test_an_issue_is_asked_for_the_machine_and_the_report() -> None:
    yaml = pytest.importorskip("yaml")
    forms = [path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]
    assert forms
    for form in forms:
        asked = yaml.safe_load(form.read_text())
        assert {"name", "description", "body"} <= asked.keys()
        words = str(asked)
        assert "parity doctor" in words and "--json report.json" in words


def test_no_two_files_of_the_packages_are_the_same() -> None:
    """What looks at wheels takes two files of one content for a mistake."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    contents: dict[str, list[str]] = {}
    for path in files:
        contents.setdefault(path.read_text(), []).append(str(path.relative_to(ROOT)))
    assert [names for text, names in contents.items() if text and len(names) > 1] == []
