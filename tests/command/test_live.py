"""The live view at a terminal: the networks with their rungs and layers, what runs now, and the time left."""

import io
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from parity.checks.verdict import Finding, Rung, Verdict
from parity.cli.shown import pace
from parity.cli.shown.live import LAYERS, View, clock
from parity.cli.shown.pace import Pace
from parity.cli.shown.progress import ShownProgress, draws

SAME, DIFFERENT = Verdict.SAME, Verdict.DIFFERENT
PAIR = "port.py:pair"
LONGEST = 120
"""Seconds that a check on a busy machine may take."""


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "netparity" / "pace"


def drawn(view: View) -> str:
    out = Console(file=io.StringIO(), width=100, color_system=None)
    with out.capture() as captured:
        out.print(view)
    return captured.get()


def rung(number: int, *verdicts: Verdict, **more: str) -> Rung:
    outputs = tuple(Finding("output", f"layer{i}", verdict, mode="evaluation") for i, verdict in enumerate(verdicts))
    others = (Finding("output", "layer0", DIFFERENT, mode="training"), Finding("result", "network", DIFFERENT))
    return Rung(number, "forward", max(verdicts, key=list(Verdict).index, default=SAME), findings=(*outputs, *others))


def test_the_rungs_the_layers_and_what_runs_are_shown() -> None:
    view = View({PAIR: "resnet", "other.py:pair": "vit"}, Pace(None))
    assert "starting" in drawn(view)
    view.note(f"{PAIR}: layers alone")
    view.running(PAIR, "Flax's forward pass")
    view.ruled(PAIR, [Rung(1, "structure", SAME), rung(2, SAME, SAME, DIFFERENT)])
    text = drawn(view)
    assert "resnet  = ≠  layers alone: Flax's forward pass" in text
    assert "resnet, layers: ==≠\n" in text and "vit          waits" in text and "0 of 2 done" in text
    view.ended(PAIR, [Rung(1, "structure", SAME), rung(2, SAME)])
    view.note("other.py:pair: mapping weights")
    text = drawn(view)
    assert text.index("vit") < text.index("resnet") and "1 of 2 done" in text and "resnet  = =  same" in text
    assert "layers:" not in text


def test_many_layers_share_their_marks_and_none_that_differs_is_lost() -> None:
    view = View({PAIR: PAIR}, Pace(None))
    view.note(f"{PAIR}: gradients")
    verdicts = [SAME] * (3 * LAYERS - 1)
    verdicts[100] = DIFFERENT
    view.ruled(PAIR, [rung(2, *verdicts)])
    text = drawn(view)
    line = next(line for line in text.splitlines() if "layers" in line)
    assert line.startswith(f"{PAIR}, layers, 3 to a mark: ") and line.count("=") == LAYERS - 1 and line.count("≠") == 1
    assert line.partition("mark: ")[2].index("≠") == 100 // 3


def test_of_many_networks_those_at_work_are_shown() -> None:
    names = [f"net{number}" for number in range(30)]
    view = View({name: name for name in names}, Pace(None))
    view.note("net29: forward")
    text = drawn(view)
    assert text.startswith("net29") and "and 18 more" in text


def test_names_are_no_markup() -> None:
    view = View({"a[bold].py:f": "a[bold].py:f"}, Pace(None))
    view.note("a[bold].py:f: [red]mapping")
    assert "a[bold].py:f" in drawn(view) and "[red]mapping" in drawn(view)


def test_the_time_left_is_what_the_last_run_took_at_this_run_s_speed(cache: Path) -> None:
    clock = Clock()

    def run(second: float) -> Iterator[tuple[float, float | None]]:
        """Seconds since the start and what is left, at each step of a run whose steps take so long."""
        made = Pace(["check", "x"], clock)
        yield made.elapsed, made.left()
        for step in ("a", "b", "c"):
            clock.now += second
            made.step(step)
            yield made.elapsed, made.left()
        clock.now += second
        made.keep()

    assert [left for _, left in run(10)] == [None] * 4
    assert list(run(10)) == [(0, 40), (10, 30), (20, 20), (30, 10)]
    assert list(run(20)) == [(0, 40), (20, 60), (40, 40), (60, 20)]
    assert Pace(["check", "y"], clock).left() is None
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("text", ["", "[]", '{"steps": {}, "seconds": -1}', '{"steps": {"a": "b"}, "seconds": 1}'])
def test_a_broken_memory_of_the_last_run_is_none(text: str, cache: Path) -> None:
    Pace(["x"]).keep()
    (file,) = cache.iterdir()
    file.write_text(text)
    assert Pace(["x"]).left() is None


def test_old_runs_are_forgotten_and_what_cannot_be_kept_is_not(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "KEPT", 3)
    for number in range(5):
        Pace([str(number)]).keep()
        time.sleep(0.02)
    assert [Pace([str(number)]).left() is None for number in range(5)] == [True, True, False, False, False]
    Pace(None).keep()
    assert len(list(cache.iterdir())) == 3
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    Pace(["0"]).keep()


def test_what_is_over_time_is_said(cache: Path) -> None:
    clock = Clock()
    first = Pace(["x"], clock)
    clock.now += 90
    first.keep()
    view = View({}, Pace(["x"], clock))
    for passed, words in ((0, "0:00 · about 1:30 left"), (89.5, "a moment left"), (10, "1:39 · longer than last time")):
        clock.now += passed
        assert words in drawn(view)


def test_seconds_are_written_as_clocks_show_them() -> None:
    assert [clock(seconds) for seconds in (0, 7.9, 750, 3723)] == ["0:00", "0:07", "12:30", "1:02:03"]


@pytest.mark.parametrize(
    ("terminal", "variables", "expected"),
    [(True, {}, True), (False, {}, False), (True, {"CI": "true"}, False), (True, {"TERM": "dumb"}, False)],
)
def test_the_view_is_drawn_at_terminals_alone(
    terminal: bool, variables: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    console = Console(file=io.StringIO(), force_terminal=terminal, _environ=os.environ)
    assert draws(console) is expected


@pytest.mark.parametrize("quiet", [False, True])
def test_lines_are_printed_elsewhere_and_nothing_if_it_is_to_be_quiet(
    quiet: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with ShownProgress(quiet, {PAIR: PAIR}) as progress:
        progress.listener.note(f"{PAIR}: mapping weights")
        progress.listener.running(PAIR, "a pass")
    assert capsys.readouterr().err == ("" if quiet else f"{PAIR}: mapping weights\n")


def at_a_terminal(*words: str) -> str:
    """What a command draws on stderr, which is a terminal."""
    ours, theirs = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "parity", *words], stdout=subprocess.DEVNULL, stderr=theirs, env=variables
    )
    os.close(theirs)
    data, end = b"", time.monotonic() + LONGEST
    while select.select([ours], [], [], max(0.0, end - time.monotonic()))[0]:
        try:
            data += os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    assert process.wait(LONGEST) == 0
    return data.decode()


def test_a_check_at_a_terminal_draws_its_view_and_clears_it(cache: Path) -> None:
    words = ("check", "moons", "circles", "--rungs", "1-2")
    first, second = at_a_terminal(*words), at_a_terminal(*words)
    assert "moons" in first and "waits" in first and "of 2 done" in first and " left" not in first
    assert " left" in second and "\x1b[2K" in second  # the view is erased line by line
    assert " left" not in at_a_terminal(*words, "--quiet")
