"""The command before and around its work: version, start, names, notes, colours."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from parity import __version__
from parity.cli.main import main
from parity.errors import counted
from parity.report.pair_terminal import show_line
from parity.report.terminal import console
from tests.command.test_pair import PAIR
from tests.report import made_pair


def seconds(*command: str) -> float:
    """Seconds of processor time that a command takes, the least of three tries."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(3))


@pytest.mark.parametrize(
    ("command", "most"),
    [
        ("-m parity --help", 0.3),
        ("-m parity --version", 0.3),
        ("-m parity check gone.py:pair", 0.3),
        ("-c import_parity", 0.25),
    ],
)
def test_what_computes_nothing_starts_at_once(command: str, most: float) -> None:
    assert seconds(sys.executable, *(word.replace("_", " ") for word in command.split())) < most


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert (stopped.value.code, capsys.readouterr().out) == (0, f"netparity {__version__}\n")


def test_a_missing_file_is_told_before_numpy_is_loaded() -> None:
    code = "import sys; from parity.cli.main import main; code = main(['check', 'gone.py:pair']); "
    code += "sys.exit(9 if {'numpy', 'rich'} & sys.modules.keys() else code)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (2, "parity: there is no file gone.py; give path/to/file.py:function\n")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pair.py", "got pair.py; expected path/to/file.py:function, such as pair.py:right"),
        ("./pair.py", "such as ./pair.py:right"),
        ("gone.py", "got gone.py; expected path/to/file.py:function, whose function returns the pair"),
        ("pair:right", "got pair:right; expected path/to/file.py:function"),
        ("nothing", "unknown network 'nothing'; known: actorcritic"),
        ("nothing", "a pair of your own is path/to/file.py:function"),
    ],
)
def test_a_name_without_a_function_says_how_one_is_named(
    name: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pair.py").write_text(PAIR)
    monkeypatch.chdir(tmp_path)
    assert main(["check", name]) == 2
    assert expected in capsys.readouterr().err


def test_which_files_were_written_is_said_unless_it_is_to_be_quiet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pair.py").write_text(PAIR)
    places = [str(tmp_path / name) for name in ("report.html", "report.json", "map.json")]
    words = ["check", f"{tmp_path / 'pair.py'}:wrong", "--no-probes", "--in-process"]
    files = ["--html", places[0], "--json", places[1], "--map-out", places[2]]
    assert main([*words, *files]) == 1
    assert capsys.readouterr().err.splitlines()[-3:] == [f"written: {place}" for place in places]
    assert main([*words, *files, "--quiet"]) == 1
    said = capsys.readouterr()
    assert said.err == ""
    assert len(said.out.splitlines()) == 1 and "different; the input of layer 3" in said.out


def test_a_quiet_line_says_why_there_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    for report in (made_pair.report(), made_pair.report(9, 3), made_pair.unruled(), made_pair.empty()):
        show_line(console(), report)
    same, bad, unruled, nothing = capsys.readouterr().out.splitlines()
    assert same.startswith("= resnet18: same; ") and "comparisons" in same
    assert "≠ resnet18: different; the output of layer1.0.bn1" in bad
    assert unruled.startswith("? resnet18: inconclusive; ") and "torch computes this in float32" in unruled
    assert nothing == "? nothing: inconclusive; Nothing was compared"


@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color_takes_the_colours_away(more: dict[str, str], coloured: bool) -> None:
    code = "from parity.report.terminal import console; console().print('[red]word[/]')"
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"FORCE_COLOR": "1", "TERM": "xterm-256color", **more}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert ("\x1b[31m" in found.stdout) == coloured


def test_a_number_agrees_with_its_noun() -> None:
    assert [counted(number, "array") for number in (0, 1, 1454)] == ["0 arrays", "1 array", "1,454 arrays"]
    assert counted(2, "pair of layers", "pairs of layers") == "2 pairs of layers"
