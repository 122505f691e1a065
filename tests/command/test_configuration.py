"""`parity check` on several pairs, named or listed in the folder's configuration."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from parity.cli.main import main
from tests.command.test_pair import PAIR

FAST = ["--no-probes", "--in-process"]
LISTED = """
[{0}pairs.good]
function = "ports/pair.py:right"
accept = {{ running_var_bias = "the port is not trained further" }}

[{0}pairs.bad]
function = "ports/pair.py:wrong"
dropout = "shared"
seed = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ports").mkdir()
    (tmp_path / "ports" / "pair.py").write_text(PAIR)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("file", "table"), [("parity.toml", ""), ("pyproject.toml", "tool.netparity.")])
def test_without_arguments_the_listed_pairs_are_checked(
    file: str, table: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / file).write_text(LISTED.format(table))
    forms = {"json": "all.json", "html": "pages", "junit": "all.xml", "markdown": "all.md"}
    assert main(["check", *FAST, *(word for form, path in forms.items() for word in (f"--{form}", path))]) == 1
    said = capsys.readouterr()
    assert "note: accepted running_var_bias: the port is not trained further" in said.out
    assert [line[:7] for line in said.out.splitlines()[-2:]] == ["= good:", "≠ bad: "]
    assert said.err.splitlines()[-5:] == [
        f"written: {path}" for path in ("pages/good.html", "pages/bad.html", "all.json", "all.xml", "all.md")
    ]
    document = json.loads((folder / "all.json").read_text())
    assert [(one["name"], one["verdict"], one["seed"]) for one in document["results"]] == [
        ("good", "same", 0),
        ("bad", "different", 3),
    ]
    assert document["exit_code"] == 1 and document["format"] == "netparity-pairs/2"
    suites = ElementTree.parse(folder / "all.xml").getroot().findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["good", "bad"]
    assert (folder / "all.md").read_text().count("\n## ") + 1 == 2


def test_a_listed_pair_is_checked_by_its_name_and_exit_codes_are_the_worst(folder: Path) -> None:
    (folder / "parity.toml").write_text(LISTED.format(""))
    assert main(["check", "good", *FAST]) == 0
    assert main(["check", "good", "ports/pair.py:wrong", *FAST]) == 1


def test_a_pair_that_is_no_pair_does_not_keep_the_others_from_being_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ports/pair.py:odd", "ports/pair.py:right", "--accept", "running_var_bias", *FAST]
    assert main(["check", *words, "--html", "pages"]) == 2
    said = capsys.readouterr()
    assert "SAME" in said.out and [path.name for path in (folder / "pages").iterdir()] == ["ports_pair.py_right.html"]
    assert said.err.splitlines()[-1].startswith("parity: ports/pair.py:odd: ports/pair.py:odd returned tuple")


def test_several_pairs_share_a_process_until_one_is_no_pair(parity, folder: Path) -> None:
    words = ["ports/pair.py:wrong", "ports/pair.py:odd", "ports/pair.py:trained", "--no-probes", "--quiet"]
    found = parity("check", *words, cwd=folder)
    assert found.returncode == 1
    assert [line.split(";")[0] for line in found.stdout.splitlines()] == [
        "≠ ports/pair.py:wrong: different",
        "≠ ports/pair.py:trained: different",
    ]
    assert len(found.stderr.splitlines()) == 1 and "expected (flax_model, torch_model, inputs)" in found.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[pairs.a]\nfunction = 'ports/gone.py:pair'", "there is no file ports/gone.py"),
        ("[pairs.a]\nfunction = 'ports/pair.py:rigth'", "did you mean right?"),
        ("[pairs.a]\nfunction = 3", "parity.toml, pair a: function: Input should be a valid string, got 3"),
        ("[pairs.a]\nfuncton = 'x.py:f'", "unknown key in parity.toml, pair a: 'functon'; did you mean function?"),
        ("[pairs.a]\nprobes = false", "parity.toml, pair a: function: Field required"),
        ("[pairs.a]\nfunction = 'x.py:f'\naccept = ['running_var_bias']", "pair a: accept: "),
        ("[pairs.a]\nfunction = 'x.py:f'\naccept = { running_var_bias = '' }", "pair a: accept.running_var_bias: "),
        ("[pairs.a]\nfunction = 'x.py:f'\naccept = { running_var = 'why' }", "did you mean running_var_bias"),
        ("[pairs.a]\nfunction = 'x.py:f'\nseed = 2026-11-29", "pair a: seed: "),
        ("[pairs.vgg]\nfunction = 'x.py:f'", "a network of the study has this name"),
        ("[pair.a]\nfunction = 'x.py:f'", "did you mean pairs?"),
        ("[pairs]", "parity.toml lists no pair"),
        ("pairs = 3", "parity.toml lists no pair"),
        ("[pairs", "parity.toml is no TOML"),
    ],
)
def test_a_fault_of_the_configuration_is_one_clear_line(
    text: str, expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "parity.toml").write_text(text)
    assert main(["check"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--rungs", "2"], "--rungs is for recipes"),
        (["--html", "page.html"], "got page.html for 2 networks; expected a folder"),
        (["--repro", "it.py"], "--repro got 2 pairs"),
        (["goood"], "did you mean good"),
    ],
)
def test_an_option_that_does_not_fit_the_listed_pairs_is_told(
    words: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "parity.toml").write_text(LISTED.format(""))
    assert main(["check", *words]) == 2
    assert expected in capsys.readouterr().err


def test_a_project_without_pairs_lists_none(folder: Path) -> None:
    from parity.cli.pairs.configuration import listed

    (folder / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert listed(Path()) == {}
