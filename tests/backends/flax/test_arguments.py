"""What a Flax network is called with and what it returns: nested, plain, and the word for its mode."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from flax import linen as nn
from flax import nnx

from parity.backends.flax.side import FlaxSide
from parity.interface.observation import Inputs
from parity.interface.side import Pass
from tests.backends.flax.networks import X
from tests.backends.flax_small import close, made, numbers, rngs


class Pair(NamedTuple):
    logits: Any
    aux: Any


@dataclass
class Result:
    """Not registered with JAX."""

    pair: Pair
    count: Any
    note: str = "plain"


class Several(nnx.Module):
    def __init__(self) -> None:
        self.inner = Several.Inner()
        self.traced = 0

    class Inner(nnx.Module):
        def __init__(self) -> None:
            self.fc = nnx.Linear(3, 2, rngs=rngs())

        def __call__(self, x: jax.Array, table: dict[str, Any], *, power: int, flag: str | None) -> Result:
            y = self.fc(x) * table["scale"][0] ** power
            return Result(Pair(y, {"a": [y.sum()]}), table["ids"] + 1)

    def __call__(self, x: Any, table: dict[str, Any], *, power: int, flag: str | None = None) -> Result:
        return self.inner(x, table, power=power, flag=flag)


def several(power: int) -> Inputs:
    table = {"scale": [np.float32(1.5) * np.ones(2, np.float32)], "ids": np.arange(3)}
    return Inputs((numbers(4, 3).astype(np.float32), table), {"power": power, "flag": None})


def test_nested_arguments_and_results_are_named() -> None:
    given = several(2)
    side = FlaxSide(made(Several), given)
    assert side.output_shapes(given) == {".pair.logits": (4, 2), ".pair.aux['a'][0]": ()}
    found = side.run(side.native, given, Pass(cotangents={".pair.logits": numbers(4, 2)}))
    assert list(found.outputs) == [".pair.logits", ".pair.aux['a'][0]", ".count"]
    assert set(found.input_gradients) == {"[0]", "[1]['scale'][0]"}
    assert found.outputs[".count"].tolist() == [1, 2, 3]
    inner = next(call for call in found.calls if call.path == "inner")
    assert [array.shape for array in inner.outputs] == [(4, 2), (), (3,)]
    assert [gradient is None for gradient in inner.gradients] == [False, False, True]
    expected = given.args[0].astype(float) @ side.native["inner.fc.kernel"] + side.native["inner.fc.bias"]
    assert close(found.outputs[".pair.logits"], expected * 2.25)
    plain = expected * numbers(4, 2)  # of which the scale's square is a factor
    assert close(found.input_gradients["[1]['scale'][0]"], 3.0 * plain.sum(0))
    low = side.run(side.native, given, Pass("float32"))  # int64 becomes int32 without a word
    assert low.outputs[".count"].tolist() == [1, 2, 3]


def test_plain_values_are_part_of_the_program() -> None:
    side = FlaxSide(made(Several), several(2))
    sums = [side.run(side.native, several(power), Pass()).outputs[".pair.aux['a'][0]"] for power in (1, 2)]
    assert close(sums[1], 1.5 * sums[0])


def test_a_missing_cotangent_is_zero() -> None:
    side = FlaxSide(made(Several), several(1))
    found = side.run(side.native, several(1), Pass(cotangents={}))
    assert not any(array.any() for array in found.parameter_gradients.values())
    assert set(found.parameter_gradients) == side.parameters


class Told(nn.Module):
    """Is told its mode by a word that it has to be given."""

    @nn.compact
    def __call__(self, x: jax.Array, deterministic: bool) -> jax.Array:
        return x + (0.0 if deterministic else 1.0)


@pytest.mark.parametrize("given", [Inputs((X, True)), Inputs((X,), {"deterministic": True})])
def test_the_mode_is_told_by_whatever_word_there_is(given: Inputs) -> None:
    side = FlaxSide((Told(), {"params": {}}), given)
    still, training = (side.run({}, given, Pass(training=mode)).outputs[""] for mode in (False, True))
    assert close(still, X)
    assert close(training, X + 1)
