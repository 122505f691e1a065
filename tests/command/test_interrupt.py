"""Ctrl-C ends the command at once, with one line, whatever it is doing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command.test_pair import PAIR

SOON = 20
"""Seconds in which a machine with much else to do has ended a process; one that is not stopped goes on for 60."""
BUSY = """
import threading, time
from parity.cli import interrupt

{}
ready = False
while True:
    try:
        if not ready:
            ready = True
            print("ready", flush=True)
        time.sleep(60)
    except BaseException:  # as a framework's callback does
        print("lost", flush=True)
"""


HEEDING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
"""What is started in the background may have been told to ignore Ctrl-C."""
COMMAND = """
from parity.cli import interrupt
from parity.cli.main import entry_point
watch = interrupt.watch
interrupt.watch = lambda: (watch(), print("ready", flush=True))
entry_point()
"""
"""The command, which says when Python itself has started."""


def started(code: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEEDING + code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def stopped(process: subprocess.Popen[str]) -> tuple[float, str, str]:
    """Press Ctrl-C in its terminal; the seconds until it and all that it started are gone, and what they said."""
    os.killpg(process.pid, signal.SIGINT)
    before = time.monotonic()
    out, err = process.communicate(timeout=60)
    return time.monotonic() - before, out, err


@pytest.mark.parametrize("more", [[], ["--in-process"]])
def test_a_check_is_stopped_while_frameworks_load_and_compile(more: list[str], tmp_path: Path) -> None:
    (tmp_path / "pair.py").write_text(PAIR)
    for delay in (0.2, 1, 2):
        process = started(COMMAND, "check", f"{tmp_path / 'pair.py'}:right", *more)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(delay)
        assert process.poll() is None, process.communicate()
        seconds, out, err = stopped(process)
        assert process.returncode == 130 and "same" not in out
        assert err.splitlines()[-1] == "parity: stopped" and "Traceback" not in err
        assert seconds < SOON


def test_what_swallows_an_interrupt_is_stopped_too() -> None:
    process = started(BUSY.format("interrupt.watch()"))
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    seconds, out, err = stopped(process)
    assert (process.returncode, out, err) == (130, "", "parity: stopped\n")
    assert seconds < SOON


def test_a_command_that_says_where_it_stopped_has_a_little_time_for_it() -> None:
    process = started(BUSY.format("interrupt.watch(); interrupt.gently(); interrupt.GRACE = 1"))
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    seconds, out, err = stopped(process)
    assert (process.returncode, out, err) == (130, "lost\n", "parity: stopped\n")
    assert 1 <= seconds < 1 + SOON


STARTING = """
import multiprocessing, signal, time
from multiprocessing import util
from parity.backends.processes.started import interrupts_held_back
from parity.cli import interrupt

interrupt.watch()
spawned = util.spawnv_passfds

def slow(*content):
    number = spawned(*content)
    if "--multiprocessing-fork" in str(content):
        print("ready", flush=True)
        time.sleep(2)
    return number

util.spawnv_passfds = slow
process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
with interrupts_held_back():
    process.start()
process.join()
"""
"""A process that has started another, and is still sending it what to do."""


def test_a_process_that_is_just_starting_ends_without_a_word() -> None:
    process = started(STARTING)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(0.5)  # in which the other has begun to read
    seconds, out, err = stopped(process)
    assert (process.returncode, out, err) == (130, "", "parity: stopped\n")
    assert seconds < SOON


def test_a_process_that_was_started_to_ignore_interrupts_goes_on_ignoring_them() -> None:
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); from parity.cli import interrupt; "
    code += "interrupt.watch(); print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    process = started(code)
    assert process.communicate(timeout=60)[0] == "True\n"
