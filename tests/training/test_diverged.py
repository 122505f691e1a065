"""A number that is not finite stops the run, and is traced to the step and layer where it began."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parity.backends import TrainingState
from parity.cli.main import main
from parity.data import Batch
from parity.recipes import Optimizer
from parity.training import Plan, checkpoint
from parity.training.diverged import DivergedError
from parity.training.plan import open_training
from tests.training.small import BACKENDS, PRECISIONS, at, go_on, last, numbers, plan, train, twin

LARGE = {"float32": 3e38, "float64": 1.7e308}


def spoiled(monkeypatch, step: int, change: Callable[[Batch], Batch]) -> None:
    """Change the batch of one step (from 1) of every run."""

    class Stream:
        def __init__(self, own) -> None:
            self.own = own

        def batch(self, epoch: int, position: int) -> Batch:
            batch = self.own.batch(epoch, position)
            return change(batch) if epoch * (self.own.steps_per_epoch or 0) + position == step - 1 else batch

    monkeypatch.setattr("parity.training.run.open_training", lambda *a, **k: Stream(open_training(*a, **k)))


def scaled(factor: float) -> Callable[[Batch], Batch]:
    return lambda batch: Batch((batch.inputs.astype(np.float64) * factor).astype(np.float32), batch.labels)


def stopped(framework: str, made: Plan, out: Path) -> str:
    """What is said of a run that diverges."""
    with pytest.raises(DivergedError) as caught:
        train(framework, made, out)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("framework", BACKENDS)
@pytest.mark.parametrize("step", [1, 5, 11, 17])
def test_infinity_in_a_batch_is_told_of_its_step(framework, step, tmp_path, monkeypatch) -> None:
    with np.errstate(all="ignore"):
        spoiled(monkeypatch, step, scaled(np.inf))
        line = stopped(framework, plan("points", PRECISIONS[framework], checkpoint_every=8, keep=2), tmp_path / "run")
    good = (step - 1) // 8 * 8
    assert f"in step {step} the input of the network is not finite" in line
    assert f"the last good checkpoint is that of step {good};" in line
    assert all(np.isfinite(array).all() for array in numbers(last(tmp_path / "run")).values())
    assert last(tmp_path / "run").step == good


LAYERS = {"points": "layers.1", "rnn": "ph", "vgg": "features.2.conv"}


@pytest.mark.parametrize(
    ("framework", "kind"),
    [(framework, kind) for framework in BACKENDS for kind in LAYERS if (framework, kind) != ("jax", "vgg")],  # slow
)
def test_the_first_layer_that_overflows_is_named(framework, kind, whole, tmp_path) -> None:
    layer = LAYERS[kind]

    def enlarge(state: TrainingState) -> TrainingState:
        name = f"{layer}.kernel"
        large = np.full_like(state.weights[name], LARGE[PRECISIONS[framework]])
        return replace(state, weights={**state.weights, name: large})

    with pytest.raises(DivergedError, match=f"in step 4 the output of layer {layer} is not finite"):
        go_on(framework, at(whole(framework, kind, PRECISIONS[framework])[0], 3), tmp_path, change=enlarge)


@pytest.mark.parametrize("framework", BACKENDS)
def test_a_gradient_that_overflows_is_told_from_an_output(framework, whole, tmp_path, monkeypatch) -> None:
    """Large inputs, tiny first weights, large last ones: all outputs are moderate, inputs times gradients are not."""
    tiny, large = (1e-37, 1e12) if PRECISIONS[framework] == "float32" else (1e-300, 1e299)

    def uneven(state: TrainingState) -> TrainingState:
        kernels = {"layers.0.kernel": tiny, "layers.1.kernel": large}
        changed = {name: np.full_like(state.weights[name], number) for name, number in kernels.items()}
        changed["layers.1.kernel"][:, 1] *= -1
        zeros = {name: np.zeros_like(array) for name, array in state.weights.items()}
        return replace(state, weights={**zeros, **changed})

    spoiled(monkeypatch, 4, scaled(1e30))
    with pytest.raises(DivergedError, match=r"in step 4 the gradient of the kernel of layer layers\.0 is not finite"):
        go_on(framework, at(whole(framework, "points", PRECISIONS[framework])[0], 3), tmp_path, change=uneven)


@pytest.mark.parametrize("framework", BACKENDS)
def test_an_update_that_overflows_is_told_of_the_step_before_the_loss_shows_it(framework, tmp_path) -> None:
    sgd = Optimizer(kind="sgd", learning_rate=LARGE[PRECISIONS[framework]], momentum=0.9)
    made = plan("points", PRECISIONS[framework])
    made = replace(made, recipe=replace(made.recipe, optimizer=sgd, init="randn"), steps=6, checkpoint_every=6)
    own = twin(framework, "points", PRECISIONS[framework])
    line = stopped(framework, made, tmp_path)
    step = int(line.split(" in step ")[1].split()[0])
    session, before = own.session(sgd), checkpoint.load(at(tmp_path, 0)).state
    session.load(before)
    stream = open_training(made.recipe, made.data, made.seed)
    for n in range(6):  # the oracle: one step at a time
        loss, _ = session.advance([stream.batch(*made.position(n))], [sgd.learning_rate]).fetch()
        finite = all(np.isfinite(array).all() for array in session.state().weights.values())
        if not (np.isfinite(loss).all() and finite):
            break
    assert step == n + 1


@pytest.mark.parametrize("framework", BACKENDS)
def test_the_command_says_it_in_one_line_and_the_last_good_checkpoint_loads(framework, tmp_path, capfd) -> None:
    new = ["--learning-rate=1e30", "--steps=40", "--checkpoint-every=1", "--init=randn", f"--out={tmp_path / 'run'}"]
    assert main(["train", "moons", f"--backend={framework}", *new]) == 1
    said = capfd.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    found = re.fullmatch(
        r"parity: training diverged: in step (\d+) the .* layer layers\.[01] is not finite; "
        r"the last good checkpoint is that of step (\d+); begin anew with a smaller --learning-rate\n",
        said.err,
    )
    assert found and int(found[1]) == int(found[2]) + 1
    state = last(tmp_path / "run")
    assert state.step == int(found[2])
    assert all(np.isfinite(array).all() for array in state.weights.values())
