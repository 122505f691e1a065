"""Errors that the code of a user raises: their networks, losses, optimizers and schedules."""

import os
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from parity.errors import UsageError

DEBUG = "NETPARITY_DEBUG"
"""The environment variable with which our own errors, and our own lines of others, are shown."""
NOT_USERS = {Path(__file__).parents[1], *(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))}
"""Folders of what is not the users' code: ours, and Python's and installed libraries."""

DEEPER = 4
"""So many times deeper than the user's own calls may ours be nested: recording a call adds calls to it."""


class UserCodeError(UsageError):
    """What the users' networks, losses, optimizers or schedules raised.

    Args:
        error: the exception that they raised.
        during: what ran, a noun phrase.
        backward: whether that computed gradients.
    """

    def __init__(self, error: Exception, during: str, backward: bool) -> None:
        super().__init__(f"{words(error)} during {during}{place_in_user_code(error)}")
        self.backward = backward


@contextmanager
def raising(during: str, backward: bool = False) -> Iterator[None]:
    """Say what was running of whatever is raised inside, unless it is said already.

    Raises:
        UserCodeError: something was.
        UsageError: the user's code would have ended Python.
    """
    try:
        yield
    except UsageError:
        raise
    except SystemExit as error:
        raise UsageError(left(error, f"during {during}")) from error
    except Exception as error:
        raise UserCodeError(error, during, backward) from error


def left(error: SystemExit, during: str) -> str:
    """What is said of code of the users' that leaves Python.

    Args:
        error: what it raised.
        during: when it did so, as "during the first forward pass".
    """
    return (
        f"your code leaves Python {during} ({words(error)}{place_in_user_code(error)}); let it raise or return instead"
    )


@contextmanager
def deep_calls() -> Iterator[None]:
    """Let calls be nested deeper than by default inside, as modules of modules are, whose calls are recorded too."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(DEEPER * limit)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def words(error: BaseException) -> str:
    """An error's type and the first line of what it says, without notes that others added (JAX: on its traceback)."""
    summary = traceback.TracebackException.from_exception(error)
    summary.__notes__ = None
    text = [*summary.format_exception_only()][-1].strip().splitlines()[0]
    return f"{text}: calls without end, or a result that holds itself" if isinstance(error, RecursionError) else text


def place_in_user_code(error: BaseException) -> str:
    """The last line of the users' code on the way to where an exception was raised, as ", file.py line 3".

    It is "" if no line is theirs.
    """
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    places = [f"{path.name} line {line}" for path, line in frames if not NOT_USERS & set(path.parents)]
    return f", {places[-1]}" if places else ""


def traceback_of(error: BaseException) -> str:
    """An exception as Python prints it, from the first line of the users' code on; all of it if no line is theirs, or
    if NETPARITY_DEBUG is set."""
    summary = traceback.TracebackException.from_exception(error)
    users = [not NOT_USERS & set(Path(frame.filename).parents) for frame in summary.stack]
    if DEBUG not in os.environ and True in users:
        summary.stack = traceback.StackSummary.from_list(summary.stack[users.index(True) :])
    return "".join(summary.format())


def kind_of(thing: Any) -> str:
    """What something is, for people: "a torch Linear", "the class Linear", "a list"."""
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    package = type(thing).__module__.partition(".")[0]
    return f"a {type(thing).__name__}" if package == "builtins" else f"a {package} {type(thing).__name__}"
