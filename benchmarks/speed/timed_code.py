"""The code that a record of speed timed: a digest of each file, and which files have changed since.

`python -m benchmarks.speed.timed_code COMMIT --json FILE` writes the digests of a commit, for a record that was made
before records held them.
"""

import argparse
import ast
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from parity import documents
from parity.errors import UsageError
from parity.files import require_writable, write_atomically

TIMED = (
    "benchmarks/contestants/*.py",
    "benchmarks/speed/measure.py",
    "benchmarks/speed/own.py",
    "benchmarks/speed/process.py",
    "benchmarks/speed/worker.py",
    *(
        f"{room}/{name}.py"
        for room in ("jaxnets", "torchnets")
        for name in ("layers/*", "losses", "mlp", "optimizers", "rnn", "vgg")
    ),
    "parity/backends/flax/tracing/programs.py",
    "parity/backends/flax/training/*.py",
    "parity/backends/flax/twin.py",
    "parity/backends/torch/training/*.py",
    "parity/backends/torch/twin.py",
    *(
        f"parity/data/{name}.py"
        for name in ("augment", "batch", "digits", "images", "palindromes", "points", "sources", "stream")
    ),
    "parity/data/sets/openers.py",
    *(f"parity/interface/{name}.py" for name in ("network", "random", "runs", "session", "twin")),
    *(f"parity/recipes/{name}.py" for name in ("mlp", "moons", "rnn", "spec", "vgg")),
    "parity/weights.py",
)
"""Files that decide what a step computes, by which program, and how it is timed, as patterns from the root."""
BESIDE = "code.json"
"""File beside a record that holds no digests itself."""
MAKE = "python -m benchmarks run --out benchmarks/records/DATE-speed/run.json"
Digests = Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """What has become of the timed code since a record.

    Args:
        changed: files that say something else.
        new: files that were not there under that name.
        gone: files that are there no longer.
        same: number of files that are as they were.
    """

    changed: Sequence[str]
    new: Sequence[str]
    gone: Sequence[str]
    same: int


def digest(source: str) -> str:
    """16 digits of the SHA-256 of what a source does; docstrings, comments and layout leave it as it is."""
    return hashlib.sha256(repr(_shape(ast.parse(source))).encode()).hexdigest()[:16]


def _shape(node: Any) -> Any:
    """A syntax tree as tuples, without places, docstrings and what is empty, which versions of Python spell apart."""
    if isinstance(node, list):
        return [_shape(part) for part in node]
    if not isinstance(node, ast.AST):
        return node
    fields = [(name, _shape(value)) for name, value in ast.iter_fields(_without_docstring(node))]
    return type(node).__name__, [(name, value) for name, value in fields if value not in (None, [])]


def _without_docstring(node: ast.AST) -> ast.AST:
    documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    body = [part for part in node.body if not _is_text(part)] if documented else None  # type: ignore[attr-defined]
    return node if body is None else type(node)(**{**dict(ast.iter_fields(node)), "body": body})


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a text that nothing reads: a docstring, of a variable too."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def is_timed(file: str) -> bool:
    """Whether a file is among those that are timed; `file` is its path from the root."""
    return any(fnmatch(file, pattern) and file.count("/") == pattern.count("/") for pattern in TIMED)


def present(root: Path = ROOT) -> dict[str, str]:
    """File → digest, of the timed files as they are now."""
    paths = sorted({path for pattern in TIMED for path in root.glob(pattern)})
    return {path.relative_to(root).as_posix(): digest(path.read_text(encoding="utf-8")) for path in paths}


def of_commit(commit: str, root: Path = ROOT) -> dict[str, str]:
    """File → digest, of the timed files of a commit.

    Raises:
        UsageError: git does not know the commit.
    """
    files = filter(is_timed, _git(root, "ls-tree", "-r", "--name-only", commit).splitlines())
    return {file: digest(_git(root, "show", f"{commit}:{file}")) for file in files}


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"git {' '.join(words)} failed: {done.stderr.strip()}; name a commit of this checkout")
    return done.stdout


def recorded(path: Path, record: Mapping[str, Any]) -> Digests | None:
    """File → digest as a record holds them, or the file beside it; None where neither does.

    Args:
        path: the record's file.
        record: its content.
    """
    beside = path.parent / BESIDE
    if "code" in record or not beside.is_file():
        return record.get("code")
    return documents.read(
        beside, dict[str, str], f"make it anew with python -m benchmarks.speed.timed_code COMMIT --json {beside}"
    )


def compared(before: Digests, now: Digests) -> Change:
    """Compare the timed files of a record with those of now."""
    both = [file for file in now if file in before]
    return Change(
        changed=[file for file in both if now[file] != before[file]],
        new=[file for file in now if file not in before],
        gone=[file for file in before if file not in now],
        same=sum(now[file] == before[file] for file in both),
    )


def since(path: Path, record: Mapping[str, Any], root: Path = ROOT) -> str:
    """The block of the page that says whether the record is of the code as it is, as Markdown."""
    commit, before = record["environment"]["commit"], recorded(path, record)
    if before is None:
        return f"**Which code was timed is not on record**, only its commit, {commit}. Make the record anew: `{MAKE}`."
    change = compared(before, present(root))
    if not (change.changed or change.new or change.gone):
        return f"The timed code, {change.same} files, is what it was when the record was made, at commit {commit}."
    counts = f"{len(change.changed)} have changed, {len(change.new)} are new and {len(change.gone)} are gone"
    listed = (("changed", change.changed), ("new", change.new), ("gone", change.gone))
    lines = [f"- {what}: {_names(files)}" for what, files in listed if files]
    return "\n".join(
        [
            f"**The code is newer than the record**, which timed commit {commit}. Of the timed files {change.same} are "
            f"as they were, {counts}; a file under another name counts as gone and as new. Docstrings and comments do "
            f"not count. Until the record is made anew by `{MAKE}`, the figures are those of the older code.",
            "",
            *lines,
        ]
    )


def _names(files: Sequence[str]) -> str:
    """Files by folder, such as "`jaxnets/` mlp, vgg"."""
    return "; ".join(f"`{folder}/` {', '.join(names)}" for folder, names in _by_folder(files))


def _by_folder(files: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    folders = dict.fromkeys(file.rpartition("/")[0] for file in files)
    for folder in folders:
        inside = [file for file in files if file.rpartition("/")[0] == folder]
        yield folder, [file.rpartition("/")[2].removesuffix(".py") for file in inside]


def main(argv: list[str]) -> int:
    """Write the digests of a commit; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.timed_code", description=__doc__.splitlines()[0])
    parser.add_argument("commit")
    parser.add_argument("--json", metavar="FILE", required=True)
    arguments = parser.parse_args(argv)
    try:
        require_writable("--json", arguments.json)
        write_atomically(arguments.json, json.dumps(of_commit(arguments.commit), indent=1) + "\n")
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
