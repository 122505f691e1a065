"""What a run does is decided beforehand, survives JSON, and does not depend on where the run is resumed."""

import json
from dataclasses import replace
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity import recipes
from parity.errors import UsageError
from parity.training import Plan, make_plan
from parity.training.plan import CHUNK
from tests.training.small import RECIPES, plan

every = st.integers(1, 90)
plans = st.builds(
    lambda steps, log, evaluate, keep, epoch: Plan(
        RECIPES["points"], "moons", 0, "float64", steps, epoch, log, evaluate, keep, 3
    ),
    st.integers(1, 300),
    every,
    every,
    every,
    st.none() | st.integers(1, 40),
)


@pytest.mark.parametrize("name", recipes.names())
def test_a_plan_survives_json(name) -> None:
    recipe = recipes.load(name)
    made = replace(plan("points"), recipe=recipe, data=recipe.data)
    again = Plan.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert type(again.recipe) is type(recipe) and type(again.recipe.optimizer) is type(recipe.optimizer)
    assert Plan.from_json(made.to_json()) == made


@given(plans)
def test_chunks_take_every_step_once_and_none_crosses_a_stop(made) -> None:
    chunks = list(made.chunks(0))
    assert list(chain(*chunks)) == list(range(made.steps))
    assert all(1 <= len(chunk) <= CHUNK for chunk in chunks)
    cadences = made.log_every, made.evaluate_every, made.checkpoint_every
    stops = {step for step in range(1, made.steps) if any(step % cadence == 0 for cadence in cadences)} | {made.steps}
    assert stops <= {chunk.stop for chunk in chunks}
    assert stops == {chunk.stop for chunk in chunks if chunk.stop == made.next_stop(chunk.stop - 1)}
    assert all(made.next_stop(step) == min(stop for stop in stops if stop > step) for step in range(made.steps))


@given(plans, st.data())
def test_a_run_resumed_at_a_stop_takes_the_same_chunks(made, data) -> None:
    chunks = list(made.chunks(0))
    position = data.draw(st.integers(0, len(chunks) - 1))
    assert list(made.chunks(chunks[position].start)) == chunks[position:]
    assert list(made.chunks(made.steps)) == []


@given(plans)
def test_something_is_due_at_its_cadence_and_at_the_end(made) -> None:
    for step in range(1, made.steps + 1):
        assert made.due(step, made.evaluate_every) == (step % made.evaluate_every == 0 or step == made.steps)


@given(plans)
def test_positions_count_steps_through_the_epochs(made) -> None:
    positions = [made.position(step) for step in range(made.steps)]
    assert positions == sorted(set(positions)) and positions[0] == (0, 0)
    if made.steps_per_epoch is None:
        assert all(epoch == 0 for epoch, _ in positions)
    else:
        assert all(step < made.steps_per_epoch for _, step in positions)
        assert all(b in ((a[0], a[1] + 1), (a[0] + 1, 0)) for a, b in pairwise(positions))


def test_epochs_are_turned_into_steps_and_cadences_have_defaults() -> None:
    points, rnn = RECIPES["points"], RECIPES["rnn"]
    assert make_plan(points, epochs=4).steps == 12 and make_plan(points).steps == points.steps
    assert make_plan(replace(points, evaluate_every=None), steps=9).evaluate_every == 3
    assert make_plan(replace(rnn, evaluate_every=None), steps=9).evaluate_every == 9
    made = make_plan(points, steps=9, evaluate_every=4)
    assert (made.evaluate_every, made.checkpoint_every) == (4, 4)
    assert make_plan(points, steps=9, checkpoint_every=2).checkpoint_every == 2


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("points", {"steps": 3, "epochs": 2}, "got both 3 steps and 2 epochs"),
        ("rnn", {"epochs": 2}, "palindromes have no end"),
        ("points", {"steps": 0}, "got 0 training steps"),
        ("points", {"data": "moon"}, "unknown data set 'moon'; did you mean moons"),
    ],
)
def test_what_cannot_be_planned_is_refused(kind, given, expected) -> None:
    with pytest.raises(UsageError, match=expected):
        make_plan(RECIPES[kind], **given)
