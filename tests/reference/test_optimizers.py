"""The optimizers against torch.optim in float64: one stream of gradients, parameters and moments."""

from typing import Any

import numpy as np
import pytest
import torch

from parity.reference import SGD, Adam, Optimizer, RMSprop, clip_by_global_norm, global_norm

CLOSE: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-15}
PAIRS: list[tuple[Optimizer, type[torch.optim.Optimizer], dict[str, Any]]] = [
    (Adam(), torch.optim.Adam, {}),
    (Adam(0.01, (0.8, 0.95), 1e-3), torch.optim.Adam, {"weight_decay": 0.01, "betas": (0.8, 0.95), "eps": 1e-3}),
    (RMSprop(), torch.optim.RMSprop, {}),
    (RMSprop(0.01, 0.9, 1e-3), torch.optim.RMSprop, {"weight_decay": 0.01, "alpha": 0.9, "eps": 1e-3}),
    (SGD(), torch.optim.SGD, {}),
    (SGD(weight_decay=0.01), torch.optim.SGD, {"weight_decay": 0.01}),
    (SGD(0.01, 0.9), torch.optim.SGD, {"weight_decay": 0.01, "momentum": 0.9}),
]
SHAPES: dict[str, tuple[int, ...]] = {"kernel": (5, 3), "bias": (3,), "rare": (2,), "unused": (7,)}
STEPS = 7


def stream() -> tuple[dict[str, Any], list[tuple[float, dict[str, Any]]]]:
    """Draw parameters, and for each step a learning rate and gradients of magnitudes 1 to 1e-6, some missing."""
    rng = np.random.default_rng(0)
    parameters = {name: rng.normal(size=shape) for name, shape in SHAPES.items()}
    steps = []
    for step in range(STEPS):
        present = ["kernel", "bias", "rare"] if step % 3 == 1 else ["kernel", "bias"]
        steps.append((0.1 / (step + 1), {name: 10.0**-step * rng.normal(size=SHAPES[name]) for name in present}))
    return parameters, steps


@pytest.mark.parametrize(("optimizer", "twin", "options"), PAIRS)
def test_steps_and_moments_agree(optimizer, twin, options):
    parameters, steps = stream()
    tensors = {name: torch.nn.Parameter(torch.tensor(array)) for name, array in parameters.items()}
    expected = twin(tensors.values(), lr=0.1, **options)
    state = optimizer.init(parameters)
    for learning_rate, gradients in steps:
        parameters, state = optimizer.update(parameters, gradients, state, learning_rate)
        expected.param_groups[0]["lr"] = learning_rate
        for name, tensor in tensors.items():
            tensor.grad = torch.tensor(gradients[name]) if name in gradients else None
        expected.step()
        for name, tensor in tensors.items():
            np.testing.assert_allclose(parameters[name], tensor.detach().numpy(), **CLOSE)
    for name in ("kernel", "bias", "rare"):
        kept = {key: tensor for key, tensor in expected.state[tensors[name]].items() if tensor is not None}
        assert kept.keys() - {"step"} == state.moments.keys()
        assert int(kept.pop("step", state.step[name])) == state.step[name]
        for moment, tensor in kept.items():
            np.testing.assert_allclose(state.moments[moment][name], tensor.numpy(), **CLOSE)


@pytest.mark.parametrize("optimizer", [Adam(0.1), RMSprop(0.1), SGD(0.1, 0.9)])
def test_update_changes_nothing_in_place_and_skips_what_has_no_gradient(optimizer):
    parameters, steps = stream()
    state = optimizer.init(parameters)
    kept = {name: array.copy() for name, array in parameters.items()}
    updated, later = optimizer.update(parameters, steps[0][1], state, 0.1)
    assert all(np.array_equal(parameters[name], kept[name]) for name in kept)
    assert set(state.step.values()) == {0} and not any(a.any() for m in state.moments.values() for a in m.values())
    assert later.step == {"kernel": 1, "bias": 1, "rare": 0, "unused": 0}
    assert np.array_equal(updated["unused"], kept["unused"]) and not np.array_equal(updated["bias"], kept["bias"])


@pytest.mark.parametrize("max_norm", [0.5, 1e3])
def test_clipping_agrees(max_norm):
    gradients = stream()[1][0][1]
    tensors = [torch.nn.Parameter(torch.tensor(gradient)) for gradient in gradients.values()]
    for tensor in tensors:
        tensor.grad = tensor.detach().clone()
    norm = torch.nn.utils.clip_grad_norm_(tensors, max_norm)
    clipped = clip_by_global_norm(gradients, max_norm)
    np.testing.assert_allclose(global_norm(gradients), norm.item(), **CLOSE)
    for gradient, tensor in zip(clipped.values(), tensors, strict=True):
        assert tensor.grad is not None
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), **CLOSE)
    assert (global_norm(clipped) < max_norm) and (global_norm(clipped) < global_norm(gradients)) == (max_norm < 1)


@pytest.mark.parametrize("gradients", [{"head": np.zeros(3)}, {"bias": np.zeros(2)}])
def test_a_gradient_of_nothing_is_refused(gradients):
    optimizer, parameters = SGD(), stream()[0]
    with pytest.raises(ValueError, match="expected a parameter's name and shape"):
        optimizer.update(parameters, gradients, optimizer.init(parameters), 0.1)
