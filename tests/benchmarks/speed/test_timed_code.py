"""Which code a record timed, and that the page says what has changed since."""

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks import ROOT
from benchmarks.speed import record, timed_code
from benchmarks.speed.pages import report
from parity.errors import UsageError
from tests.test_imports import imported

UNTIMED = {
    "benchmarks/__init__.py", "benchmarks/speed/ceilings.py", "benchmarks/speed/energy.py", "benchmarks/speed/gate.py",
    "benchmarks/speed/load.py", "benchmarks/speed/record.py", "parity/backends/__init__.py",
    "parity/backends/flax/tracing/patch.py", "parity/backends/flax/tracing/quick.py",
    "parity/checks/ladder.py", "parity/errors.py", "parity/files.py",
    "parity/interface/devices.py", "parity/interface/trace.py", "parity/recipes/__init__.py",
    "parity/torchvision_.py", "parity/twins/case.py", "jaxnets/__init__.py", "torchnets/__init__.py",
    "parity/data/__init__.py", "parity/data/arguments.py", "parity/data/folder/source.py", "parity/data/image_sets.py",
    "parity/data/graphs/digits.py", "parity/data/latent/digits.py", "parity/data/noised/digits.py",
    "parity/data/rollouts/collect.py", "parity/data/sets/table.py", "parity/data/text/documentation.py",
    "parity/data/text/lines.py", "parity/data/text/masked.py",
}  # fmt: skip
"""What timed code imports that does no part of a timed step: errors, types, the gate, what is measured beside time."""
OURS = ("benchmarks", "jaxnets", "torchnets", "parity")


def test_the_page_says_which_timed_code_is_newer_than_the_record() -> None:
    path = report.newest()
    sentence = timed_code.since(path, record.load(path))
    page = (ROOT / "docs" / "speed.md").read_text()
    assert sentence in page, (
        f"docs/speed.md does not say which timed code is newer than {path}; run python -m benchmarks report, or make "
        f"the record anew: {timed_code.MAKE}"
    )


def test_what_timed_code_imports_is_timed_or_named_here() -> None:
    for file in timed_code.present():
        for name in imported((ROOT / file).read_text(), file.rpartition("/")[0].replace("/", ".")):
            if name.startswith(OURS):
                known = timed_code.is_timed(_file(name)) or _file(name) in UNTIMED
                assert known, f"{file} imports {name}, which is neither in TIMED nor in UNTIMED"


def _file(name: str) -> str:
    """The file, from the root, of a dotted name of ours: a module, or something in one."""
    parts = name.split(".")
    stems = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    files = [file for stem in stems for file in (f"{stem}.py", f"{stem}/__init__.py") if (ROOT / file).is_file()]
    return files[0] if files else ""


def test_every_pattern_has_a_file() -> None:
    assert not [pattern for pattern in timed_code.TIMED if not list(ROOT.glob(pattern))]


def test_words_and_layout_change_no_digest() -> None:
    plain = timed_code.digest("X = 1\ndef f(x):\n    return x + X\n")
    assert plain == timed_code.digest(
        '"""Says."""\nX = 1  # why\n"""X."""\n\n\ndef f(x):\n    """More."""\n    return x+X'
    )
    assert plain != timed_code.digest("X = 1\ndef f(x):\n    return x - X\n")
    assert plain != timed_code.digest("X = 1.0\ndef f(x):\n    return x + X\n")


def made(root: Path, code: dict[str, str] | None) -> str:
    """The block on a record of `code`, of a checkout in which there is one timed file."""
    (root / "jaxnets").mkdir(exist_ok=True)
    (root / "jaxnets" / "mlp.py").write_text("X = 1\n")
    about = {"environment": {"commit": "abc"}}
    return timed_code.since(root / "run.json", about if code is None else {**about, "code": code}, root)


def test_a_record_of_the_code_as_it_is_is_told_from_an_older_one(tmp_path: Path) -> None:
    now = timed_code.digest("X = 1")
    assert "1 files, is what it was when the record was made, at commit abc" in made(tmp_path, {"jaxnets/mlp.py": now})
    older = made(tmp_path, {"jaxnets/mlp.py": "another", "jaxnets/cnn.py": now})
    assert "0 are as they were, 1 have changed, 0 are new and 1 are gone" in older
    assert f"made anew by `{timed_code.MAKE}`" in older
    assert "- changed: `jaxnets/` mlp\n- gone: `jaxnets/` cnn" in older
    assert "- new: `jaxnets/` mlp" in made(tmp_path, {})


def test_a_record_without_digests_takes_those_beside_it_or_says_that_there_are_none(tmp_path: Path) -> None:
    assert "is not on record**, only its commit, abc" in made(tmp_path, None)
    (tmp_path / timed_code.BESIDE).write_text(json.dumps({"jaxnets/mlp.py": timed_code.digest("X = 1")}))
    assert "is what it was" in made(tmp_path, None)


def test_the_digests_of_a_commit_are_those_of_its_files(tmp_path: Path) -> None:
    made(tmp_path, None)
    settings = ["-c", "user.name=n", "-c", "user.email=e"]
    for words in (["init", "-q"], ["add", "."], [*settings, "commit", "-qm", "one"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    assert timed_code.of_commit("HEAD", tmp_path) == timed_code.present(tmp_path) != {}
    with pytest.raises(UsageError, match="name a commit of this checkout"):
        timed_code.of_commit("nothing", tmp_path)
