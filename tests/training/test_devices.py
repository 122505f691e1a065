"""Training on several devices is the same training."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from parity import documents
from parity.backends.flax.training.processes import BY_HAND, _free_port
from parity.backends.processes.members import joined
from parity.checks.referee import rule_drift
from parity.cli.main import main
from parity.errors import UsageError
from parity.training import Plan, checkpoint, make_twin
from parity.training.agreement import require_alike
from tests.training.small import bits, last, plan
from tests.training.together import TORCHRUN, end, parity, verdict

MOONS = ("train", "moons", "--precision=float64", "--steps=40", "--checkpoint-every=10", "--keep=9", "--seed=3")
VGG = (
    "train", "vgg", "--data=digits", "--precision=float64", "--batch-size=6", "--steps=4", "--checkpoint-every=4",
    "--evaluate-every=4", "--seed=3",
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _made_images() -> None:
    """The real ones here, as other processes have them."""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("numpy --devices=2", "numpy trains on one device"),
        ("torch --device=tpu", "--device tpu is for --backend jax"),
        ("torch --distributed", "--distributed is for --backend jax"),
        ("torch --devices=2 --compile", "--compile is for one device"),
        ("jax --batch-norm=per-device", "give --devices too"),
        ("torch --devices=99999", "has room for"),
        ("jax --device=tpu --devices=4", "JAX has no tpu device here"),
    ],
)
def test_options_that_do_not_fit_are_refused(words, said, capsys) -> None:
    assert main(["train", "moons", "--steps=1", *f"--backend={words}".split()]) == 2
    assert said in capsys.readouterr().err


def test_a_launched_process_of_the_reference_is_refused(monkeypatch, capsys) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["train", "moons", "--backend=numpy", "--steps=1"]) == 2
    assert "trains on one device, in one process" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "size", "rank"),
    [("", "2", "0"), ("localhost", "2", "0"), ("localhost:1", "two", "0"), ("localhost:1", "2", "2"), (None, "2", "0")],
)
def test_processes_of_jax_that_are_launched_by_hand_need_all_three_words(address, size, rank, monkeypatch) -> None:
    for name, value in zip(BY_HAND, (address, size, rank), strict=True):
        monkeypatch.setenv(name, value) if value is not None else monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="set all three"), joined("jax", None, "cpu", 1):
        pass


def test_devices_of_jax_are_parted_evenly_among_its_processes(monkeypatch) -> None:
    for name, value in zip(BY_HAND, ("localhost:1", "2", "0"), strict=True):
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(UsageError, match="got --devices 3 in 2 processes; give a multiple of 2"),
        joined("jax", 3, "cpu", 1),
    ):
        pass


def test_a_checkpoint_from_before_there_were_several_devices_can_be_read() -> None:
    made = plan("points").to_json()
    del made["norm_parts"]
    assert documents.fault(json.loads(json.dumps(made)), Plan) is None
    assert Plan.from_json(made) == plan("points")


def test_a_run_with_statistics_of_its_own_on_each_device_keeps_their_number() -> None:
    apart = replace(plan("vgg"), norm_parts=2)
    assert make_twin(apart, "torch", devices=2).devices.norms_apart
    with pytest.raises(UsageError, match="give --devices 2"):
        make_twin(apart, "torch", devices=4)
    with pytest.raises(UsageError, match="give --devices 2"):
        make_twin(apart, "torch")


@pytest.mark.parametrize(("place", "what"), [(0, "plan"), (1, "weights, moments or step"), (2, "data")])
def test_a_process_with_another_run_is_named(place, what) -> None:
    odd = ["a", "b", "c"]
    require_alike(["a b c"] * 3)
    odd[place] = "x"
    with pytest.raises(UsageError, match=f"process 2 of 3 has other {what} than process 0"):
        require_alike(["a b c", "a b c", " ".join(odd)])


def test_two_devices_of_jax_train_as_one_does(tmp_path) -> None:
    several, one = tmp_path / "several", tmp_path / "one"
    parity(*MOONS, "--backend=jax", "--devices=2", f"--out={several}")
    assert main([*MOONS, "--backend=torch", f"--out={one}"]) == 0
    assert json.loads((several / "summary.json").read_text())["devices"] == 2
    assert verdict(one, several, tmp_path / "moved") == "same"


@pytest.mark.slow
@pytest.mark.parametrize("words", [MOONS, VGG], ids=["moons", "vgg"])
def test_two_processes_of_pytorch_train_as_one_device_does(words, tmp_path) -> None:
    one = tmp_path / "one"
    assert main([*words, "--backend=torch", f"--out={one}"]) == 0
    parity(*words, "--backend=torch", "--devices=2", f"--out={tmp_path / 'ours'}")
    parity(*words, "--backend=torch", f"--out={tmp_path / 'torchrun'}", by=TORCHRUN)
    assert verdict(one, tmp_path / "ours", tmp_path / "moved") == "same"
    assert bits(last(tmp_path / "ours")) == bits(last(tmp_path / "torchrun"))


@pytest.mark.slow
@pytest.mark.parametrize("words", [MOONS, VGG], ids=["moons", "vgg"])
def test_two_processes_of_jax_with_two_devices_each_train_as_one_device_does(words, tmp_path) -> None:
    one, several = tmp_path / "one", tmp_path / "several"
    assert main([*words, "--backend=jax", f"--out={one}"]) == 0
    parity(*words, "--backend=jax", "--devices=4", f"--out={several}", by=TORCHRUN)
    assert verdict(one, several, tmp_path / "moved", "jax") == "same"


@pytest.mark.slow
def test_processes_of_jax_that_are_launched_by_hand_train_as_one_device_does(tmp_path) -> None:
    one, several, port = tmp_path / "one", tmp_path / "several", _free_port()
    argv = [sys.executable, "-m", "parity", *MOONS, "--backend=jax", f"--out={several}"]
    runs = [
        subprocess.Popen(
            argv,
            env=os.environ | dict(zip(BY_HAND, (f"localhost:{port}", "2", str(rank)), strict=True)),
            stdout=subprocess.DEVNULL,
        )
        for rank in range(2)
    ]
    assert [run.wait(200) for run in runs] == [0, 0]
    assert main([*MOONS, "--backend=jax", f"--out={one}"]) == 0
    assert verdict(one, several, tmp_path / "moved", "jax") == "same"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_run_goes_on_with_another_number_of_devices(backend, tmp_path) -> None:
    one, run = tmp_path / "one", tmp_path / "run"
    assert main([*MOONS, f"--backend={backend}", f"--out={one}"]) == 0
    begun = [word for word in MOONS if not word.startswith("--steps")]
    parity(*begun, "--steps=10", f"--backend={backend}", "--devices=2", f"--out={run}")
    parity("train", "moons", "--steps=20", f"--backend={backend}", "--devices=4", f"--resume={run}")
    parity("train", "moons", "--steps=40", f"--backend={backend}", f"--resume={run}")
    assert verdict(one, run, tmp_path / "moved", backend) == "same"


@pytest.mark.slow
def test_statistics_of_each_device_are_the_same_in_both_frameworks_and_cannot_be_resumed_on_more(tmp_path) -> None:
    for backend in ("torch", "jax"):
        parity(*VGG, f"--backend={backend}", "--devices=2", "--batch-norm=per-device", f"--out={tmp_path / backend}")
    assert checkpoint.load(checkpoint.latest(tmp_path / "jax")).plan.norm_parts == 2
    said = parity("train", "vgg", "--backend=torch", "--devices=4", f"--resume={tmp_path / 'torch'}", code=2)
    assert "give --devices 2" in said and len(said.splitlines()) == 1
    assert main([*VGG, "--backend=torch", f"--out={tmp_path / 'one'}"]) == 0
    assert verdict(tmp_path / "one", tmp_path / "torch", tmp_path / "moved") == "different"
    values = {backend: end(tmp_path / backend) for backend in ("jax", "torch")}
    own, still = ({"one": end(tmp_path / place)} for place in ("moved", "one"))
    assert str(rule_drift("run", "state", values, own, still=still).verdict) == "same"


@pytest.mark.slow
def test_a_run_that_diverges_says_so_once(tmp_path) -> None:
    said = parity(*MOONS, "--backend=torch", "--devices=2", "--learning-rate=1e30", f"--out={tmp_path}", code=1)
    assert len(said.splitlines()) == 1 and "training diverged: in step" in said
    said = parity(*MOONS, "--backend=torch", "--devices=2", f"--out={tmp_path}", code=2)
    assert len(said.splitlines()) == 1 and "holds something already" in said
