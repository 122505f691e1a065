"""A Flax network's training steps, and its optimizer alone, are those of optax by hand."""

import numpy as np
import optax

from parity.interface.observation import Inputs
from parity.interface.side import Pass
from tests.backends.flax.networks import APIS, SIDES, X, drawn
from tests.backends.flax_small import close, numbers


@APIS
def test_training_steps_are_those_of_the_optimizer(api: str) -> None:
    side, rate = SIDES[api], 0.1
    native, target = drawn(side), {"": numbers(3, 2, seed=5)}
    found = side.train(native, [Inputs((X,))] * 2, [target] * 2, optax.sgd(rate))
    by_hand, losses = native, []
    for _ in range(2):
        seen = side.run(by_hand, Inputs((X,)), Pass(training=True))
        rest = seen.outputs[""] - target[""]
        losses.append((rest**2).mean())
        pulled = side.run(
            by_hand, Inputs((X,)), Pass(training=True, capture=False, cotangents={"": 2 * rest / rest.size})
        )
        stepped = {n: by_hand[n] - rate * g for n, g in pulled.parameter_gradients.items()}
        by_hand = {**by_hand, **seen.buffers, **stepped}
    assert close(found.losses, losses)
    assert set(found.weights) == set(native)
    assert all(close(found.weights[name], by_hand[name]) for name in native)


def test_the_optimizer_alone_is_fed() -> None:
    given = {"kernel": numbers(2, 3)}
    stream = [{"kernel": numbers(2, 3, seed=n)} for n in range(3)]
    for precision, dtype in (("float64", np.float64), ("float32", np.float32)):
        found = SIDES["nnx"].update(optax.sgd(0.1), given, stream, precision)  # type: ignore[arg-type] # as above
        expected = [given["kernel"] - 0.1 * sum(g["kernel"] for g in stream[: n + 1]) for n in range(3)]
        assert {array["kernel"].dtype for array in found} == {np.dtype(dtype)}
        close_enough = [
            np.abs(a["kernel"] - b).max() < 8 * np.finfo(dtype).eps for a, b in zip(found, expected, strict=True)
        ]
        assert all(close_enough)
