"""A run on several devices that loses one stops within a bounded time, leaves nothing running, and can be gone on."""

import json
import os
import signal
import threading
import time

import pytest

from parity.backends.processes.exit_message import ERROR_FILE, LAUNCHER, LOST, tell
from parity.training import begin
from parity.training.guard import Guard
from parity.training.loop import Silent
from parity.training.together import kept
from tests.training import killed_devices
from tests.training.killed_devices import awaited, begun, left_after, processes
from tests.training.small import bits, last, plan, twin
from tests.training.together import parity, verdict

LONG = ("train", "moons", "--backend=torch", "--devices=2", "--steps=100000", "--checkpoint-every=10", "--timeout=5")
LONG_JAX = tuple(word.replace("torch", "jax") for word in LONG)


@pytest.fixture
def guarded(monkeypatch):
    """Makes a guard whose words are noted."""
    monkeypatch.setattr("parity.training.guard.TICK", 0.01)

    def make(timeout: float) -> tuple[Guard, list[str], threading.Event]:
        said, ended = list[str](), threading.Event()

        def end(why: str) -> None:
            said.append(why)
            ended.set()

        return Guard(timeout, end), said, ended

    return make


def test_a_run_that_stands_still_is_ended(guarded) -> None:
    guard, said, ended = guarded(0.2)
    with guard:
        assert ended.wait(10)
    assert said == ["no step was done for 0.2 s (--timeout): a device stands still, or never came"]


def test_a_run_that_goes_on_is_let_be(guarded) -> None:
    guard, said, ended = guarded(0.5)
    with guard:
        for _ in range(15):
            guard.pulse()
            time.sleep(0.05)
    assert not said and not ended.wait(0.6)


def test_a_process_whose_launcher_is_gone_ends(guarded, monkeypatch) -> None:
    monkeypatch.setenv(LAUNCHER, "1")
    guard, said, ended = guarded(100)
    with guard:
        assert ended.wait(10)
    assert said == ["the process that launched the devices is gone"]


def test_the_loop_tells_of_every_chunk_and_batch_that_it_has_done() -> None:
    pulses = list[None]()
    made = plan("points")
    begin(made, twin("numpy", "points"), Silent(), pulse=lambda: pulses.append(None))
    assert len(pulses) >= len(list(made.chunks(0))) + made.steps // made.evaluate_every


def test_last_words_are_left_for_the_launcher(tmp_path, monkeypatch) -> None:
    assert not tell("words", 2)
    monkeypatch.setenv(ERROR_FILE, str(tmp_path / "error.json"))
    assert not tell("words", 2)  # the launcher is not ours, and does not show them
    found = json.loads((tmp_path / "error.json").read_text())
    assert (found["message"], found["code"]) == ("words", 2)
    monkeypatch.setenv(LAUNCHER, str(os.getppid()))
    assert tell("words", 2)


def _failure(folder, rank: int, code: int, words: str | None = None, at: int = 0):
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

    place = folder / f"{rank}.json"
    if words is not None:
        place.write_text(json.dumps({"message": words, "code": code, "timestamp": at}))
    failure = ProcessFailure(rank, 1000 + rank, code, str(place))
    failure.timestamp = at
    return failure


KILL, TERM, ABORT = (-number for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGABRT))


@pytest.mark.parametrize(
    ("failures", "code", "words"),
    [
        ([(0, 2, "bad input", 5), (1, TERM, None, 5)], 2, "bad input"),
        ([(1, LOST, "lost", 5), (0, 2, "bad input", 5)], 2, "bad input"),
        ([(1, 1, None, 5), (0, LOST, "lost", 5)], 1, "the process of device 1 failed; what it said is above"),
        ([(1, KILL, None, 5), (0, TERM, None, 5)], LOST, "the process of device 1 was killed by SIGKILL"),
        ([(0, LOST, "lost", 5), (1, KILL, None, 6)], LOST, "the process of device 1 was killed by SIGKILL"),
        ([(0, ABORT, None, 5), (1, KILL, None, 5)], LOST, "the process of device 1 was killed by SIGKILL"),
        ([(1, TERM, None, 5), (0, TERM, None, 6)], LOST, "the process of device 1 was killed by SIGTERM"),
        ([(0, LOST, "lost", 5), (1, KILL, None, 36)], LOST, "the process of device 1 stood still, and was killed"),
        ([(0, LOST, "lost", 5), (1, TERM, None, 5)], LOST, "lost"),
    ],
)
def test_what_ended_the_processes_is_told(failures, code, words, tmp_path) -> None:
    from parity.backends.processes.launcher import first_of

    ended = first_of({rank: _failure(tmp_path, rank, *rest) for rank, *rest in failures})
    assert (ended.code, ended.words) == (code, words)
    assert ended.is_complete == (words in ("bad input", "lost"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("who", "number", "code", "said", "seconds"),
    [
        (0, signal.SIGKILL, LOST, "the process of device 0 was killed by SIGKILL", 10),
        (1, signal.SIGTERM, LOST, "the process of device 1 was killed by SIGTERM", 10),
        (1, signal.SIGSTOP, LOST, "the process of device 1 stood still", 50),
        (None, signal.SIGKILL, -signal.SIGKILL, "the process that launched the devices is gone", 10),
        (None, signal.SIGINT, 130, "stopped", 10),
        (None, signal.SIGTERM, 128 + signal.SIGTERM, "stopped by SIGTERM", 10),
    ],
)
def test_whichever_process_is_lost_all_end_with_one_line(who, number, code, said, seconds, tmp_path) -> None:
    run = begun(LONG, tmp_path)
    found = awaited(run, tmp_path, beyond=0)
    workers = sorted(process for process in found if found[process] == run.pid)
    assert len(workers) == 2
    os.kill(run.pid if who is None else workers[who], number)
    took, told = left_after(run, tmp_path)
    assert run.returncode == code and took < seconds
    assert len(told.splitlines()) == 1 and said in told and kept(tmp_path) in told
    assert not processes(tmp_path)


@pytest.mark.slow
def test_jax_on_two_devices_stops_at_once(tmp_path) -> None:
    run = begun(LONG_JAX, tmp_path)
    awaited(run, tmp_path, beyond=0)
    os.kill(run.pid, signal.SIGINT)
    took, told = left_after(run, tmp_path)
    assert run.returncode == 130 and took < 10 and kept(tmp_path) in told


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_killed_again_and_again_it_ends_as_one_that_was_not(backend, tmp_path, capsys) -> None:
    words = ("train", "moons", f"--backend={backend}", "--steps=1500", "--precision=float64")
    several = (*words, "--devices=2", "--checkpoint-every=10")
    assert killed_devices.run(5, 3, tmp_path / "killed", several) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(records) == 5 and max(record["seconds"] for record in records) < 10
    parity(*several, f"--out={tmp_path / 'whole'}")
    assert bits(last(tmp_path / "killed")) == bits(last(tmp_path / "whole"))
    parity(*words, "--keep=99", f"--out={tmp_path / 'one'}")
    assert verdict(tmp_path / "one", tmp_path / "killed", tmp_path / "moved", backend) == "same"
