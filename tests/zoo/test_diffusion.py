"""Networks of several arguments that predict numbers: their runs cross between frameworks, and they begin at zero."""

from typing import Any

import numpy as np
import pytest

from parity.backends import twin_class
from parity.data import Batch, open_stream
from parity.interface import random as initial
from parity.interface.session import Session
from parity.recipes import Optimizer
from parity.reference.layers import mean_squared_error
from parity.reference.zoo.diffusion.timestep import grid_positions, timestep_embedding
from tests.zoo.small import inputs, recipe, reference, twin

ADAM = Optimizer(kind="adam", learning_rate=0.01)
NAMES = ["dit", "moe", "unet"]


def batches(name: str) -> list[Batch]:
    found = recipe(name)
    stream = open_stream(found.data, batch_size=3, seed=2, length=found.check_length)
    return [stream.batch(0, step) for step in range(2)]


def begun(framework: str, name: str) -> Session[Any]:
    return twin(framework, name).session(ADAM, brief=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_goes_on_in_the_other_framework_as_in_its_own(name: str) -> None:
    """The first step is taken in PyTorch, the second in each: weights and moments cross as a checkpoint has them."""
    first, second = batches(name)
    begin = begun("torch", name)
    begin.advance([first], [0.01]).fetch()
    state, ends = begin.state(), {}
    for framework in ("torch", "flax", "numpy"):
        session = begun(framework, name)
        session.load(state)
        losses, _ = session.advance([second], [0.01]).fetch()
        ends[framework] = session.state(), losses
        assert session.evaluate([second]).loss < losses[0]
    for framework in ("flax", "numpy"):
        assert np.allclose(ends[framework][1], ends["torch"][1], rtol=1e-9)
        ours, theirs = ends[framework][0], ends["torch"][0]
        for name_, array in ours.moments["exp_avg"].items():
            assert np.allclose(array, theirs.moments["exp_avg"][name_], rtol=1e-6, atol=1e-12), name_
        assert all(np.allclose(a, theirs.weights[key], rtol=1e-4, atol=1e-6) for key, a in ours.weights.items())


@pytest.mark.parametrize("name", ["dit", "unet"])
def test_predictions_and_scores_are_the_same(name: str) -> None:
    batch = batches(name)[0]
    found = {framework: begun(framework, name) for framework in ("torch", "flax", "numpy")}
    predicted = {framework: session.predict([batch.inputs])[0] for framework, session in found.items()}
    scores = {framework: session.evaluate([batch]) for framework, session in found.items()}
    expected, _ = mean_squared_error(predicted["numpy"], batch.labels)
    for framework in found:
        assert predicted[framework].shape == batch.labels.shape
        assert np.allclose(predicted[framework], predicted["numpy"], rtol=1e-9, atol=1e-11)
        assert scores[framework].loss == pytest.approx(expected, rel=1e-9)
        assert scores[framework].samples == batch.labels.size and scores[framework].accuracy == 0


@pytest.mark.parametrize("name", ["dit", "unet"])
def test_at_first_nothing_is_predicted_since_the_head_is_zero(name: str) -> None:
    found = recipe(name)
    drawn = initial.draw(reference(name).shapes(), "xavier", 0)
    for framework in ("flax", "torch", "numpy"):
        cls = twin_class(framework)
        made = cls(cls.build(found.network, found.config, seed=0, init="xavier"))
        own = made.weights() if framework != "numpy" else drawn
        zeros = {key for key, array in own.items() if not array.any() and not key.endswith(".bias")}
        assert zeros == {key for key, array in drawn.items() if not array.any() and not key.endswith(".bias")}
        assert "head.kernel" in zeros and len(zeros) > 2
        made.load(drawn)
        assert not made.forward(inputs(name), training=False).any()


def test_the_step_and_the_class_matter() -> None:
    images, steps, classes = inputs("dit")
    before = twin("numpy", "dit").forward((images, steps, classes), training=False)
    for other in ((images, steps + 1, classes), (images, steps, (classes + 1) % 11)):
        assert not np.allclose(before, twin("numpy", "dit").forward(other, training=False))


def test_the_waves_are_those_of_the_papers() -> None:
    ddpm = timestep_embedding([0, 7], 6, cosine_first=False, shift=1)
    assert np.allclose(ddpm[0], [0, 0, 0, 1, 1, 1]) and np.allclose(ddpm[1, [0, 2]], np.sin([7, 7e-4]))
    dit = timestep_embedding([7], 6, cosine_first=True, shift=0)
    assert np.allclose(dit[0, [0, 3]], [np.cos(7), np.sin(7)]) and np.allclose(dit[0, 5], np.sin(7 * 10000 ** (-2 / 3)))
    grid = grid_positions(3, 8)
    assert grid.shape == (9, 8) and np.allclose(grid[5, :4], grid[2, :4]) and np.allclose(grid[5, 4:], grid[3, 4:])


def test_targets_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"got targets \(2,\), expected \(2, 3\)"):
        mean_squared_error(np.zeros((2, 3)), np.zeros(2))
