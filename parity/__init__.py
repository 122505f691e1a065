"""Proves that a network written in Flax and in PyTorch is the same function. Loads neither framework."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parity.pair.api import compare, convert

__all__ = ["compare", "convert"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from parity.pair import api as port

        return getattr(port, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
