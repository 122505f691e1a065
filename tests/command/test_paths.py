"""Every path, module and link that a page names is there, and every module that the sources say to run."""

import re
from pathlib import Path

import pytest

from benchmarks.__main__ import main as benchmarks

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md", *(ROOT / "docs").glob("*.md")]
TABLES = [*(ROOT / "benchmarks" / "records").rglob("*.md")]
OTHERS = [ROOT / name for name in ("Makefile", "pyproject.toml", ".ci/run", ".github/workflows/ci.yml")]
FOLDERS = ("jaxnets", "torchnets", "parity", "benchmarks", "tests", "docs")
SOURCES = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]


def modules(text: str) -> set[str]:
    """Modules of ours that a text says to run; a name that goes on in braces is not whole, and left out."""
    ours = r"python -m\s+((?:parity|benchmarks|tests)(?:\.\w+)*)(?![\w.]*\{)"
    return set(re.findall(ours, text))


def paths(text: str) -> set[str]:
    """Paths from the root of the repository that a text names, and what goes before a date or a wildcard."""
    found = re.findall(rf"(?<![\w/.-])(?:\.\./)*((?:{'|'.join(FOLDERS)})/[\w./*-]*)", text)
    whole = (re.split(r"DATE|\*", path)[0].rstrip("./-") for path in found)
    return {path for path in whole if path}


def links(text: str) -> set[str]:
    """Targets of the links of a page that lead to a file of the repository, with their anchors."""
    return {target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target}


def anchors(page: str) -> set[str]:
    """Places of a page that a link may lead to: its headings, as GitHub spells them, and its ids."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    spelled = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return spelled | set(re.findall(r'id="([^"]+)"', page))


def explained(page: str) -> set[str]:
    """Classes that the entries of a page's glossary say they are the words for."""
    return set(re.findall(r"^- \*\*[^*]+\*\* \(`([A-Z]\w+)`\)", page, re.MULTILINE))


def classes(sources: list[Path]) -> set[str]:
    """Names of the classes of modules."""
    return {name for file in sources for name in re.findall(r"^class (\w+)", file.read_text(), re.MULTILINE)}


def runs(module: str) -> bool:
    """Whether `python -m` finds something to run."""
    place = ROOT.joinpath(*module.split("."))
    return place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()


def leads(page: Path, link: str) -> bool:
    """Whether a link leads to a file, and to a place that this file has."""
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in anchors(target.read_text(encoding="utf-8")))


def named(page: Path) -> str:
    """A page's name for the tests."""
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_names_what_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert {path for path in paths(text) if not (ROOT / path).exists()} == set()
    assert {module for module in modules(text) if not runs(module)} == set()


@pytest.mark.parametrize("page", [*PAGES, *TABLES], ids=named)
def test_a_page_links_to_what_is_there(page: Path) -> None:
    assert {link for link in links(page.read_text(encoding="utf-8")) if not leads(page, link)} == set()


def test_what_the_sources_say_to_run_is_there() -> None:
    said = {file: modules(file.read_text(encoding="utf-8")) for file in [*SOURCES, *OTHERS] if file != Path(__file__)}
    assert sum(map(len, said.values())) > len(PAGES)
    missing = {named(file): {module for module in found if not runs(module)} for file, found in said.items()}
    assert {file: found for file, found in missing.items() if found} == {}


def test_what_the_code_names_is_there() -> None:
    code = [file for file in SOURCES if not file.is_relative_to(ROOT / "tests")]
    missing = {named(file): {path for path in paths(file.read_text()) if not (ROOT / path).exists()} for file in code}
    assert {file: found for file, found in missing.items() if found} == {}


def test_the_glossary_names_classes_that_are_there() -> None:
    names = explained((ROOT / "docs" / "internals.md").read_text(encoding="utf-8"))
    assert len(names) > 10
    assert names - classes(SOURCES) == set()
    assert explained("- **word** (`Gone`): it is no more.\n- **other**: `Layer` (`Kept`).") == {"Gone"}
    assert "Gone" not in classes(SOURCES)


def test_the_commands_of_the_benchmarks_are_those_of_the_pages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmarks(["--help"])
    shown = capsys.readouterr().out
    said = {word for page in PAGES for word in re.findall(r"python -m benchmarks ([a-z]+)", page.read_text())}
    assert {"run", "report"} <= said
    assert {word for word in said if not re.search(rf"^ +{word}\b", shown, re.MULTILINE)} == set()


def test_what_is_not_there_is_seen() -> None:
    assert modules("say `python -m benchmarks.nowhere.page --check`, or python -m benchmarks.{kind}") == {
        "benchmarks.nowhere.page"
    }
    assert not runs("benchmarks.nowhere.page") and not runs("benchmarks.pages") and runs("parity")
    assert paths(
        "`parity/pair/gone.py`, ../docs/gone.md. But not other/parity/x.py or benchmarks/records/DATE-speed"
    ) == {
        "parity/pair/gone.py",
        "docs/gone.md",
        "benchmarks/records",
    }
    page = ROOT / "docs" / "evidence.md"
    assert leads(page, "porting-bugs.md#row-1") and not leads(page, "porting-bugs.md#row-none")
    assert leads(page, "#the-threshold") and not leads(page, "#the-limit") and not leads(page, "gone.md")
    assert links("[a](b.md#c) and [d](https://e)") == {"b.md#c"}
