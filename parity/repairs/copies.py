"""The check of a pair on a copy of its sources, in a process of its own or in the caller's."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from parity.errors import UsageError
from parity.pair.bar import Bar
from parity.pair.passes.progress import Note, Progress, silent
from parity.pair.process import child, parent
from parity.repairs.source.project import installed
from parity.report.listener import Listener
from parity.report.pair import Report

Check = Callable[[Mapping[str, str], Bar | None], Report | UsageError]
"""Checks a pair with the texts of some files, by path, in the place of what is on the disk; ends early where it misses
a bar."""


def in_a_process(asked: child.Asked, note: Note = silent) -> Check:
    """A check that runs in a new process each time, as `parity check` does: a crash costs one rung."""
    return lambda texts, bar: parent.check([_with(asked, texts, bar)], Listener(note))[0]


def in_this_process(asked: child.Asked, note: Note = silent) -> Check:
    """A check that runs in the caller's process; the user's modules are loaded anew each time."""

    def check(texts: Mapping[str, str], bar: Bar | None) -> Report | UsageError:
        before, path = set(sys.modules), list(sys.path)
        try:
            return child.checked(_with(asked, texts, bar), Progress(note))
        except UsageError as error:
            return error
        except Exception as error:  # what a patch makes of the user's file may raise anything
            return UsageError(f"{type(error).__name__}: {error}")
        finally:
            sys.path[:] = path
            _forget(before, Path(asked.target.rpartition(":")[0]).resolve())

    return check


def _with(asked: child.Asked, texts: Mapping[str, str], bar: Bar | None) -> child.Asked:
    return replace(asked, texts=dict(texts), places={**asked.places, "bar": bar})


def _forget(before: set[str], target: Path) -> None:
    """Forget the modules that were loaded since, but for those of installed libraries."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name in before and (file is None or Path(file).resolve() != target):
            continue
        if file is not None and not installed(Path(file).resolve()):
            del sys.modules[name]
