"""Proves that a network written in Flax and in PyTorch is the same function. Loads neither framework, nor NumPy."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parity.checks.verdict import Verdict
    from parity.errors import UsageError
    from parity.pair.api import compare, convert
    from parity.pair.options import Checks, TrainingPair
    from parity.repairs.api import repair
    from parity.repairs.record import Repair
    from parity.report.pair import Report

    __version__: str

__all__ = [
    "Checks",
    "Repair",
    "Report",
    "TrainingPair",
    "UsageError",
    "Verdict",
    "__version__",
    "compare",
    "convert",
    "repair",
]

_PLACES = {
    "Checks": "pair.options",
    "Repair": "repairs.record",
    "Report": "report.pair",
    "TrainingPair": "pair.options",
    "UsageError": "errors",
    "Verdict": "checks.verdict",
    "compare": "pair.api",
    "convert": "pair.api",
    "repair": "repairs.api",
}
"""Name → the module that it is loaded from when it is first asked for."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("netparity")
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
