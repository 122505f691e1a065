"""What a shell is told of the command's next word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from parity.cli.main import main
from tests.command.test_pair import PAIR

pytest.importorskip("argcomplete", reason="pip install 'netparity[completion]'")

ASKED = """
import os, sys
from parity.cli.main import main
os.dup2(1, 8)
main([])
"""


def completed(line: str, folder: Path) -> list[str]:
    """What `parity` answers to a shell in which a line was typed so far."""
    words = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    told = {**os.environ, **words, "_ARGCOMPLETE_SUPPRESS_SPACE": "1", "COMP_TYPE": "9"}
    found = subprocess.run(
        [sys.executable, "-c", ASKED], capture_output=True, text=True, cwd=folder, env=told, check=True
    )
    return sorted(found.stdout.splitlines())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(PAIR)
    (tmp_path / "parity.toml").write_text("[pairs.mobile]\nfunction = 'mine.py:right'\n")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("parity ch", ["check"]),
        ("parity check --ht", ["--html"]),
        ("parity check mo", ["mobile", "moe", "moons"]),
        ("parity check mi", ["mine.py:"]),
        ("parity check mine.py:w", ["mine.py:wrong"]),
        ("parity train moons --backend t", ["torch"]),
    ],
)
def test_the_next_word_is_completed(line: str, expected: list[str], folder: Path) -> None:
    assert completed(line, folder) == expected


def test_a_broken_configuration_completes_all_the_same(folder: Path) -> None:
    (folder / "parity.toml").write_text("[pairs")
    assert completed("parity check mo", folder) == ["moe", "moons"]


def test_a_shell_gets_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert main(["completion", shell]) == 0
        assert "parity" in capsys.readouterr().out


def test_bash_completes_with_the_code_that_it_is_given(folder: Path) -> None:
    (folder / "parity").write_text(f'#!/bin/sh\nexec {sys.executable} -m parity "$@"\n')
    (folder / "parity").chmod(0o755)
    script = 'PATH=$PWD:$PATH; eval "$(parity completion bash)"; COMP_WORDS=(parity tra); COMP_CWORD=1; '
    script += 'COMP_LINE="parity tra"; COMP_POINT=10; COMP_TYPE=9; _python_argcomplete parity; echo "${COMPREPLY[@]}"'
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=folder, check=True)
    assert found.stdout.split() == ["train"], found.stderr
