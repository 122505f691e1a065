"""One backend a framework: the only importers of jaxnets and torchnets. Each is loaded when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from parity.errors import unknown_name
from parity.interface.devices import Devices, Member
from parity.interface.frameworks import BACKENDS, framework_of
from parity.interface.runs import Score, Steps, TrainingState
from parity.interface.session import Session
from parity.interface.trace import Precision
from parity.interface.twin import Twin

if TYPE_CHECKING:
    from parity.interface.observation import Inputs
    from parity.interface.side import Side

FRAMEWORKS = {
    "flax": ("flax.twin", "FlaxTwin"),
    "torch": ("torch.twin", "TorchTwin"),
    "numpy": ("numpy.twin", "NumpyTwin"),
}

__all__ = [
    "FRAMEWORKS",
    "Devices",
    "Member",
    "Precision",
    "Score",
    "Session",
    "Steps",
    "TrainingState",
    "Twin",
    "open_sides",
    "require_device",
    "twin_class",
]


def twin_class(framework: str) -> type[Twin]:
    """The class of a framework's twins; loads the framework.

    Args:
        framework: one of `FRAMEWORKS`, or "jax", which `--backend` and files on disk say for "flax".

    Raises:
        UsageError: there is no such framework.
    """
    if framework_of(framework) not in FRAMEWORKS:
        raise unknown_name("framework", framework, [*FRAMEWORKS, *BACKENDS.values()])
    module, name = FRAMEWORKS[framework_of(framework)]
    return getattr(import_module(f"{__name__}.{module}"), name)


def require_device() -> None:
    """Raise UsageError unless both frameworks have the device that was chosen for pairs; loads both."""
    import_module(f"{__name__}.flax.inputs").device_of("float32")
    import_module(f"{__name__}.torch.tracing.place").place()


def open_sides(
    flax_model: Any, torch_model: Any, flax_inputs: "Inputs", torch_inputs: "Inputs", training_flag: str = ""
) -> "tuple[Side, Side]":
    """The sides of a pair that a user brings, Flax's and PyTorch's; loads both frameworks.

    Args:
        flax_model, torch_model: the user's networks.
        flax_inputs, torch_inputs: what each is called with.
        training_flag: the argument or field by which Flax's network is told its mode, see `parity.Checks`.

    Raises:
        UsageError: a model is not one of its framework.
    """
    flax = import_module(f"{__name__}.flax.side").FlaxSide(flax_model, flax_inputs, training_flag)
    return flax, import_module(f"{__name__}.torch.side").TorchSide(torch_model, torch_inputs)
