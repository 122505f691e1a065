"""A run's metrics: one JSON object a line, in the order of the steps."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from parity import documents
from parity.errors import UsageError
from parity.files import write_atomically
from parity.training.written import Evaluated, Trained

Line = dict[str, Any]
TIMES = ("seconds", "samples_per_second")
"""Keys whose values differ between two runs of the same plan."""


def read(path: Path) -> list[Line]:
    """Read all whole lines of a journal, none if there is no file; a last line that a killed run left torn is dropped.

    Raises:
        UsageError: the file cannot be read, or a line is not of a run's metrics.
    """
    remedy = "mend it, or delete the file: a run goes on without the metrics so far"
    return documents.read_lines(path, Trained | Evaluated, remedy) if path.is_file() else []


class Journal:
    """The journal of a run that is going on.

    Args:
        path: the file; None keeps the lines in memory only.
        lines: the lines that it begins with; the file is made to hold just these.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: Path | None, lines: list[Line]) -> None:
        self.lines = list(lines)
        self._path = path
        self._file: TextIO | None = None
        if path is not None:
            write_atomically(path, "".join(map(_text, lines)))
            self._file = path.open("a")

    def append(self, line: Mapping[str, Any]) -> None:
        """Add a line; a reader sees it at once.

        Raises:
            UsageError: the disk is full.
        """
        self.lines.append(dict(line))
        if self._file is not None:
            try:
                self._file.write(_text(line))
                self._file.flush()
            except OSError as error:
                raise self._error(error) from error

    def sync(self) -> None:
        """Bring the lines to the disk, before anything that refers to them is written.

        Raises:
            UsageError: they cannot be written there.
        """
        if self._file is not None:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise self._error(error) from error

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            try:
                self._file.close()
            except OSError as failed:  # what could not be flushed was reported when it was written
                if kind is None:
                    raise self._error(failed) from failed

    def _error(self, error: OSError) -> UsageError:
        return UsageError(
            f"cannot write {self._path}: {error.strerror}; the checkpoints are as they were: make room and go on "
            f"with --resume"
        )


def _text(line: Mapping[str, Any]) -> str:
    return json.dumps(line) + "\n"
