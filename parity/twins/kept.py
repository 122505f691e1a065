"""One framework's twins of a case, each built once, and what was observed of them, each computed once."""

from collections.abc import Callable
from threading import RLock
from typing import TypeVar

from parity.backends import Precision, Twin
from parity.interface.trace import Arrays
from parity.twins.case import Case

T = TypeVar("T")


class KeptTwins:
    """The twins of one framework with the case's weights in them, by precision, and what was observed of them.

    Two threads may ask at once: one that looks ahead, and one that judges.

    Args:
        twin: The class of the twin.
        case: The inputs of the check.
        device: "cpu" or "gpu".
    """

    def __init__(self, twin: type[Twin], case: Case, device: str) -> None:
        self.precisions: tuple[Precision, ...] = ("float64",) if twin.framework == "numpy" else ("float64", "float32")
        self._class = twin
        self._case = case
        self._device = device
        self._twins: dict[Precision, Twin] = {}
        self._observations: dict[object, object] = {}
        self._lock = RLock()

    def keep(self, what: object, see: Callable[[], T]) -> T:
        """What was observed under the name `what`; `see` is called where it is asked for first."""
        with self._lock:
            if what not in self._observations:
                self._observations[what] = see()
            return self._observations[what]  # type: ignore[return-value] # one key, one type

    def each(self, what: object, see: Callable[[Twin], T]) -> dict[str, T]:
        """Precision → what `see` observes of the twin in it; kept under the name `what`."""
        return self.keep(what, lambda: {precision: see(self.twin(precision)) for precision in self.precisions})

    def twin(self, precision: Precision) -> Twin:
        """The twin that computes in that precision, with the case's weights."""
        if precision not in self._twins:
            twin = self.build(precision)
            twin.load(self._case.weights)
            self._twins[precision] = twin
        return self._twins[precision]

    def build(self, precision: Precision) -> Twin:
        """A twin of the network as its constructor makes it, before any weights are loaded."""
        recipe = self._case.recipe
        model = self.keep("model", lambda: self._class.build(recipe.network, recipe.config, init=recipe.init))
        return self._class(model, precision=precision, device=self._device)

    def with_weights(self, weights: Arrays | None, see: Callable[[Twin], T]) -> T:
        """What `see` observes of the float64 twin with these weights, or with the case's; those are in it afterwards.

        Args:
            weights: Canonical name → array, float64; None leaves the case's.
            see: Observes the twin, and may train it.
        """
        twin = self.twin("float64")
        if weights is not None:
            twin.load(weights)
        observation = see(twin)
        twin.load(self._case.weights)
        return observation
