"""Holds Flax's network as its user's `jit` compiles it against the referee's passes."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from parity.checks.referee import beyond_drift, may_be_wrong
from parity.checks.verdict import Finding, Verdict
from parity.interface.observation import Miscompiled, PassResult
from parity.interface.random import moved
from parity.interface.trace import Arrays
from parity.pair.causes.explained import COMPILED
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.sides import MODES

NOISE = 8
"""Ulps of the largest array of a kind that count as rounding in all others."""
MOVES = 3
"""Number of starts, moved by one ulp, from which the drift of a network is told."""


def as_compiled(state: CheckState) -> list[Finding]:
    """A finding for each mode in which XLA computes Flax's network wrongly, when it is compiled as its user does it.

    A gap counts only if it is larger than what rounding explains: larger than the referee's own float32 error, and
    larger than the drift of the network from starts that are moved by one ulp.

    Args:
        state: What both modes showed.

    Raises:
        UserCodeError: The network does not run.
    """
    return [finding for mode in MODES if _is_comparable(state, mode) for finding in _of_mode(state, mode)]


def _is_comparable(state: CheckState, mode: str) -> bool:
    """Whether the passes of a mode are those of the plain program: no draws, no masks of dropout."""
    if mode not in state.passes or state.sides.results.of(mode).noisy:
        return False
    return not (state.shared and state.passes[mode].flax["float64"].dropouts)


def _of_mode(state: CheckState, mode: str) -> Iterator[Finding]:
    sides, native, seen = state.sides, state.proof.flax, state.passes[mode].flax
    deployed = _arrays(sides.run_plain(native, mode, deployed=True))
    high, low = (_arrays(seen[precision]) for precision in ("float64", "float32"))
    suspects = [n for n, a in deployed.items() if n in low and may_be_wrong(a, high[n], low[n])]
    if not suspects:
        return
    rng = np.random.default_rng([sides.seed, 13])
    right = _arrays(sides.run_plain(native, mode, deployed=False))
    dtype = sides.flax.deployed_precision
    starts = ({name: _moved(array, rng, dtype) for name, array in native.items()} for _ in range(MOVES))
    drifted = [_arrays(sides.run_plain(start, mode, deployed=False)) for start in starts]
    wrong = [n for n in suspects if beyond_drift(deployed[n], right[n], [other[n] for other in drifted])]
    wrong = [n for n in wrong if not _is_noise(n, deployed, right)]
    if wrong:
        inputs = sides.pair_inputs.adapted("flax")
        fault = sides.flax.miscompiled(native, inputs, sides.plain(mode, True))
        gap = _gap(deployed[wrong[0]], right[wrong[0]])
        yield Finding(
            COMPILED, wrong[0], Verdict.DIFFERENT, np.inf, reason=_words(wrong, gap, fault), mode=mode, gap=gap
        )


def _is_noise(name: str, deployed: Arrays, right: Arrays) -> bool:
    """Whether what is off in an array is no more than the rounding of the largest array of its kind: a gradient that is
    zero in theory is what rounding leaves of larger numbers."""
    kind = name.partition(" ")[0]
    largest = max(float(np.linalg.norm(right[each].astype(np.float64))) for each in right if each.startswith(kind))
    off = float(np.linalg.norm(deployed[name].astype(np.float64) - right[name]))
    return off <= NOISE * float(np.finfo(deployed[name].dtype).eps) * largest


def _arrays(seen: PassResult) -> Arrays:
    """The floating arrays of a pass, by what they are."""
    kinds = {
        "result": seen.outputs,
        "buffer": seen.buffers,
        "gradient of": seen.parameter_gradients,
        "gradient of the input": seen.input_gradients,
    }
    every = {f"{kind} {name}".strip(): a for kind, arrays in kinds.items() for name, a in arrays.items()}
    return {name: array for name, array in every.items() if array.dtype.kind == "f"}


def _moved(array: NDArray, rng: np.random.Generator, dtype: str) -> NDArray:
    """The array with every number moved by one ulp of a dtype."""
    return array if np.iscomplexobj(array) else moved(array.astype(dtype), rng).astype(np.float64)


def _gap(first: NDArray, second: NDArray) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(first.astype(np.float64) - second) / np.linalg.norm(second.astype(np.float64)))


def _words(wrong: list[str], gap: float, fault: Miscompiled | None) -> str:
    rest = f" and {len(wrong) - 1} other arrays" if len(wrong) > 1 else ""
    words = (
        f"XLA computes this wrongly: compiled as you run it, the {wrong[0]}{rest} of Flax's network is off by {gap:.1e}"
    )
    if fault is None:
        return f"{words}; no smaller program was found that is wrong by itself"
    places = f" at {', '.join(fault.places)}" if fault.places else ""
    return (
        f"{words} with {fault.versions}; {fault.mend} mends it; the smallest wrong program{places}, off by "
        f"{fault.gap:.1e}: {fault.program}"
    )
