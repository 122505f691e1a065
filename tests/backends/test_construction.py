"""How twins are made, and what cannot be."""

from typing import Any

import jax
import numpy as np
import pytest
import torch
from flax import nnx

from parity.backends import FRAMEWORKS, twin_class
from parity.errors import UsageError
from parity.interface.frameworks import backend_of, framework_of
from parity.weights import parameters
from tests.backends.small import SMALL, batches, close, loaded, shapes, shared, weights

POINTS: dict[str, Any] = {"sizes": (2, 3, 2)}


class JaxUnknown(nnx.Module):
    def __init__(self) -> None:
        self.odd = nnx.InstanceNorm(3, rngs=nnx.Rngs(0))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.odd(x)


class TorchUnknown(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.odd = torch.nn.InstanceNorm1d(3, affine=True)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_framework_has_a_twin(framework) -> None:
    assert twin_class(framework).framework == framework


def test_flax_may_be_called_what_the_command_calls_it() -> None:
    assert twin_class("jax") is twin_class("flax")
    assert [backend_of(name) for name in FRAMEWORKS] == ["jax", "torch", "numpy"]
    assert [framework_of(backend_of(name)) for name in FRAMEWORKS] == [*FRAMEWORKS]
    assert framework_of("flax") == "flax"


@pytest.mark.parametrize(
    ("got", "hint"), [("jaxx", "did you mean jax or flax?"), ("keras", "known: flax, jax, numpy, torch")]
)
def test_an_unknown_framework_gets_the_near_names(got, hint) -> None:
    with pytest.raises(UsageError) as caught:
        twin_class(got)
    assert str(caught.value) == f"unknown framework '{got}'; {hint}"


@pytest.mark.parametrize("framework", ["flax", "torch"])
def test_a_missing_device_is_one_line(framework, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(jax, "devices", no_devices)
    model = twin_class(framework).build("MLP", POINTS)
    with pytest.raises(UsageError, match=r"no gpu device here.*--device cpu") as caught:
        twin_class(framework)(model, device="gpu")
    assert "\n" not in str(caught.value)


def no_devices(name: str) -> Any:
    raise RuntimeError(f"Unknown backend: {name!r} requested.\nA second line.")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_jax_itself_says_which_device_is_missing() -> None:
    if any(device.platform == "gpu" for device in jax.devices()):
        pytest.skip("there is a GPU here")
    with pytest.raises(UsageError, match="JAX has no gpu device here") as caught:
        twin_class("flax")(twin_class("flax").build("MLP", POINTS), device="gpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("asked", [{"precision": "float32"}, {"device": "gpu"}])
def test_the_reference_has_float64_on_the_cpu_only(asked) -> None:
    cls = twin_class("numpy")
    with pytest.raises(UsageError, match=r"asked for float(32|64) on (cpu|gpu); it has float64 on cpu only"):
        cls(cls.build("MLP", POINTS), **asked)


@pytest.mark.parametrize(("framework", "model"), [("flax", JaxUnknown), ("torch", TorchUnknown)])
def test_an_unknown_kind_of_layer_is_named(framework, model) -> None:
    twin = twin_class(framework)(model())
    for ask in (twin.shapes, twin.weights, lambda: twin.load({})):
        with pytest.raises(
            UsageError, match=rf"{framework} array odd\.\w+ \(3,\) .*known layer kind \(dense, conv, no"
        ):
            ask()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(framework) -> None:
    twin, good = shared(framework, "MLP"), weights("MLP", seed=1)
    bad = {
        "missing": {name: array for name, array in good.items() if name != "layers.1.bias"},
        "extra": {**good, "layers.9.bias": np.ones(3)},
        "expected (11,)": {**good, "layers.0.bias": np.ones(5)},
        "NaN or infinity in layers.2.bias": {**good, "layers.2.bias": np.full(3, np.nan)},
    }
    for says, given in bad.items():
        with pytest.raises(UsageError) as caught:
            twin.load(given)
        assert says in str(caught.value)
    assert all(np.array_equal(array, weights("MLP")[name]) for name, array in twin.weights().items())


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_shapes_are_the_same_everywhere(framework, name) -> None:
    small, cls = SMALL[name], twin_class(framework)
    unloaded = cls(cls.build(small.network, small.config))
    assert unloaded.shapes() == shared(framework, name).shapes() == shapes(name)


@pytest.mark.parametrize("name", ["VGG", "RNN"])
@pytest.mark.parametrize("framework", ["torch", "numpy"])
def test_layers_stand_in_the_order_of_definition(framework, name) -> None:
    ours, expected = (
        dict.fromkeys(k.rpartition(".")[0] for k in s) for s in (shared(framework, name).shapes(), shapes(name))
    )
    assert list(ours) == list(expected)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_draws_are_those_of_the_constructor(framework) -> None:
    cls, small = twin_class(framework), SMALL["RNN"]
    drawn = cls.draw(small.network, small.config, seeds=[3, 4], init="default")
    assert {name: array.shape for name, array in drawn.items()} == {k: (2, *s) for k, s in shapes("RNN").items()}
    assert not np.array_equal(*drawn["ph.kernel"])
    if framework != "numpy":
        built = cls(cls.build(small.network, small.config, seed=4), precision="float32").weights()
        single = {name: array[1] for name, array in drawn.items()}
        assert all(np.allclose(built[name], single[name]) for name in built)
        assert not np.allclose(built["ph.kernel"], drawn["ph.kernel"][0])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_random_initialisation_follows_the_scheme(framework) -> None:
    cls, small = twin_class(framework), SMALL["VGG"]
    randn = cls.draw(small.network, small.config, seeds=[0], init="randn")
    default = cls.draw(small.network, small.config, seeds=[0], init="default")
    for name, array in parameters(default).items():
        role = name.rpartition(".")[2]
        if "norm" in name:
            assert (array == (role == "scale")).all() and (randn[name] == (role == "scale")).all()
            continue
        fan_in = np.prod(shapes("VGG")[f"{name.rpartition('.')[0]}.kernel"][:-1])
        assert 0 < np.abs(array).max() <= fan_in**-0.5
        assert (randn[name] == 0).all() if role == "bias" else 0.07 < randn[name].std() < 0.13


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_largest_seeds_can_be_drawn(framework) -> None:
    last = 2**32 - 1  # the largest that a stream of data takes
    drawn = twin_class(framework).draw("MLP", POINTS, seeds=[last - 1, last], init="default")
    assert not np.array_equal(*drawn["layers.0.kernel"])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_twin_in_evaluation_depends_on_every_weight(framework) -> None:
    """A copy that forgot to load an array would show the same logits."""
    inputs, good = batches("VGG")[0].inputs, weights("VGG")
    logits = shared(framework, "VGG").forward(inputs, training=False)
    for name, array in good.items():
        with loaded(framework, "VGG", {**good, name: array * 1.25}) as twin:
            assert not close(twin.forward(inputs, training=False), logits), name
