"""Finds the smallest program that XLA computes wrongly, and what mends it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import flax
import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
from jax.extend.core import Literal

from parity.backends.flax.tracing.places import place_of
from parity.backends.flax.tracing.programs import Option, run_once
from parity.backends.flax.tracing.tables import written_out
from parity.backends.flax.tracing.widen import bound
from parity.backends.flax.tracing.written import inexact
from parity.checks.referee import repeats
from parity.interface.observation import Miscompiled

MENDS: Mapping[str, dict[str, Option]] = {
    "XLA_FLAGS=--xla_cpu_experimental_ynn_fusion_type=": {"xla_cpu_experimental_ynn_fusion_type": ""},
    "XLA_FLAGS=--xla_cpu_use_fusion_emitters=false": {"xla_cpu_use_fusion_emitters": False},
    "XLA_FLAGS=--xla_backend_optimization_level=0": {"xla_backend_optimization_level": "0"},
}
"""What a user can set → XLA's options that it stands for; the first that mends a program is told."""
WIDEST = 16
"""Number of equations up to which a program is searched for that is wrong by itself."""


def smallest_fault(function: Callable[..., Any], arguments: Any) -> Miscompiled | None:
    """The smallest part of a function that XLA computes wrongly, with the user's options, on these arguments.

    Args:
        function: a function of one tree of arrays.
        arguments: the arrays.
    """
    steps = Steps(function, arguments)
    end = steps.first_wrong()
    if end is None:
        return None
    begin = next((i for i in range(end, max(end - WIDEST, -1), -1) if steps.gap(i, end) is not None), 0)
    gap = steps.gap(begin, end)
    if gap is None:
        return None
    mended = (words for words, options in MENDS.items() if steps.is_mended(begin, end, options))
    return Miscompiled(
        program=steps.text(begin, end),
        places=tuple(dict.fromkeys(p for e in steps.equations[begin : end + 1] if (p := place_of(e)))),
        gap=gap,
        mend=next(mended, "run it without jax.jit"),
        versions=f"jax {jax.__version__}, jaxlib {jaxlib.__version__}, flax {flax.__version__}",
    )


class Steps:
    """A traced function's equations, with the value of every variable as each step by itself gives it."""

    def __init__(self, function: Callable[..., Any], arguments: Any) -> None:
        closed = jax.make_jaxpr(function)(arguments)
        self.equations, results = written_out(closed)
        jaxpr = closed.jaxpr
        self._begun = dict(zip(jaxpr.constvars, closed.consts, strict=True))
        self._begun |= zip(jaxpr.invars, jax.tree.leaves(arguments), strict=True)
        self._results = {v for v in results if not isinstance(v, Literal)}
        every = [v for equation in self.equations for v in equation.outvars]
        kept = jax.jit(partial(self._run, 0, len(self.equations) - 1, every), compiler_options=run_once())
        self._values = self._begun | dict(zip(every, kept(self._begun_for(0, len(self.equations) - 1)), strict=True))

    def first_wrong(self) -> int | None:
        """The first equation whose result is wrong in the program of all before it; None if no result is wrong."""
        last = len(self.equations) - 1
        results = {v: i for i, e in enumerate(self.equations) for v in e.outvars if v in self._results and _compared(v)}
        wrong = self._wrong(0, last, list(results), None)
        index = next((results[v] for v in wrong if self.gap(0, results[v]) is not None), None)
        if index is None:
            return None
        ends = [i for i, e in enumerate(self.equations[: index + 1]) if any(map(_compared, e.outvars))]
        below, above = -1, len(ends) - 1
        while above - below > 1:
            middle = (below + above) // 2
            below, above = (below, middle) if self.gap(0, ends[middle]) is not None else (middle, above)
        return ends[above]

    def gap(self, begin: int, end: int, options: Mapping[str, Option] | None = None) -> float | None:
        """How far a result of the last of these equations is from what its steps give, if the whole is compiled with
        these options of XLA's; None if they agree."""
        wrong = self._wrong(begin, end, [v for v in self.equations[end].outvars if _compared(v)], options)
        return next(iter(wrong.values()), None)

    def _wrong(
        self, begin: int, end: int, wanted: Sequence[Any], options: Mapping[str, Option] | None
    ) -> dict[Any, float]:
        """The relative gaps of those of the variables that are wrong."""
        program = jax.jit(
            partial(self._run, begin, end, wanted), compiler_options=dict(options) if options is not None else None
        )
        wrong = {}
        for variable, array in zip(wanted, program(self._begun_for(begin, end)), strict=True):
            ours, right = np.asarray(array, np.float32), np.asarray(self._values[variable], np.float32)
            if not repeats(ours, right):
                with np.errstate(all="ignore"):
                    wrong[variable] = float(np.linalg.norm(ours - right) / np.linalg.norm(right))
        return wrong

    def is_mended(self, begin: int, end: int, options: Mapping[str, Option]) -> bool:
        """Whether these options make the program right, as far as the installed version knows them."""
        try:
            return self.gap(begin, end, options) is None
        except jax.errors.JaxRuntimeError:
            return False

    def text(self, begin: int, end: int) -> str:
        """The program of these equations as JAX prints it."""
        wanted = list(self.equations[end].outvars)
        return str(jax.make_jaxpr(partial(self._run, begin, end, wanted))(self._begun_for(begin, end)))

    def _begun_for(self, begin: int, end: int) -> list[Any]:
        held = self._values if begin else self._begun
        return [held[variable] for variable in self._read(begin, end)]

    def _read(self, begin: int, end: int) -> list[Any]:
        """The variables that these equations read and none of them gives."""
        made = {v for equation in self.equations[begin : end + 1] for v in equation.outvars}
        read = (v for e in self.equations[begin : end + 1] for v in e.invars if not isinstance(v, Literal))
        return list(dict.fromkeys(v for v in read if v not in made))

    def _run(self, begin: int, end: int, wanted: Sequence[Any], arrays: Sequence[Any]) -> list[Any]:
        values = dict(zip(self._read(begin, end), arrays, strict=True))
        for equation in _needed(self.equations[begin : end + 1], wanted):
            read = [v.val if isinstance(v, Literal) else values[v] for v in equation.invars]
            values |= zip(equation.outvars, bound(equation, read, equation.params), strict=True)
        return [values[variable] for variable in wanted]


def _compared(variable: Any) -> bool:
    """Whether a variable is an array of floating numbers."""
    return inexact(getattr(variable.aval, "dtype", jnp.dtype(bool)))


def _needed(equations: Sequence[Any], wanted: Sequence[Any]) -> list[Any]:
    """Those of the equations that the variables come from, in order."""
    needed, kept = set(wanted), []
    for equation in reversed(equations):
        if equation.effects or any(v in needed for v in equation.outvars):
            needed.update(v for v in equation.invars if not isinstance(v, Literal))
            kept.append(equation)
    return kept[::-1]
