"""Networks of two calls made by hand, as the frameworks show them, and rungs 2 and 3 climbed with them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checks.verdict import Finding, Rung
from parity.interface.trace import Gradients, Reading, Trace
from tests.checks.made import numbers

X = numbers(0, 6, 4) / 3
CALLS = ("first", "second", "")
FRAMEWORKS = ("flax", "torch", "numpy")
Spoil = Callable[[Trace], Trace]


def trace(dtype: type) -> Trace:
    outputs: dict[str, NDArray] = {call: (X + i).astype(dtype) for i, call in enumerate(CALLS)}
    weights = {"first.kernel": X.T.astype(dtype), "first.bias": X[0].astype(dtype)}
    return Trace(outputs, outputs, Gradients(weights, X.astype(dtype), outputs), X[0, 0].astype(dtype), weights, {})


def reading(i: int, dtype: type) -> Reading:
    return Reading((X + i).astype(dtype), (X - i).astype(dtype), {"kernel": X.T.astype(dtype)} if i == 0 else {})


def shown_by(see: Callable[[type], Any], frameworks: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    high = {f: {"float64": see(np.float64)} for f in frameworks}
    return {f: {**by, **({} if f == "numpy" else {"float32": see(np.float32)})} for f, by in high.items()}


def readings_alone(dtype: type) -> dict[str, Reading]:
    return {call: reading(i, dtype) for i, call in enumerate(CALLS[:2])}


def climbed(
    climb: Callable[..., Rung],
    traces: Spoil | None = None,
    readings: Callable[[Any], Any] | None = None,
    count: int = 3,
) -> Rung:
    """Climb rung 2 or 3 with torch's traces or readings spoiled."""
    frameworks = FRAMEWORKS[:count]
    seen, alone = shown_by(trace, frameworks), shown_by(readings_alone, frameworks)
    if traces is not None:
        seen["torch"] = {precision: traces(trace) for precision, trace in seen["torch"].items()}
    if readings is not None:
        alone["torch"] = {precision: readings(by) for precision, by in alone["torch"].items()}
    return climb({"training": seen}, {"training": alone})


def put_off(arrays: dict[str, NDArray], *names: str) -> dict[str, NDArray]:
    return {name: array * array.dtype.type(1 + 1e-6) if name in names else array for name, array in arrays.items()}


def headline(rung: Rung) -> Finding:
    assert rung.headline is not None
    return rung.headline
