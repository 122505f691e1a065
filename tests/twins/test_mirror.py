"""The twins are built as twins: same names, same keywords, same parts in the same order."""

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import jaxnets
import torchnets
from parity.recipes import load, names
from parity.reference import NETWORKS
from tests.twins.small import CONFIGS, jax_network, torch_network

KINDS: dict[type, type] = {
    nnx.List: nn.ModuleList,
    nnx.Linear: nn.Linear,
    nnx.Conv: torchnets.layers.Conv3x3,
    jaxnets.layers.BatchNorm: nn.BatchNorm2d,
    jaxnets.layers.MaxPool: nn.MaxPool2d,
    jaxnets.layers.Flatten: nn.Flatten,
    jaxnets.layers.Tanh: nn.Tanh,
    jaxnets.gru.GRUCell: torchnets.gru.GRUCell,
    jaxnets.vgg.ConvBlock: torchnets.vgg.ConvBlock,
    jaxnets.MLP: torchnets.MLP,
    jaxnets.VGG: torchnets.VGG,
    jaxnets.RNN: torchnets.RNN,
    jaxnets.GRU: torchnets.GRU,
}
MIRRORED: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "MLP": (jaxnets.MLP, torchnets.MLP),
    "VGG": (jaxnets.VGG, torchnets.VGG),
    "RNN": (jaxnets.RNN, torchnets.RNN),
    "GRU": (jaxnets.GRU, torchnets.GRU),
    "GRUCell": (jaxnets.gru.GRUCell, torchnets.gru.GRUCell),
    "ConvBlock": (jaxnets.vgg.ConvBlock, torchnets.vgg.ConvBlock),
    "dense": (jaxnets.layers.dense, torchnets.layers.dense),
    "recurrent": (jaxnets.layers.recurrent, torchnets.layers.recurrent),
    "conv3x3": (jaxnets.layers.conv3x3, torchnets.layers.conv3x3),
}


@cache
def studied(name: str) -> tuple[Any, Any]:
    """A recipe's network in both frameworks; Flax's without the drawing."""
    recipe = load(name)
    cls = getattr(jaxnets, recipe.network)
    shapes = nnx.eval_shape(lambda: cls(**recipe.config, init=recipe.init, rngs=nnx.Rngs(0)))
    return shapes, getattr(torchnets, recipe.network)(**recipe.config, init=recipe.init)


@pytest.mark.parametrize(
    ("name", "count"),
    [("mlp", 3_805_450), ("vgg", 9_231_114), ("rnn", 17_930), ("blobs", 102), ("moons", 102), ("circles", 102)],
)
def test_parameter_counts_are_the_studys(name, count) -> None:
    flax, pytorch = studied(name)
    assert sum(np.prod(array.shape) for array in jax.tree.leaves(nnx.state(flax, nnx.Param))) == count
    assert sum(parameter.numel() for parameter in pytorch.parameters()) == count


@pytest.mark.parametrize("network", ["MLP", "VGG", "RNN", "GRU"])
def test_the_defaults_are_the_sizes_of_the_recipe(network) -> None:
    cls = getattr(torchnets, network)
    recipe = next(load(name) for name in names() if name == network.lower())
    defaults = {key: p.default for key, p in inspect.signature(cls).parameters.items()}
    assert {key: defaults[key] for key in recipe.config} == dict(recipe.config)


def keywords(function: Callable[..., Any], source: str) -> list[tuple[str, Any, Any]]:
    """Names, kinds and defaults of all parameters but the last, which must be the source of randomness."""
    made = function.__init__ if isinstance(function, type) else function  # type: ignore[misc] # of a class known to be one
    *shared, last = inspect.signature(made).parameters.values()
    assert last.name == source and last.kind is last.KEYWORD_ONLY
    return [(parameter.name, parameter.kind, parameter.default) for parameter in shared]


@pytest.mark.parametrize("name", MIRRORED)
def test_constructors_have_the_same_keywords_in_the_same_order(name) -> None:
    flax, pytorch = MIRRORED[name]
    assert flax.__name__ == pytorch.__name__ == name
    assert keywords(flax, "rngs") == keywords(pytorch, "generator") != []


@pytest.mark.parametrize("name", NETWORKS)
def test_a_reference_network_has_the_arguments_of_its_twins(name) -> None:
    """All but the drawing: the docstrings of those by hand may send the reader to the twin's for what each is."""
    *twins, (init, _, _) = [
        parameter for parameter in keywords(getattr(jaxnets, name), "rngs") if parameter[0] != "self"
    ]
    by_hand = list(inspect.signature(NETWORKS[name]).parameters.values())
    assert init == "init"
    assert [(p.name, p.default) for p in by_hand] == [(twin, default) for twin, _, default in twins]
    referred = re.findall(r"Its arguments are those of `jaxnets\.(\w+)`", NETWORKS[name].__doc__ or "")
    assert referred == ([name] if "Args:" not in (NETWORKS[name].__doc__ or "") else [])


