"""Gradients of a trace against each framework's own, and against the reference."""

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

from parity.backends import twin_class
from parity.checks.referee import HighLow
from parity.interface.trace import Arrays
from parity.weights import parameters
from tests.backends.small import SMALL, batches, both, close, cotangent, joined, ruled_same, shared, trace, weights

MODES = [(name, training) for name in SMALL for training in (True, False)]


def plain(framework: str, name: str) -> Any:
    """The network as a user constructs it, with the small case's weights in float64."""
    model = twin_class(framework).build(SMALL[name].network, SMALL[name].config)
    native = getattr(shared(framework, name), "import_weights")(weights(name))  # noqa: B009 - not of every twin
    if framework == "torch":
        model = model.double()
        model.load_state_dict({key: torch.tensor(array) for key, array in native.items()}, strict=False)
        return model
    flat = nnx.to_flat_state(nnx.state(model))
    values = {path: jnp.array(native[".".join(map(str, path))]) for path, _ in flat}
    nnx.update(model, nnx.from_flat_state([(path, variable.replace(values[path])) for path, variable in flat]))
    return model


def jax_gradients(name: str, training: bool, labels: Any = None) -> tuple[Arrays, Any]:
    """By canonical name, and of the input; of the loss if there are labels, else along the cotangent."""
    with jax.enable_x64(True):
        model = plain("flax", name)
        model.train() if training else model.eval()
        graph, learnable, rest = cast(tuple[Any, Any, Any], nnx.split(model, nnx.Param, ...))

        def value(learnable: Any, x: jax.Array) -> jax.Array:
            logits = nnx.merge(graph, learnable, rest, copy=True)(x)
            if labels is None:
                return jnp.vdot(logits, cotangent(name))
            return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()

        x = jnp.array(batches(name)[0].inputs, jnp.float64)
        found, to_input = jax.jit(jax.grad(value, argnums=(0, 1)))(learnable, x)
        flat = nnx.to_flat_state(found)
        return {".".join(map(str, path)): np.asarray(variable[...]) for path, variable in flat}, np.asarray(to_input)


def torch_gradients(name: str, training: bool, labels: Any = None) -> tuple[Arrays, Any]:
    model = plain("torch", name).train(training)
    x = torch.tensor(batches(name)[0].inputs, dtype=torch.float64).requires_grad_()
    logits = model(x.permute(0, 3, 1, 2) if x.ndim == 4 else x)
    if labels is None:
        value = (logits * torch.tensor(cotangent(name))).sum()
    else:
        value = -torch.log_softmax(logits, 1)[torch.arange(len(labels)), torch.tensor(labels)].mean()
    learnable = dict(model.named_parameters())
    to_input, *found = torch.autograd.grad(value, [x, *learnable.values()])
    return dict(zip(learnable, (g.numpy() for g in found), strict=True)), to_input.numpy()


OWN = {"flax": jax_gradients, "torch": torch_gradients}


@pytest.mark.parametrize("framework", OWN)
@pytest.mark.parametrize(("name", "training"), MODES)
def test_a_trace_has_the_frameworks_own_gradients(framework, name, training) -> None:
    found = trace(framework, name, "float64", training)
    native, to_input = OWN[framework](name, training)
    twin: Any = shared(framework, name)
    traced = twin.import_weights(found.gradients.parameters)
    assert traced.keys() == native.keys()
    assert close(joined(traced), joined(native))
    assert close(found.gradients.input, to_input)


@pytest.mark.parametrize("framework", OWN)
@pytest.mark.parametrize("name", SMALL)
def test_training_gradients_are_those_of_the_loss(framework, name) -> None:
    found = trace(framework, name, "float64", True)
    native, _ = OWN[framework](name, True, batches(name)[0].labels)
    twin: Any = shared(framework, name)
    assert close(joined(twin.import_weights(found.training_gradients)), joined(native))


@pytest.mark.parametrize(("name", "training"), MODES)
def test_all_frameworks_have_the_same_gradients(name, training) -> None:
    reference = trace("numpy", name, "float64", training)

    def same(read: Any) -> bool:
        twins = {f: both(lambda p, f=f: read(trace(f, name, p, training))) for f in ("flax", "torch")}  # type: ignore[misc] # mypy cannot type a lambda's default
        return ruled_same({**twins, "numpy": HighLow(read(reference))}, smooth=False)

    assert same(lambda found: found.gradients.input)
    for call in reference.outputs:
        assert same(lambda found, call=call: found.gradients.outputs[call]), call
    for parameter in parameters(weights(name)):
        assert same(lambda found, parameter=parameter: found.gradients.parameters[parameter]), parameter


@pytest.mark.parametrize("framework", ["flax", "torch"])
def test_the_gradient_of_an_output_is_the_slope_along_it(framework) -> None:
    """A bias moves its layer's output by as much, so their gradients add up; that of the logits is the cotangent."""
    for name in SMALL:
        found = trace(framework, name, "float64", True).gradients
        assert np.array_equal(found.outputs[""], cotangent(name))
    found = trace(framework, "RNN", "float64", True).gradients
    summed = sum(found.outputs[f"hh[{step}]"].sum(0) for step in range(3))
    assert close(found.parameters["hh.bias"], np.asarray(summed))
