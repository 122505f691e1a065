"""One backend a framework: the only importers of jaxnets and torchnets. Each is loaded when it is asked for."""

from importlib import import_module

from parity.backends.session import Score, Session, Steps, TrainingState
from parity.backends.twin import Precision, Twin
from parity.errors import unknown_name

FRAMEWORKS = {"jax": ("jax_", "JaxTwin"), "torch": ("torch_", "TorchTwin"), "numpy": ("numpy_", "NumpyTwin")}

__all__ = ["FRAMEWORKS", "Precision", "Score", "Session", "Steps", "TrainingState", "Twin", "twin_class"]


def twin_class(framework: str) -> type[Twin]:
    """The class that drives networks of a framework; loads the framework.

    Raises:
        UsageError: no such framework.
    """
    if framework not in FRAMEWORKS:
        raise unknown_name("framework", framework, FRAMEWORKS)
    module, name = FRAMEWORKS[framework]
    return getattr(import_module(f"{__name__}.{module}"), name)


def keep_compiled_programs() -> None:
    """Let XLA keep compiled programs on disk for the next run, in the user's cache folder.

    Changes JAX's configuration for the whole process, so it is for commands to call. JAX_COMPILATION_CACHE_DIR, where
    it is set, says which folder.
    """
    import_module(f"{__name__}.jax_programs").keep_compiled_programs()
