"""The zoo by hand: each backward against central differences, and a wrong one is seen."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from parity.data import as_arguments
from parity.reference.zoo import graphnet
from parity.reference.zoo.layers import attention, norms, transformer
from tests.reference.numeric import Case, agrees
from tests.zoo.small import NAMES, inputs, reference, weights


def case(name: str) -> Case:
    network, given = reference(name), inputs(name)
    first, *others = as_arguments(given)
    first = first if first.dtype.kind == "i" else first.astype(np.float64)
    shape = network.forward(weights(name), given, training=True).logits.shape
    inside = (first, *others) if others else first
    return Case(network, weights(name), inside, np.random.default_rng(2).normal(size=shape))


def value(small: Case, replaced: str, array: Any) -> float:
    others = as_arguments(small.inputs)[1:]
    return small.value(True, **{replaced: (array, *others) if replaced == "inputs" and others else array})


def wrong_gradients(small: Case) -> set[str]:
    """Names of the parameters, and "inputs", whose gradient is not the derivative."""
    gradients = small.gradients(True)
    found = gradients.parameters | ({"inputs": gradients.input} if gradients.input.size else {})
    points = small.weights | {"inputs": as_arguments(small.inputs)[0]}
    blind = {name for name in found if name.endswith("attention.key.bias")}  # a softmax does not see a constant
    assert all(np.abs(found.pop(name)).max() < 1e-12 for name in blind)
    return {
        name
        for name, gradient in found.items()
        if not agrees(partial(value, small, name), points[name], gradient, np.random.default_rng(3))
    }


@pytest.mark.parametrize("name", NAMES)
def test_backward_is_the_derivative_of_forward(name: str) -> None:
    assert wrong_gradients(case(name)) == set()


def shares_constant(cotangent: Any, cache: Any) -> Any:
    return *(np.zeros_like(cache.query), np.zeros_like(cache.key)), np.einsum(
        "bhts,bthd->bshd", cache.shares, cotangent
    )


def norm_constant(cotangent: Any, cache: Any) -> Any:
    _, gradients = norms.rms_norm_backward(cotangent, cache)
    return cotangent * cache.scale * cache.inverse_deviation, gradients | {"bias": cotangent.sum((0, 1))}


def sum_of_first(values: Any, segments: Any, count: int) -> Any:
    sums = np.zeros((count, values.shape[-1]))
    sums[segments] = values
    return sums


def groups_constant(cotangent: Any, cache: Any) -> Any:
    rows, scale = cache
    _, gradients = ORIGINAL(cotangent, cache)
    flat = norms.as_groups(cotangent * scale, rows.normalised.shape[1]) * rows.inverse_deviation
    return norms.as_map(flat, cotangent.shape), gradients


ORIGINAL = norms.group_norm_backward
PLANTED = {
    "a group's mean taken for constant": ("unet", norms, "group_norm_backward", groups_constant),
    "messages that come back are not added up": ("graphnet", graphnet, "segment_sum", sum_of_first),
    "shares taken for constant": ("vit", attention, "attend_backward", shares_constant),
    "statistics taken for constant": ("vit", norms, "layer_norm_backward", norm_constant),
    "gelu lets all through": ("vit", transformer, "gelu_backward", lambda cotangent, _: cotangent),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_wrong_backward_is_caught(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, where, function, wrong = PLANTED[bug]
    monkeypatch.setattr(where, function, wrong)
    assert wrong_gradients(case(name))