def test_packages_export_the_same_names() -> None:
    assert jaxnets.__all__ == torchnets.__all__ and {"GRU", "MLP", "RNN", "VGG"} < set(jaxnets.__all__)


def parts(module: Any, path: str = "") -> list[tuple[str, type]]:
    """Path and class of every module of a Flax network, in the order of definition."""
    if isinstance(module, nnx.List):
        inner = [(str(i), entry) for i, entry in enumerate(module)]
    else:
        inner = [(name, value) for name, value in vars(module).items() if isinstance(value, nnx.Module)]
    found = [(path, type(module))]
    for name, value in inner:
        found += parts(value, f"{path}.{name}" if path else name)
    return found


@pytest.mark.parametrize("name", CONFIGS)
def test_networks_have_the_same_parts_in_the_same_order(name) -> None:
    twins = [(path, KINDS[cls]) for path, cls in parts(jax_network(name))]
    assert twins == [(path, type(module)) for path, module in torch_network(name).named_modules()]
    assert len(twins) == {"MLP": 5, "VGG": 8, "RNN": 5, "GRU": 5}[name]


@pytest.mark.parametrize("name", ["mlp", "vgg", "rnn", "gru"])
def test_the_recipes_networks_have_the_same_parts(name) -> None:
    flax, pytorch = studied(name)  # in no order: without drawing, Flax sorts the attributes
    twins = {path: KINDS[cls] for path, cls in parts(flax)}
    assert twins == {path: type(module) for path, module in pytorch.named_modules()}
    assert len(twins) == {"mlp": 7, "vgg": 33, "rnn": 5, "gru": 5}[name]


def undrawn(name: str) -> Any:
    """The small network with shapes for weights."""
    return nnx.eval_shape(lambda: jax_network(name))


def hyperparameters(module: Any) -> tuple[Any, ...]:
    """What a layer computes with, in words that both frameworks share."""
    if isinstance(module, nn.BatchNorm2d):
        assert module.momentum is not None
        return module.num_features, module.eps, 1 - module.momentum
    if isinstance(module, jaxnets.layers.BatchNorm):
        return module.scale.shape[0], module.epsilon, module.momentum
    if isinstance(module, nn.MaxPool2d):
        return module.kernel_size, module.stride, module.padding
    if isinstance(module, jaxnets.layers.MaxPool):
        return module.window, module.stride, module.padding
    if isinstance(module, nnx.Conv):
        padding: Any = module.padding
        assert all(before == after for before, after in padding)
        return module.in_features, module.out_features, module.kernel_size, module.strides, tuple(p[0] for p in padding)
    if isinstance(module, nn.Conv2d):
        return module.in_channels, module.out_channels, module.kernel_size, module.stride, module.padding
    bias: Any = module.bias
    return module.in_features, module.out_features, bias is not None


@pytest.mark.parametrize("name", CONFIGS)
def test_layers_have_the_same_hyperparameters(name) -> None:
    flax = {".".join(map(str, path)): module for path, module in nnx.iter_modules(undrawn(name))}
    compared = set()
    for path, module in torch_network(name).named_modules():
        if isinstance(module, nn.BatchNorm2d | nn.MaxPool2d | nn.Conv2d | nn.Linear):
            assert hyperparameters(module) == hyperparameters(flax[path]), path
            compared.add(type(module).__name__)
    assert compared == {"MLP": {"Linear"}, "RNN": {"Linear"}, "GRU": {"Linear"}}.get(
        name, {"Linear", "Conv3x3", "BatchNorm2d", "MaxPool2d"}
    )


@pytest.mark.parametrize("name", CONFIGS)
def test_a_bad_init_is_the_same_error_in_both(name) -> None:
    messages = []
    for make in (jax_network, torch_network):
        with pytest.raises(ValueError, match="init is 'lecun'; expected 'default', 'randn', 'orthogonal', ") as caught:
            make(name, init="lecun")
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_the_hidden_size_is_an_attribute_in_both() -> None:
    assert undrawn("RNN").hidden_size == torch_network("RNN").hidden_size == 7


def test_torch_modules_hold_float32() -> None:
    assert {tensor.dtype for tensor in torch_network("VGG").parameters()} == {torch.float32}
    assert {leaf.dtype for leaf in jax.tree.leaves(nnx.state(undrawn("VGG")))} == {np.dtype("float32")}
