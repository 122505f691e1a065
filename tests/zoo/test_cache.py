"""Decoders with a cache: what is read bit by bit gets the logits of the whole, in both frameworks."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from tests.zoo.small import inputs, recipe, twin

NAMES = ["gpt2", "llama", "moe"]
PARTS = (3, 1, 1, 2)


def flax_logits(name: str, tokens: Any) -> Any:
    found = twin("flax", name, "float32")
    model = found.graph.merged(found.variables, training=False)  # type: ignore[attr-defined] # Flax's own
    caches, start, parts = model.cache(len(tokens), 11), 0, []
    for size in PARTS:
        logits, caches = model.extend(jnp.asarray(tokens[:, start : start + size]), caches, start)
        parts.append(np.asarray(logits))
        start += size
    return np.concatenate(parts, axis=1)


def torch_logits(name: str, tokens: Any) -> Any:
    model = twin("torch", name, "float32").model
    caches, start, parts = model.cache(len(tokens), 11), 0, []
    with torch.no_grad():
        for size in PARTS:
            logits, caches = model.extend(torch.as_tensor(tokens[:, start : start + size]), caches, start)
            parts.append(logits.numpy())
            start += size
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("read", [flax_logits, torch_logits])
@pytest.mark.parametrize("name", NAMES)
def test_a_text_in_parts_has_the_logits_of_the_whole(name: str, read: Any) -> None:
    whole = twin("numpy", name).forward(inputs(name), training=False)
    assert whole.shape == (2, sum(PARTS), recipe(name).classes)
    np.testing.assert_allclose(read(name, inputs(name)), whole, atol=2e-4)
    assert np.ptp(whole) > 1


@pytest.mark.parametrize("name", NAMES)
def test_a_position_does_not_see_what_comes_after_it(name: str) -> None:
    tokens = inputs(name)
    changed = tokens.copy()
    changed[:, 4] = (changed[:, 4] + 1) % recipe(name).classes
    for framework in ("flax", "torch", "numpy"):
        before, after = (twin(framework, name).forward(given, training=False) for given in (tokens, changed))
        same = np.isclose(before, after, rtol=1e-12, atol=1e-12).all(
            -1
        )  # how many rows an expert gets decides its rounding
        assert same[:, :4].all() and not same[:, 4:].any()
