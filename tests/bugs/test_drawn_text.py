"""The source text of a drawn pair is the network that was drawn: equal random starts give equal results."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

from benchmarks.evidence.drawn import flax as flax_
from benchmarks.evidence.drawn import torch as torch_
from benchmarks.evidence.drawn.judge import inputs
from benchmarks.evidence.drawn.mutate import Mutant
from benchmarks.evidence.drawn.network import Network
from benchmarks.evidence.drawn.text.pair import source_of
from benchmarks.evidence.draws import drawn


@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated:FutureWarning")
@pytest.mark.parametrize("number", range(16))
@pytest.mark.parametrize("bug", [False, True])
def test_the_text_computes_what_was_drawn(number: int, bug: bool) -> None:
    _require_equal(*drawn(number, bug=bug))


def _require_equal(network: Network, mutant: Mutant | None) -> None:
    flax, torch_network, of_text, options = _executed(source_of(network, mutant))
    sides = {side: mutant.network if mutant and mutant.side == side else network for side in ("flax", "torch")}
    arguments = inputs(network)
    of_text = of_text if isinstance(of_text, tuple) else (of_text,)
    for argument, same in zip(arguments, of_text, strict=True):
        np.testing.assert_array_equal(argument, same)
    arrays = [jnp.asarray(argument) for argument in arguments]
    _close(flax(*arrays), flax_.Drawn(sides["flax"])(*arrays))
    torch.manual_seed(0)
    built = torch_.Drawn(sides["torch"])
    tensors = [torch.from_numpy(argument) for argument in arguments]
    if "to_torch" in options:
        tensors[0] = tensors[0].movedim(-1, 1)
    _close(torch_network(*tensors), built(*tensors))


def _executed(text: str) -> tuple[Any, Any, Any, dict[str, Any]]:
    names: dict[str, Any] = {}
    exec(compile(text, "drawn.py", "exec"), names)
    torch.manual_seed(0)
    flax, torch_network, feed, options = names["pair"]()
    assert isinstance(flax, nnx.Module)
    return flax, torch_network, feed, options


def _close(result: Any, expected: Any) -> None:
    result, expected = (each if isinstance(each, tuple) else (each,) for each in (result, expected))
    for value, as_drawn in zip(result, expected, strict=True):
        a, b = (np.asarray(each.detach() if isinstance(each, torch.Tensor) else each) for each in (value, as_drawn))
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
