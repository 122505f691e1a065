"""What waits on record say, the watch over a training run, and a short run from end to end."""

import json
import time
from math import isinf
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.speed import record
from benchmarks.waits import measure as time_to
from benchmarks.waits import page as time_to_page
from benchmarks.waits.tasks import TASKS, task
from benchmarks.waits.worker import PHASES, AccuracyWatch, Job, LevelReached, Timed, waited
from parity.errors import UsageError
from tests.benchmarks.growth.test_growth import PROVEN


def turn(contestant: str, seed: int, seconds: float, *, reached: bool = True, cold: bool = True) -> dict[str, Any]:
    phases = dict(zip(PHASES, (2.0, 1.0, 1.0, seconds - 5.0, 1.0), strict=True))
    return {
        "contestant": contestant, "seed": seed, "round": seed, "place": 0, "cold": cold, "phases": phases,
        "seconds": seconds, "reached": reached, "step": 100, "accuracy": 0.96 if reached else 0.5, "others": 0.0,
    }  # fmt: skip


def made(turns: list[dict[str, Any]]) -> dict[str, Any]:
    names = {turn["contestant"] for turn in turns}
    about = {
        "schema": record.SCHEMA,
        "kind": "result",
        "command": "",
        "request": {},
        "environment": record.environment("cpu"),
        "busy": False,
    }
    part = {"title": "MLP", "level": 0.95, "every": 10, "steps": 100, "why": "so it is", "absent": {}, "turns": turns}
    return {**about, "tasks": {"digits": {**part, "proofs": dict.fromkeys(names, PROVEN)}}}


TURNS = [
    *(turn("flax-tuned", seed, seconds) for seed, seconds in enumerate((10.0, 12.0, 11.0))),
    turn("flax-tuned", 0, 8.0, cold=False),
    *(turn("torch-eager", seed, seconds, reached=seed > 0) for seed, seconds in enumerate((30.0, 24.0, 22.0))),
    *(turn("torch-tuned", seed, 40.0, reached=seed == 2) for seed in range(3)),
]


def test_a_wait_that_is_not_reached_counts_as_the_longest() -> None:
    part = made(TURNS)["tasks"]["digits"]
    assert time_to_page.wait(part, "flax-tuned") == 11.0
    assert time_to_page.wait(part, "torch-eager") == 24.0
    assert isinf(time_to_page.wait(part, "torch-tuned"))


def test_ratios_are_of_the_seeds_that_got_there_with_both() -> None:
    part = made(TURNS)["tasks"]["digits"]
    found = time_to_page.ratio(part, "torch-eager", "flax-tuned")
    assert found is not None and found["median"] == 2.0 and found["n"] == 2
    assert time_to_page.ratio(made([turn("a", 0, 9.0), turn("b", 1, 9.0)])["tasks"]["digits"], "a", "b") is None


def test_the_tables_tell_every_wait_that_was_missed() -> None:
    said = time_to.markdown(made([*TURNS, {"contestant": "torch-eager", "seed": 3, "cold": True, "error": "killed"}]))
    assert "| flax-tuned | 3 of 3 | 11 (10–12) | 2 | 1 | 1 | 6 | 1 | 8 |" in said
    assert "| torch-eager | 2 of 3 | 24 (22–24) |" in said
    assert "| torch-tuned | 1 of 3 | not reached |" in said
    assert said.count("not reached, 50.0% after 100 steps") == 3
    assert "torch-eager, seed 3: failed: killed" in said


def test_the_figure_has_a_bar_a_phase_and_a_mark_a_wait() -> None:
    [axes] = time_to.figure(made(TURNS)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "flax-tuned", "flax-tuned, cached", "torch-eager", "torch-tuned",
    ]  # fmt: skip
    assert len(axes.patches) == 4 * len(PHASES)
    marks = {
        marker: sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == marker) for marker in "ox"
    }
    assert marks == {"o": 7, "x": 3}


def test_records_of_waits_need_proofs(tmp_path: Path) -> None:
    found = made(TURNS)
    assert record.load(record.save(found, tmp_path / "a.json"), "result") == json.loads(json.dumps(found))
    del found["tasks"]["digits"]["proofs"]["torch-eager"]
    with pytest.raises(UsageError, match="torch-eager on digits, which was not proven"):
        record.save(found, tmp_path / "b.json")


def test_the_watch_ends_at_the_first_evaluation_that_has_the_level() -> None:
    watch = AccuracyWatch(0.9, time.perf_counter())
    watch.evaluated({"step": 10, "accuracy": 0.89})
    with pytest.raises(LevelReached):
        watch.evaluated({"step": 20, "accuracy": 0.9})
    assert [point[:2] for point in watch.curve] == [(10, 0.89), (20, 0.9)]


def test_only_the_first_steps_are_waited_for() -> None:
    class Session:
        step, waits = 7, 0

        def advance(self, batches: list[int], rates: list[float]) -> list[int]:
            return batches

        def wait(self) -> None:
            self.waits += 1

    inner = Session()
    session = Timed(inner)
    assert [session.advance([1], [0.1]), session.advance([2], [0.1])] == [[1], [2]]
    assert inner.waits == 1 and session.step == 7 and session.begun > 0 and session.seconds["first steps"] > 0


def test_a_wait_of_the_loop_adds_up(tmp_path: Path) -> None:
    found = waited(Job("digits", 0, "torch", False, "cpu", time.perf_counter(), str(tmp_path / "out")))
    assert found["reached"] and found["accuracy"] >= 0.95 > max(a for _, a, _ in found["curve"][:-1])
    assert found["step"] % 10 == 0 and sum(found["phases"].values()) == pytest.approx(found["seconds"])
    assert min(found["phases"].values()) > 0


def test_every_task_says_why_and_is_planned_with_its_cadence() -> None:
    for chosen in (TASKS["digits"], TASKS["palindromes"]):
        plan = chosen.plan(1)
        assert (plan.steps, plan.evaluate_every, plan.seed) == (chosen.steps, chosen.every, 1)
        assert plan.recipe.evaluate_on == ("test",) and chosen.why
    assert TASKS["palindromes"].plan(0).recipe.length == 10
    with pytest.raises(UsageError):
        task("imagenet")


def test_compiling_is_waited_for_only_where_something_is_compiled() -> None:
    assert "is torch-eager here" in time_to._absent(TASKS["digits"], "torch-tuned", "cpu")
    assert time_to._absent(TASKS["palindromes"], "torch-tuned", "cpu") == ""
    assert time_to._absent(TASKS["digits"], "flax-tuned", "cpu") == ""


@pytest.mark.slow
def test_a_short_run_that_does_not_get_there(tmp_path: Path, capsys) -> None:
    out = tmp_path / "result.json"
    short = ["--task=palindromes", "--contestant=torch-eager", "--seeds=1", "--steps=20", "--threads=1"]
    assert main(["result", *short, "--out", str(out)]) == 0
    assert "torch-eager | 0 of 1 | not reached" in capsys.readouterr().out
    part = record.load(out, "result")["tasks"]["palindromes"]
    assert [(turn["cold"], turn["reached"], turn["step"]) for turn in part["turns"]] == [
        (True, False, 20),
        (False, False, 20),
    ]
    assert all(turn["phases"]["import"] > 0.1 for turn in part["turns"])
    for wrong in (["--seeds", "0"], ["--contestant", "flax-default"], ["--out", str(out)]):
        assert main(["result", "--task", "digits", *wrong]) == 2
