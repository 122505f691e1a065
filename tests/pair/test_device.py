"""The device on which a pair is computed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import parity
from parity.backends.torch.passes import Passes
from parity.backends.torch.tracing import place
from parity.cli.main import main
from parity.errors import UsageError
from parity.interface.devices import Place, chosen_place, computing_on, place_of

X = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)
SECOND = """
import jax
jax.config.update("jax_num_cpu_devices", 2)
import numpy as np, parity, torch
from flax import nnx
from torch import nn
seen = set()
class Port(nnx.Module):
    def __init__(self):
        self.linear = nnx.Linear(3, 2, rngs=nnx.Rngs(0))
    def __call__(self, x):
        y = self.linear(x)
        jax.debug.callback(lambda y: seen.update(d.id for d in y.devices()), y)
        return y
x = np.ones((2, 3), np.float32)
report = parity.compare(Port(), nn.Linear(3, 2), x, device="cpu:1", checks=parity.Checks(probes=False))
from parity.backends.flax.inputs import device_of
from parity.interface.devices import computing_on
with computing_on("cpu:1"):
    print(report.verdict, "|", report.device, "|", device_of("float64").id)
print(device_of("float64").id)
"""


def pair() -> tuple[Any, Any, Any]:
    """A layer in both frameworks."""
    return nnx.Linear(3, 2, rngs=nnx.Rngs(0)), nn.Linear(3, 2), X


@pytest.mark.parametrize(
    ("name", "place"),
    [("cpu", Place()), ("cuda", Place("gpu")), ("gpu:1", Place("gpu", 1)), ("tpu", Place("tpu")), ("cpu:0", Place())],
)
def test_a_device_has_a_name(name: str, place: Place) -> None:
    assert place_of(name) == place
    with computing_on(name):
        assert chosen_place() == place
    assert chosen_place() == Place()


@pytest.mark.parametrize("name", ["mps", "gpu:", "gpu:x", "gpu:-1", "", "GPU 1"])
def test_what_names_no_device_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="expected cpu, gpu \\(or cuda\\) or tpu, or one of several such as gpu:1"):
        parity.compare(*pair(), device=name)


def test_what_a_tpu_lacks_is_computed_on_the_cpu_and_said() -> None:
    tpu = Place("tpu")
    assert (tpu.of("flax", "float32"), tpu.of("flax", "float64"), tpu.of("torch")) == (tpu, Place(), Place())
    assert (tpu.words("flax"), tpu.words("torch")) == ("tpu (float64 on cpu)", "cpu")
    assert Place("gpu", 1).words("torch") == "gpu:1"
    assert Place("cpu", 1).words("torch") == "cpu"  # PyTorch has one


@pytest.mark.parametrize("name", ["gpu", "cuda:3", "tpu", "cpu:7"])
def test_a_device_that_is_not_there_is_an_error_before_anything_is_compared(name: str) -> None:
    if name in ("gpu", "cuda:3") and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(UsageError, match=r"^JAX has no "):
        parity.compare(*pair(), device=name)


def test_pytorch_says_by_itself_that_it_has_no_gpu() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with computing_on("gpu"), pytest.raises(UsageError, match=r"PyTorch has no device gpu here .*sees none\)"):
        place.place()


def test_the_command_refuses_a_device_in_a_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text("def pair():\n    raise SystemExit('never called')\n")
    with pytest.raises(SystemExit) as ended:
        main(["check", f"{tmp_path}/mine.py:pair", "--device", "npu"])
    assert ended.value.code == 2
    assert "got device 'npu'; expected cpu, gpu (or cuda) or tpu" in capfd.readouterr().err
    assert main(["check", "moons", "--device", "tpu"]) == 2
    assert "recipes are checked on cpu or gpu" in capfd.readouterr().err


def test_every_tensor_of_pytorchs_side_is_made_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of a GPU the meta device: PyTorch refuses to mix it with the CPU as it does a GPU."""
    from parity.backends.torch import copies, gradients, passes
    from parity.backends.torch.side import TorchSide
    from parity.backends.torch.tracing import tape
    from parity.interface.observation import Inputs
    from parity.interface.side import Pass

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.norm, self.drop = nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)
            self.table = [torch.arange(4.0)]

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.drop(self.norm(self.linear(x))) * self.table[0] + torch.ones(4)
            seen.append(y.device.type)
            return y

    seen: list[str] = []
    monkeypatch.setitem(place.TYPES, "cpu", "meta")
    for module in (copies, gradients, passes, tape):
        if hasattr(module, "array_of"):
            monkeypatch.setattr(module, "array_of", lambda tensor: np.zeros(tensor.shape))
    side = TorchSide(Net(), Inputs((X,)))
    cotangents = {"": np.ones((2, 4))}
    for training in (False, True):
        how = Pass("float64", training, cotangents=cotangents, mask=lambda _, used: np.ones(used.shape))
        got = side.run(side.native, Inputs((X,)), how)
        assert got.parameter_gradients["linear.weight"].shape == (4, 3)
    assert set(seen) == {"meta"}
    assert isinstance(side._passes, Passes)


def test_jax_computes_on_the_second_of_two_devices() -> None:
    done = subprocess.run([sys.executable, "-c", SECOND], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:2] == ["same | cpu:1 and cpu | 1", "0"], done.stderr
    assert jax.devices("cpu")
