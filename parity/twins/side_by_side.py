"""Checks several recipes side by side, in one process for each processor.

In a single process one network would wait while another is compiled, and the threads of two would fight over the cores.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from typing import Any

from parity.backends.processes.configuration import keep_compiled_programs
from parity.backends.processes.started import ended, interrupts_held_back
from parity.recipes import Recipe
from parity.report.listener import Listener
from parity.report.pair import Report
from parity.twins.check import check

Job = Sequence[Recipe]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""The environment variables that say how many threads a process computes with; those that are set are left."""


def check_side_by_side(
    recipes: Sequence[Recipe], options: Mapping[str, Any], listener: Listener, processes: int | None = None
) -> list[Report]:
    """The reports of these recipes, in their order.

    Args:
        recipes: What to check. Those of one network share a process, which compiles it once.
        options: The arguments of `parity.twins.check.check`; all of them can be pickled.
        listener: Called as the checks go on.
        processes: How many processes there are at most; None takes one for each processor that this process may use.

    Raises:
        UsageError: The data or the device is not there, a convention is unknown, or the weights are another network's.
        RuntimeError: A process died.
    """
    jobs = _jobs(recipes)
    count = min(len(jobs), processes or processors())
    if count < 2:
        keep_compiled_programs()
        return [_checked(recipe, options, listener) for recipe in recipes]
    names = [recipe.name for job in jobs for recipe in job]
    with _threads(max(1, processors() // count)):
        reports = _distributed(jobs, options, listener, count)
    by_name = dict(zip(names, reports, strict=True))
    return [by_name[recipe.name] for recipe in recipes]


def _distributed(jobs: Sequence[Job], options: Mapping[str, Any], listener: Listener, count: int) -> list[Report]:
    """The reports of all jobs, in order: a process that has done one is given the next."""
    context = multiprocessing.get_context("spawn")
    workers = [_Worker(context) for _ in range(count)]
    done: dict[int, list[Report]] = {}
    waiting = iter(enumerate(jobs))
    try:
        for worker, (number, job) in zip(workers, waiting, strict=False):
            worker.give(number, job, options)
        while len(done) < len(jobs):
            for worker in _heard_of(workers):
                kind, content = worker.hear()
                if kind == "raised":
                    raise content
                if kind != "done":
                    getattr(listener, kind)(*content)
                else:
                    done[worker.number] = content
                    if (following := next(waiting, None)) is not None:
                        worker.give(*following, options)
    finally:
        for worker in workers:
            worker.end()
    return [report for number in range(len(jobs)) for report in done[number]]


class _Worker:
    """A process that checks what it is given. It ends when its end of the pipe is closed, whatever closes it."""

    def __init__(self, context: SpawnContext) -> None:
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        with interrupts_held_back():
            self._process.start()
        theirs.close()
        self.number = 0
        self._names = ""

    def give(self, number: int, job: Job, options: Mapping[str, Any]) -> None:
        """Let it check the recipes of a job, the one of that number."""
        self.number, self._names = number, ", ".join(recipe.name for recipe in job)
        self.connection.send((job, options))

    def hear(self) -> tuple[str, Any]:
        """The next message: "done" with reports, "raised" with an exception, or what a listener is called with.

        Raises:
            RuntimeError: The process is gone.
        """
        try:
            message: tuple[str, Any] = self.connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise RuntimeError(f"{ended(self._process.exitcode or 0)} while it checked {self._names}") from None
        return message

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.connection.close()


def _heard_of(workers: Sequence[_Worker]) -> list[_Worker]:
    """The processes that have said something, or are gone."""
    ready = connection.wait([worker.connection for worker in workers])
    return [worker for worker in workers if worker.connection in ready]


def _work(ours: Connection) -> None:
    """Check what comes, in a process, until the one that started it is gone; that one also ends it at Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    keep_compiled_programs()
    with suppress(EOFError, ConnectionError):
        while True:
            job, options = ours.recv()
            try:
                reports = [_checked(recipe, options, _sender(ours)) for recipe in job]
            except Exception as error:  # told, and raised, where it can be handled
                ours.send(("raised", error))
            else:
                ours.send(("done", reports))


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _checked(recipe: Recipe, options: Mapping[str, Any], listener: Listener) -> Report:
    report = check(recipe, **options, progress=listener.note, ruled=listener.ruled)
    listener.ended(recipe.name, report.rungs)
    return report


def _sender(connection: Connection) -> Listener:
    """Sends what a listener is called with."""

    def sending(kind: str) -> Callable[..., None]:
        return lambda *content: connection.send((kind, content))

    return Listener(*map(sending, ("note", "running", "ruled", "ended")))


def _jobs(recipes: Sequence[Recipe]) -> Sequence[Job]:
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
