"""Complex parameters, inputs and results, and the frameworks' unlike conventions of their gradients."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx

import parity
from parity.checks.verdict import Verdict
from parity.report.pair import Report

RNG = np.random.default_rng(4)
X = RNG.standard_normal((3, 8)).astype(np.float32)


class Port(nnx.Module):
    """Multiplies spectra by complex weights, then a dense layer."""

    def __init__(self, conjugate: bool = False, complex_result: bool = False) -> None:
        self.modes = nnx.Param(jnp.ones(5, jnp.complex64))
        self.last, self.conjugate = nnx.Linear(8, 2, rngs=nnx.Rngs(0)), conjugate
        self.complex_result = complex_result

    def __call__(self, x: jax.Array) -> jax.Array:
        modes = jnp.conj(self.modes[...]) if self.conjugate else self.modes[...]
        spectrum = jnp.fft.rfft(x) * modes
        return spectrum if self.complex_result else self.last(jnp.fft.irfft(spectrum))


class Original(torch.nn.Module):
    """Its twin."""

    def __init__(self, complex_result: bool = False) -> None:
        super().__init__()
        self.modes = torch.nn.Parameter(torch.ones(5, dtype=torch.complex64))
        self.last, self.complex_result = torch.nn.Linear(8, 2), complex_result

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spectrum = torch.fft.rfft(x) * self.modes
        return spectrum if self.complex_result else self.last(torch.fft.irfft(spectrum))


def compared(port: Port, original: Original, optimizer: Any = None) -> Report:
    optimizers = None if optimizer is None else (optimizer, torch.optim.SGD(original.parameters(), 0.1))
    training, checks = parity.TrainingPair(optimizers), parity.Checks(probes=False)
    return parity.compare(port, original, X, training=training, checks=checks)


@pytest.mark.parametrize("complex_result", [False, True])
def test_complex_parameters_are_compared_and_the_convention_is_told(complex_result: bool) -> None:
    report = compared(Port(complex_result=complex_result), Original(complex_result))
    assert report.verdict is Verdict.SAME, report.first_difference
    assert any("JAX's are their conjugates" in note for note in report.notes)


@pytest.mark.parametrize("complex_result", [False, True])
def test_a_conjugate_is_a_difference(complex_result: bool) -> None:
    report = compared(Port(conjugate=True, complex_result=complex_result), Original(complex_result))
    assert report.verdict is Verdict.DIFFERENT
    assert report.rungs[1].verdict is Verdict.DIFFERENT


def test_an_optimizer_that_takes_the_conjugate_as_it_is_is_a_difference_at_the_gradients() -> None:
    report = compared(Port(), Original(), optax.sgd(0.1))
    assert report.verdict is Verdict.DIFFERENT and report.first_difference is not None
    assert report.first_difference.rung == "gradients" and "modes" in report.first_difference.text
    assert "jnp.conj" in report.first_difference.mend


def test_an_optimizer_that_conjugates_first_is_right() -> None:
    conjugated = optax.chain(optax.stateless(lambda g, _: jax.tree.map(jnp.conj, g)), optax.sgd(0.1))
    report = compared(Port(), Original(), conjugated)
    assert report.verdict is Verdict.SAME, report.first_difference
