"""The documentation site: it is built offline, warnings are errors, and it has what its sources have."""

import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest

from parity.cli.main import COMMANDS

pytest.importorskip("material", reason="pip install 'netparity[docs]'")
pytest.importorskip("mkdocstrings", reason="pip install 'netparity[docs]'")
ROOT = Path(__file__).parent.parent.parent
SOURCES = ("mkdocs.yml", "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")


def build(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build as `make docs` does, without a way to the network."""
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(site)]
    closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    told = {**os.environ, **closed, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=source, env=told, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    built = build(ROOT, place)
    assert built.returncode == 0, built.stdout + built.stderr
    return place


def words(page: Path) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_the_api_is_that_of_the_docstrings(site: Path) -> None:
    text = words(site / "api" / "index.html")
    for name in ("compare", "convert", "Checks", "TrainingPair", "Report", "Verdict", "UsageError", "findings", "plot"):
        assert name in text, name
    assert "The weights are mapped by the tool" in text and "How one side wants the inputs" in text


def test_the_options_are_those_of_the_parsers(site: Path) -> None:
    text = words(site / "options" / "index.html")
    for name in (
        "check",
        "init",
        "convert",
        "conventions",
        "train",
        "reproduce",
        "bugs",
        "doctor",
        "export",
        "completion",
        "list",
    ):
        assert f"usage: parity {name}" in text, name
    assert "--no-probes" in text and len(COMMANDS) > 5


def test_the_pages_of_the_repository_and_their_pictures_are_there(site: Path) -> None:
    start = (site / "index.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img[^>]+src="(records/[^"]+)"', start)
    assert pictures and all((site / picture).is_file() for picture in pictures)
    assert 'href="pairs/"' in start
    for page in ("changelog", "contributing", "security", "porting-bugs", "speed"):
        assert (site / page / "index.html").is_file()
    assert not list(site.rglob("*.py"))


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    scripts = r'<(?:script|img|iframe)[^>]+src="(https?:[^"]+)"'
    styles = r'<link[^>]+rel="stylesheet"[^>]+href="(https?:[^"]+)"'
    fetched = re.compile(f"{scripts}|{styles}")
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    assert {str(page): found for page in pages if (found := fetched.findall(page.read_text(encoding="utf-8")))} == {}


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    for name in SOURCES:
        shutil.copy2(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    with (tmp_path / "docs" / "images.md").open("a") as page:
        page.write("\n[gone](gone.md) and [no such place](pairs.md#no-such-place)\n")
    built = build(tmp_path, tmp_path / "out")
    assert built.returncode != 0
    assert "gone.md" in built.stderr and "no-such-place" in built.stderr


def test_the_address_of_the_repository_reaches_the_pages_once_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    from docs import site as hooks

    text = (ROOT / "docs" / "pairs.md").read_text()
    page = SimpleNamespace(file=SimpleNamespace(src_uri="pairs.md"))
    config = SimpleNamespace(repo_url=None)
    assert all(words in text for words in hooks.STANDING)
    assert hooks.repository() == "" and hooks.on_config(config).repo_url is None
    assert "pip install git+URL" in hooks.on_page_markdown(text, page)
    monkeypatch.setattr(hooks, "declared", lambda: "https://git.test/people/netparity")
    assert hooks.on_config(config).repo_url == "https://git.test/people/netparity"
    made = hooks.on_page_markdown(text, page)
    assert "`pip install git+https://git.test/people/netparity`" in made and "- uses: people/netparity@main" in made
    assert "(https://git.test/people/netparity/blob/main/action.yml)" in made
    assert "git+URL" not in made and "OWNER" not in made
