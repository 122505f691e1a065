"""The contestants by name: the ways to train a workload that are timed, each loaded in a process of its own."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from benchmarks.contestants.workload import Workload
from parity.errors import unknown_name

if TYPE_CHECKING:
    from benchmarks.contestants.base import Contestant


@dataclass(frozen=True)
class Entry:
    """A contestant before it is loaded.

    Args:
        name: its name in the command and in records.
        track: "default", "tuned" or "peer".
        framework: the framework whose compiler and kernels do the work, "jax" or "torch".
        where: module in this package, and name of the class in it.
        says: description of how it trains, in a line.
        needs: package that must be installed; "" for ours.
        environment: variables to set before Python starts.
        networks: names of the networks that it can train; all if empty.
    """

    name: str
    track: str
    framework: str
    where: tuple[str, str]
    says: str
    needs: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    networks: tuple[str, ...] = ()

    def absent(self, workload: Workload, device: str) -> str:
        """The reason why it cannot train the workload on this device; "" if it can."""
        if device == "tpu" and self.framework == "torch":
            return NO_TORCH_ON_TPU
        if self.networks and workload.recipe.network not in self.networks:
            return f"trains {', '.join(self.networks)} only"
        if self.needs and find_spec(self.needs) is None:
            return f"needs {self.needs}: pip install 'netparity[peers]'"
        return ""

    def load(self) -> "type[Contestant]":
        """Import the contestant's class, which loads its framework."""
        module, name = self.where
        return getattr(import_module(f"{__name__}.{module}"), name)


NO_TORCH_ON_TPU = (
    "PyTorch itself on a TPU needs torch_xla, whose last release (2.9) is older than the oldest PyTorch supported here "
    "(2.11); the contestant torchax runs PyTorch's network there"
)
KERAS = "Keras 3's own layers, `compile` and `fit`"
ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("flax-default", "default", "jax", ("flax_default", "FlaxDefault"), "`nnx.jit` and `nnx.Optimizer`"),
        Entry("torch-default", "default", "torch", ("torch_default", "TorchDefault"), "eager, `DataLoader`"),
        Entry("flax-tuned", "tuned", "jax", ("flax_tuned", "FlaxTuned"), "the project's own loop in Flax"),
        Entry("torch-tuned", "tuned", "torch", ("torch_tuned", "TorchTuned"), "the project's own loop in PyTorch"),
        Entry("torch-eager", "tuned", "torch", ("torch_tuned", "TorchEager"), "the same loop, nothing compiled"),
        Entry(
            "keras-jax", "peer", "jax", ("keras_", "KerasContestant"), f"{KERAS}, JAX", "keras",
            (("KERAS_BACKEND", "jax"),), ("MLP", "VGG", "RNN"),
        ),
        Entry(
            "keras-torch", "peer", "torch", ("keras_", "KerasContestant"), f"{KERAS}, PyTorch", "keras",
            (("KERAS_BACKEND", "torch"),), ("MLP", "VGG", "RNN"),
        ),
        Entry("lightning", "peer", "torch", ("lightning_", "LightningContestant"), "its `Trainer`", "lightning"),
        Entry("torch-rnn", "peer", "torch", ("torch_rnn", "TorchRNN"), "`torch.nn.RNN`, eager", networks=("RNN",)),
        Entry("torchax", "peer", "jax", ("torchax_", "Torchax"), "PyTorch's network run by JAX, optax", "torchax"),
    )
}  # fmt: skip


def entry(name: str) -> Entry:
    """The contestant of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in ENTRIES:
        raise unknown_name("contestant", name, ENTRIES)
    return ENTRIES[name]
