"""Every command that README.md and docs/ show is run, and does what they show."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.data.pictures import pack, pictures

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def shown(text: str) -> list[tuple[str, str]]:
    """Commands in the text's console blocks, each with the output that is shown beneath it ("" if none is)."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [
        (command, output.strip())
        for block in blocks
        for command, output in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def outline(text: str) -> list[list[str]]:
    """Words of every line, with numbers and the spacing that follows from them taken out."""
    lines = [re.sub(r"[\d.,e+-]*\d[\d.,e+-]*", "#", line).split() for line in text.splitlines()]
    return [line for line in lines if line]


EXAMPLES = [(page.name, command, output) for page in PAGES for command, output in shown(page.read_text())]
PARITY = [example for example in EXAMPLES if example[1].startswith("parity ") or example[1] == "make check"]
MAKE = [example for example in EXAMPLES if example[1].startswith("make")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a page's commands are run one after the other, that one may use what another wrote; with images."""
    place = tmp_path_factory.mktemp("page")
    return pack(place / "pets.zip", pictures(train=8)).parent


LONG = (
    "parity bugs",
    "parity bugs bn-eps-1.01e-5 kernel-.T gradients-x8 log-softmax-twice",
    "parity check vit",
    "parity export graphnet --backend torch --out graphnet.pt2",
    "parity check vgg mlp rnn --devices 4",
    "parity check vgg --rungs devices --devices 4 --batch-norm per-device",
    "parity reproduce images --scale quick --data folder --data-dir pets.zip --out pets-study",
    "parity reproduce images --scale quick --data folder --data-dir pets.zip --out pets-study --so-far",
)
"""Commands that take long; `make slow` runs them, and test_bugs.py plants others in every run."""
RUN = [pytest.param(*e, id=e[1], marks=[pytest.mark.slow] if e[1] in LONG else []) for e in PARITY]


@pytest.mark.parametrize(("page", "command", "output"), RUN)
def test_a_command_does_what_the_page_shows(
    parity, page: str, command: str, output: str, tmp_path: Path, folder: Path
) -> None:
    arguments = ["check"] if command == "make check" else shlex.split(command)[1:]
    record = tmp_path / "record.json"
    bugs = arguments[0] == "bugs"
    found = parity(*arguments, *(["--json", str(record)] if bugs else []), cwd=folder)
    assert found.returncode == int("DIFFERENT" in output), found.stdout + found.stderr
    if output:
        assert outline(found.stdout) == outline(output)
    if bugs:
        assert all(bug["as_expected"] for bug in json.loads(record.read_text())["bugs"])


WITH_PYTHON = [page for page in PAGES if page.name != "gallery.md"]
"""The gallery's reproductions need the packages that they are about; `make gallery` runs them."""


@pytest.mark.parametrize("page", WITH_PYTHON, ids=[page.name for page in WITH_PYTHON])
def test_the_python_on_a_page_runs(page: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        exec(block, names)


def test_make_commands_are_those_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for _, command, _ in MAKE for word in command.split()[1:] if "=" not in word}
    assert named
    assert named <= targets
    assert "$(BIN)/parity check\n" in (ROOT / "Makefile").read_text()


def test_the_pages_show_the_whole_check_and_all_bugs() -> None:
    commands = [command for _, command, _ in EXAMPLES]
    assert "make check" in commands
    assert "parity bugs" in commands


def test_the_readme_is_short_and_a_page_is_read_in_ten_minutes() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130
    looked_up = {"porting-bugs.md", "gallery.md", "zoo.md"}  # and not read
    words = {page.name: len(page.read_text().split()) for page in PAGES if page.name not in looked_up}
    assert {name: count for name, count in words.items() if count > 2500} == {}


def test_an_outline_tells_different_outputs_apart() -> None:
    assert outline("vgg = 12.5 same") == outline("vgg  =  9.0   same")
    assert outline("vgg = 12.5 same") != outline("vgg ≠ 12.5 different")
