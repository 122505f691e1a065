"""How XLA compiles the programs by which networks are judged."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from numpy.typing import NDArray

from parity.backends.flax.tracing import programs, quick
from parity.backends.flax.tracing.quick import QUICK, QUICKEST, flags

ROWS = 20_000
NUMBERS = np.random.default_rng(0)
X, KERNEL = NUMBERS.standard_normal((ROWS, 3)), NUMBERS.standard_normal((3, 3))
PRODUCTS = X @ KERNEL.T
Row = Callable[[Any], Any]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (lambda y: (y**2).sum(), (PRODUCTS**2).sum(-1)),
        (lambda y: jax.nn.relu(y).sum(), np.maximum(PRODUCTS, 0).sum(-1)),
        (lambda y: abs(y).sum(), np.abs(PRODUCTS).sum(-1)),
    ],
    ids=["squares", "relu", "absolute"],
)
def test_sums_over_many_rows_are_right(row: Row, expected: NDArray) -> None:
    with jax.enable_x64(True):
        program = jax.jit(jax.vmap(lambda x: row(KERNEL @ x)), compiler_options=programs.run_once())
        np.testing.assert_allclose(program(X), expected, rtol=1e-13)


def test_an_option_that_the_installed_version_does_not_know_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    before = programs.run_once()
    monkeypatch.setattr(programs, "SOUND", {"xla_no_such_option": "0"})
    programs.run_once.cache_clear()
    try:
        left = programs.run_once()
    finally:
        programs.run_once.cache_clear()
    assert left == {name: value for name, value in before.items() if name in QUICK}
    assert left["xla_backend_optimization_level"] == "0"


def test_the_flags_of_a_process_are_the_options_of_a_program() -> None:
    """JAX has not computed in that process yet, so that XLA reads the flags; one that it does not know would end it."""
    code = "import jax; jax.jit(lambda: 0.0)(); print('compiled')"
    environment = {**os.environ, "XLA_FLAGS": flags(QUICKEST)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ended.stdout == "compiled\n", ended.stderr
    assert flags(QUICKEST) == f"{flags(QUICK)} --xla_llvm_disable_expensive_passes=true"


@pytest.mark.parametrize(
    ("jaxlib", "written"),
    [
        ("0.10.2", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"),
        ("0.11.0", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"),
        ("0.11.1", "--xla_backend_optimization_level=0"),
        ("0.12.0.1", "--xla_backend_optimization_level=0"),
    ],
)
def test_a_flag_that_xla_no_longer_has_is_left_out(jaxlib: str, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "version", {"jaxlib": jaxlib}.__getitem__)
    assert flags(QUICK) == written
