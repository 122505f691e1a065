"""What recipes and planted bugs cite is in the repository, and the glossary has the words and classes it should."""

import re
from pathlib import Path

import pytest

from parity import recipes
from parity.bugs.catalogue import BUGS
from parity.bugs.catalogue.evidence import LINKS
from tests.command.test_paths import leads
from tests.pairs import WRONG
from tests.test_rooms import ROOMS

ROOT = Path(__file__).parent.parent
ROWS = {
    match["row"]: match["rest"]
    for match in re.finditer(
        r'^\| <a id="row-[\w]+"></a>(?P<row>\w+) \|(?P<rest>.*)\|$',
        (ROOT / "docs" / "porting-bugs.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}
GLOSSARY = (ROOT / "docs" / "internals.md").read_text(encoding="utf-8").partition("## Glossary")[2]
WORDS = (
    "adapter", "blame", "call", "canonical name", "cause", "control", "convention", "cotangent", "drift", "finding",
    "free run", "gap", "inconclusive", "ladder", "lint", "margin", "observable", "packing", "pair", "pass", "probe",
    "planted bug", "proof", "recipe", "record", "referee", "rung", "second opinion", "share", "side", "third opinion",
    "trace", "twin", "ulp", "unit", "verdict", "weight map",
)  # fmt: skip
CLASSES = (
    "ArrayPairing", "BothSides", "CallPairing", "CheckState", "HighLow", "LadderRun", "LayerPairing", "PassOverrides",
    "PassResult", "ProofPass", "RecipeSide", "SidePair", "WeightMap",
)  # fmt: skip


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_cites_a_heading(name: str) -> None:
    source = recipes.load(name).source.removeprefix("beyond ")
    assert "#" in source and leads(ROOT / "README.md", source)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_a_bug_cites_a_row_that_names_it_and_has_its_links(bug) -> None:
    *_, links, planted = ROWS[bug.row].split(" | ")
    assert f"`{bug.id}`" in planted
    assert tuple(re.findall(r"\]\((https://[^)]+)\)", links)) == bug.evidence


def test_no_row_names_a_bug_that_is_not_planted() -> None:
    said = {name for rest in ROWS.values() for name in re.findall(r"`([^`]+)`", rest.split(" | ")[-1])}
    assert said == {bug.id for bug in BUGS}
    assert LINKS.keys() <= ROWS.keys()


def test_a_wrong_public_pair_cites_a_row() -> None:
    assert {str(row) for _, _, row in WRONG.values()} <= ROWS.keys()


def test_the_rooms_of_the_page_are_in_the_order_that_is_tested() -> None:
    page = (ROOT / "docs" / "internals.md").read_text(encoding="utf-8").partition("## One pair")[0]
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| `")]
    named = [room for row in rows for room in re.findall(r"`([^`]+)`", row) if room in ROOMS]
    assert len(named) > len(rows) - 2
    assert [ROOMS.index(room) for room in named] == sorted(ROOMS.index(room) for room in named)


def test_the_glossary_has_every_word_and_class() -> None:
    entries = dict(re.findall(r"^- \*\*([^*]+)\*\*([^\n]*)", GLOSSARY, re.MULTILINE))
    assert {word for word in WORDS if word not in entries} == set()
    explained = {name for rest in entries.values() for name in re.findall(r"`([A-Z]\w+)`\)", rest)}
    assert {name for name in CLASSES if name not in explained} == set()


def test_every_class_of_the_glossary_is_in_the_code() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "parity").rglob("*.py"))
    explained = set(re.findall(r"\*\* \(`([A-Z]\w+)`\)", GLOSSARY))
    assert {name for name in explained if not re.search(rf"^class {name}\b", source, re.MULTILINE)} == set()
    assert len(explained) >= len(CLASSES)
