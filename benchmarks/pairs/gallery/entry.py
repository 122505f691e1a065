"""What the gallery knows of a pair before it is checked: who wrote it, how it is made, and what the truth is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from parity.pair.options import Checks

Truth = Literal["same", "different"]
Converter = Callable[[dict[str, Any]], Any]
"""PyTorch's arrays by name, weights or gradients, as the tree in which the Flax network has them; written by others."""


@dataclass(frozen=True)
class MadePair:
    """Two networks that are ready to run.

    Args:
        flax: A Linen module and its variables, or an NNX module.
        torch: PyTorch's module.
        inputs: What both are called with: an array, a tuple or a dict of arrays.
        to_flax, to_torch: The adapters of each side, or None.
        convert: The project's own converter of PyTorch's arrays, or the one that was written by hand for this gallery.
        training_call: The keywords by which Flax's network is told that it trains, and those by which it is told that
            it does not.
        convert_gradients: The converter of gradients where it is another: of two biases that Flax has as one, the
            numbers are summed, and the gradients are the same.
        results: How many of PyTorch's results, in order, Flax has too; None for all.
    """

    flax: Any
    torch: Any
    inputs: Any
    convert: Converter
    to_flax: Any = None
    to_torch: Any = None
    training_call: tuple[dict[str, Any], dict[str, Any]] = ({"deterministic": False}, {"deterministic": True})
    convert_gradients: Converter | None = None
    results: int | None = None


@dataclass(frozen=True)
class GalleryPair:
    """One pair of the gallery.

    Args:
        package: The package whose Flax network it is, such as "transformers".
        make: Makes the pair; what it needs is imported when it is called.
        truth: What a right check says.
        because: The names of the ledger's entries that make the truth *different*; none where it is *same*.
        accept: The conventions that are accepted when the pair is checked.
    """

    package: str
    make: Callable[[], MadePair]
    truth: Truth = "same"
    because: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()

    @property
    def checks(self) -> Checks:
        """What is asked of the check."""
        return Checks(accept=self.accept)
