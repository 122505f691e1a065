"""A run that is stopped and resumed in the same framework ends bit for bit as one that is not."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from parity.backends import TrainingState
from parity.data import Batch
from parity.training.folder import METRICS, SUMMARY
from parity.training.plan import open_training
from tests.training.small import (
    BACKENDS,
    PRECISIONS,
    RECIPES,
    STEPS,
    StopAt,
    StoppedError,
    at,
    bits,
    copied,
    go_on,
    last,
    plan,
    timeless,
    train,
    twin,
)

RUNS = [(framework, kind) for framework in BACKENDS for kind in RECIPES]


@pytest.mark.parametrize(("framework", "kind"), RUNS)
def test_resumed_from_any_checkpoint_it_ends_bit_for_bit_the_same(framework, kind, whole, tmp_path) -> None:
    run, outcome = whole(framework, kind, PRECISIONS[framework])
    for step in (0, 3, 9, 15):
        again = go_on(framework, at(run, step), tmp_path / str(step))
        assert bits(last(tmp_path / str(step))) == bits(last(run)), step
        assert timeless(again.lines) == timeless(outcome.lines), step


@pytest.mark.parametrize(("framework", "kind"), RUNS)
def test_stopped_again_and_again_it_ends_bit_for_bit_the_same(framework, kind, whole, tmp_path) -> None:
    run, outcome = whole(framework, kind, PRECISIONS[framework])
    with pytest.raises(StoppedError):
        train(framework, plan(kind, PRECISIONS[framework]), tmp_path, StopAt(5))
    for step in (7, 10, 15):
        with pytest.raises(StoppedError):
            go_on(framework, tmp_path, tmp_path, StopAt(step))
    go_on(framework, tmp_path, tmp_path)
    assert bits(last(tmp_path)) == bits(last(run))
    kept = [json.loads(line) for line in (tmp_path / METRICS).read_text().splitlines()]
    assert timeless(kept) == timeless(outcome.lines)
    said, expected = (json.loads((place / SUMMARY).read_text()) for place in (tmp_path, run))
    assert {key for key in expected if said[key] != expected[key]} <= {"seconds", "samples_per_second", "resumed_at"}


def test_stopped_before_anything_was_due_it_is_resumed_from_its_first_step(whole, tmp_path) -> None:
    with pytest.raises(StoppedError):
        train("numpy", plan("points"), tmp_path, StopAt(1))
    assert last(tmp_path).step == 0
    go_on("numpy", tmp_path, tmp_path)
    assert bits(last(tmp_path)) == bits(last(whole("numpy", "points")[0]))


@pytest.mark.parametrize("framework", BACKENDS)
def test_one_bit_of_a_checkpoint_would_be_noticed(framework, whole, tmp_path) -> None:
    run, _ = whole(framework, "points", PRECISIONS[framework])
    name = "layers.0.kernel"

    def up(state: TrainingState) -> TrainingState:
        return replace(state, weights={**state.weights, name: np.nextafter(state.weights[name], np.float32(9))})

    go_on(framework, at(run, 9), tmp_path, change=up)
    assert bits(last(tmp_path)) != bits(last(run))


def batches(kind: str, count: int) -> list[Batch]:
    run = plan(kind)
    stream = open_training(run.recipe, run.data, run.seed)
    return [stream.batch(*run.position(step)) for step in range(count)]


@pytest.mark.parametrize("parts", [(17,), (1,) * 17, (5, 1, 7, 4), (2, 15), (16, 1)])
@pytest.mark.parametrize(("framework", "kind"), [("jax", "points"), ("jax", "rnn"), ("torch", "points")])
def test_however_steps_are_parted_into_calls_their_bits_are_the_same(framework, kind, parts) -> None:
    optimizer, given = RECIPES[kind].optimizer, batches(kind, STEPS)
    ends = []
    for cuts in (parts, (4,) * 4 + (1,)):
        session = twin(framework, kind, "float32").session(optimizer)
        edges = np.cumsum([0, *cuts])
        steps = [session.advance(given[a:b], [0.01] * (b - a)) for a, b in pairwise(edges)]
        ends.append((bits(session.state()), np.concatenate([step.fetch()[0] for step in steps]).tobytes()))
    assert ends[0] == ends[1]


def test_a_run_without_a_folder_can_go_on_from_a_checkpoint_and_writes_nothing(whole, tmp_path) -> None:
    run, outcome = whole("numpy", "points")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert timeless(go_on("numpy", at(run, 9), None).lines) == timeless(outcome.lines)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_resuming_a_finished_run_changes_neither_its_metrics_nor_its_summary(whole, tmp_path) -> None:
    run = copied(whole("numpy", "points")[0], tmp_path / "run")
    metrics, summary = (run / METRICS).read_bytes(), json.loads((run / SUMMARY).read_text())
    go_on("numpy", run, run)
    assert (run / METRICS).read_bytes() == metrics
    assert json.loads((run / SUMMARY).read_text()) == {**summary, "resumed_at": STEPS}


def test_a_finished_run_can_be_made_longer(whole, tmp_path) -> None:
    short = tmp_path / "short"
    train("numpy", plan("points", steps=11), short)
    go_on("numpy", short, short, steps=STEPS)
    assert bits(last(short)) == bits(last(whole("numpy", "points")[0]))


def test_a_run_whose_metrics_are_gone_still_goes_on(whole, tmp_path) -> None:
    run = copied(whole("numpy", "points")[0], tmp_path / "run")
    (run / METRICS).unlink()
    assert go_on("numpy", run, run).summary["training"] is None
    assert bits(last(run)) == bits(last(whole("numpy", "points")[0]))
