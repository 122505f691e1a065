"""Parts of a batch, wrong ways to part it by hand in NumPy, and rung 10 climbed in processes of their own."""

from dataclasses import replace

import numpy as np
import pytest

from parity import recipes
from parity.backends import Devices
from parity.backends.numpy.devices import WAYS, Way, step, ways
from parity.backends.numpy.twin import NumpyTwin
from parity.backends.processes.several_devices import together
from parity.bugs.pairs import PAIRS
from parity.checks.devices import APART, BY_DESIGN
from parity.checks.verdict import Verdict
from parity.errors import UsageError
from parity.interface.devices import Member, launched, parts
from parity.report.terminal import describe
from parity.twins.check import check
from tests.backends.small import SGD, batches, close, fresh, joined


@pytest.mark.parametrize(("size", "count", "sizes"), [(8, 4, [2, 2, 2, 2]), (7, 4, [2, 2, 2, 1]), (3, 4, [1, 1, 1, 0])])
def test_parts_are_all_of_a_batch_in_order(size, count, sizes) -> None:
    found = parts(size, count)
    assert [len(range(size)[part]) for part in found] == sizes
    assert [i for part in found for i in range(size)[part]] == [*range(size)]


def test_batch_norm_sees_the_batch_or_each_devices_part() -> None:
    assert [Devices(4, n).norms_apart for n in (1, 4)] == [False, True]
    with pytest.raises(UsageError, match=r"got 2 devices for a run whose BatchNorm sees 4 parts .* give --devices 4"):
        Devices(2, 4)


def test_a_process_knows_its_place(monkeypatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert launched() == Member()
    assert launched().leads
    for name, value in (("RANK", "5"), ("WORLD_SIZE", "8"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    assert launched() == Member(5, 8, 1)
    monkeypatch.setenv("RANK", "8")
    with pytest.raises(UsageError, match="got RANK=8 and WORLD_SIZE=8"):
        launched()


def _one_device(name: str) -> tuple[NumpyTwin, np.ndarray, dict]:
    twin = fresh("numpy", name)
    run = twin.watched(batches(name)[:1], SGD, [0.1])
    assert isinstance(twin, NumpyTwin)
    return twin, run.losses[0], run.gradients[0]


@pytest.mark.parametrize("name", ["MLP", "VGG"])
def test_a_way_that_is_right_is_the_step_of_one_device(name) -> None:
    twin, loss, gradients = _one_device(name)
    found = step(twin, batches(name)[0], 4, Way("sound"))
    assert close(found[0], loss)
    assert close(joined(found[1]), joined(gradients))  # some are nothing but rounding


def test_each_wrong_way_is_wrong_in_its_way() -> None:
    twin, loss, gradients = _one_device("MLP")  # without BatchNorm, parts of 4, 3, 3 and 3
    found = dict(ways(twin, batches("MLP")[0], 4))
    assert [*found] == [way.name for way in WAYS]
    summed = found["gradients are summed over the devices, not averaged"]
    assert close(summed[0], loss)
    assert all(close(summed[1][n], 4 * gradients[n]) for n in gradients)
    assert close(found[APART][0], loss)  # nothing is normalised
    alike = found["mean of means: parts of unequal size count alike"]
    twins = [fresh("numpy", "MLP").watched([_part(cut)], SGD, [0.1]) for cut in parts(13, 4)]
    assert close(alike[0], np.mean([run.losses[0] for run in twins]))
    assert not close(alike[0], loss)


def _part(cut: slice):
    batch = batches("MLP")[0]
    return replace(batch, inputs=batch.inputs[cut], labels=batch.labels[cut])


def test_statistics_apart_are_those_of_the_first_part() -> None:
    twin, loss, _ = _one_device("VGG")
    found = step(twin, batches("VGG")[0], 4, WAYS[0])
    first = twin.model.forward(twin.weights(), batches("VGG")[0].inputs[:4], training=True).buffers
    assert found[2].keys() == first.keys()
    assert all(close(found[2][n], first[n]) for n in first)
    assert not close(found[0], loss)


def test_several_devices_train_as_one_does() -> None:
    found = check(PAIRS["rnn"], rungs=[10], devices=[Devices(2)])
    assert [(rung.number, rung.verdict) for rung in found.rungs] == [(1, Verdict.SAME), (10, Verdict.SAME)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "vgg", "rnn"])
def test_the_studys_networks_train_alike_on_two_four_and_eight(name) -> None:
    found = check(recipes.load(name), rungs=[10], devices=[Devices(n) for n in (2, 4, 8)])
    assert found.verdict is Verdict.SAME, describe(found.rungs[-1])


@pytest.mark.slow
def test_statistics_apart_are_different_by_design() -> None:
    found = check(recipes.load("vgg"), rungs=[10], devices=[Devices(4, 4)])
    rung = found.rungs[-1]
    assert (rung.verdict, rung.layer, rung.cause) == (Verdict.DIFFERENT, "features.0.norm", BY_DESIGN)
    assert {f.verdict for f in rung.findings if f.mode == "4 devices, flax against torch"} == {Verdict.SAME}
    assert describe(rung).startswith(
        "different, by design: per-device BatchNorm, on rung 10 (devices) at layer [bold]features.0.norm[/]"
    )


@pytest.mark.slow
def test_without_a_batch_norm_there_is_nothing_apart() -> None:
    assert check(PAIRS["mlp"], rungs=[10], devices=[Devices(4, 4)]).verdict is Verdict.SAME


def _failing(number: int) -> None:
    raise ValueError(f"got {number}\nbeing 7")


@pytest.mark.slow
def test_a_process_that_fails_is_told_in_its_own_words(capfd) -> None:
    with pytest.raises(UsageError, match=r"one of 2 processes that were launched failed: .*being 7"):
        together(_failing, 7, 2)
    assert "Traceback" not in capfd.readouterr().err
