"""Checks several recipes side by side, in one process for each processor.

In a single process one network would wait while another is compiled, and the threads of two would fight over the cores.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from parity.backends.processes.configuration import keep_compiled_programs
from parity.recipes import Recipe
from parity.report.pair import Report
from parity.twins.check import check

Note = Callable[[str], None]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""The environment variables that say how many threads a process computes with; those that are set are left."""


def check_side_by_side(
    recipes: Sequence[Recipe], options: Mapping[str, Any], progress: Note, processes: int | None = None
) -> list[Report]:
    """The reports of these recipes, in their order.

    Args:
        recipes: What to check. Those of one network share a process, which compiles it once.
        options: The arguments of `parity.twins.check.check`; all of them can be pickled.
        progress: Called with a few words on what is being done.
        processes: How many processes there are at most; None takes one for each processor that this process may use.

    Raises:
        UsageError: As in `parity.twins.check.check`.
    """
    jobs = _jobs(recipes)
    count = min(len(jobs), processes or processors())
    if count < 2:
        keep_compiled_programs()
        return [check(recipe, **options, progress=progress) for recipe in recipes]
    context = multiprocessing.get_context("spawn")
    notes = context.SimpleQueue()
    with (
        _threads(max(1, processors() // count)),
        _heard(notes, progress),
        ProcessPoolExecutor(count, context, _begin, (notes,)) as pool,
    ):
        done = [pool.submit(_check_all, job, options) for job in jobs]
        reports = [report for each in done for report in each.result()]
    by_name = {recipe.name: report for recipe, report in zip((r for job in jobs for r in job), reports, strict=True)}
    return [by_name[recipe.name] for recipe in recipes]


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _jobs(recipes: Sequence[Recipe]) -> list[list[Recipe]]:
    """The recipes by network, the largest networks first, for they take longest."""
    jobs: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        jobs.setdefault(f"{recipe.network} {recipe.config!r}", []).append(recipe)
    return sorted(jobs.values(), key=lambda job: -(job[0].parameters or 0))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """The processes that are started inside compute with so many threads."""
    added = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, f"{count}"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def _heard(notes: Any, progress: Note) -> Iterator[None]:
    """Pass on what the processes say that they are doing."""

    def hear() -> None:
        while (note := notes.get()) is not None:
            progress(note)

    listener = threading.Thread(target=hear, daemon=True)
    listener.start()
    try:
        yield
    finally:
        notes.put(None)
        listener.join()


_say: Note = lambda note: None  # noqa: E731 # replaced in a process that checks


def _begin(notes: Any) -> None:
    """Prepare a process: it says what it does to the one that started it, which also ends it at Ctrl-C."""
    global _say
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _say = notes.put
    keep_compiled_programs()


def _check_all(recipes: Sequence[Recipe], options: Mapping[str, Any]) -> list[Report]:
    return [check(recipe, **options, progress=_say) for recipe in recipes]
