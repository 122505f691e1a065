"""The zoo is built as twins: the same parts, keywords, layers and numbers."""

from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import jaxnets
import torchnets
from parity import recipes
from parity.backends import Precision
from tests.backends.small import both, ruled_same
from tests.twins.test_mirror import keywords, parts
from tests.zoo.small import NAMES, inputs, made, recipe, twin

CLASSES = {"List": "ModuleList", "Embed": "Embedding", "BatchNorm": "BatchNorm2d", "MaxPool": "MaxPool2d",
           "ConvTranspose": "ConvTranspose2d"}  # fmt: skip
"""Class in Flax → class in PyTorch, where the names differ; a convolution of 3×3 is a `Conv3x3`, others a `Conv2d`."""
SIZES = {
    "ActorCritic": 9_155,
    "BERT": 109_514_298,
    "DiT": 674_834_720,
    "GPT2": 124_439_808,
    "GraphNet": 50_442,
    "LSTM": 19_780_400,
    "Llama": 8_030_261_248,
    "MoE": 16_375_728_128,
    "ResNet": 11_689_512,
    "UNet": 35_746_307,
    "VAE": 502_005,
    "ViT": 22_050_664,
}
"""Parameters of the networks as their keywords' defaults make them, which are those of the papers."""


@pytest.mark.parametrize("network", SIZES)
def test_the_defaults_are_the_network_that_people_mean(network: str) -> None:
    flax = nnx.eval_shape(lambda: getattr(jaxnets, network)(rngs=nnx.Rngs(0)))
    assert sum(np.prod(array.shape) for array in jax.tree.leaves(nnx.state(flax, nnx.Param))) == SIZES[network]
    with torch.device("meta"):
        pytorch = getattr(torchnets, network)()
    assert sum(parameter.numel() for parameter in pytorch.parameters()) == SIZES[network]


def name_of(cls: type, module: Any) -> str:
    if cls is nnx.Conv:
        size, stride = module.kernel_size, module.strides
        return "Conv3x3" if (size, stride) == ((3, 3), (1, 1)) else "Conv2d"
    return CLASSES.get(cls.__name__, cls.__name__)


def inside_a_layer(modules: dict[str, Any], path: str) -> bool:
    """Whether the module is part of a recurrent layer of Flax's own, which PyTorch has as one."""
    return any(path.startswith(f"{other}.") for other, module in modules.items() if isinstance(module, nnx.RNN))


@pytest.mark.parametrize("name", NAMES)
def test_networks_have_the_same_parts_in_the_same_order(name: str) -> None:
    flax = made("flax", name)
    modules = {".".join(map(str, path)): module for path, module in nnx.iter_modules(flax)}
    twins = [(path, name_of(cls, modules[path])) for path, cls in parts(flax) if not inside_a_layer(modules, path)]
    assert twins == [(path, type(module).__name__) for path, module in made("torch", name).named_modules()]


@pytest.mark.parametrize("name", NAMES)
def test_constructors_have_the_same_keywords_in_the_same_order(name: str) -> None:
    pytorch = {type(module).__name__: type(module) for module in made("torch", name).modules()}
    ours = {cls.__name__: cls for _, cls in parts(made("flax", name)) if cls.__module__.startswith("jaxnets")}
    compared = [name for name in ours if name in pytorch and name not in ("BatchNorm", "Flatten")]
    assert recipe(name).network in compared
    for cls in compared:
        assert keywords(ours[cls], "rngs") == keywords(pytorch[cls], "generator"), cls


def numbers(module: Any) -> tuple[Any, ...]:
    """What a layer computes with, in words that both frameworks share."""
    match module:
        case nn.BatchNorm2d():
            return module.num_features, module.eps, 1 - (module.momentum or 0)
        case jaxnets.layers.BatchNorm():
            return module.scale[...].shape[0], module.epsilon, module.momentum
        case nn.MaxPool2d():
            return module.kernel_size, module.stride, module.padding
        case jaxnets.layers.MaxPool():
            return module.window, module.stride, module.padding
        case nn.GroupNorm():
            return module.num_channels, module.num_groups, module.eps
        case nnx.GroupNorm():
            features = module.num_groups * module.group_size
            return features, module.num_groups, module.epsilon, *(("fast",) * module.use_fast_variance)
        case nn.Linear():
            return module.in_features, module.out_features, module.bias is not None
        case nnx.Linear():
            return module.in_features, module.out_features, module.use_bias
        case nn.LayerNorm():
            return module.normalized_shape[0], module.eps
        case nnx.LayerNorm():
            return module.num_features, module.epsilon, *(() if not module.use_fast_variance else ("fast",))
        case nn.RMSNorm():
            return module.normalized_shape[0], module.eps
        case nnx.RMSNorm():
            return module.num_features, module.epsilon
        case nn.LSTM():
            return module.input_size, module.hidden_size, module.bias
        case jaxnets.layers.PackedLSTM():
            return module.cell.in_features, module.cell.hidden_features, module.cell.dense_i.bias is not None
        case nn.Embedding():
            return module.num_embeddings, module.embedding_dim
        case nnx.Embed():
            return module.num_embeddings, module.features
        case nn.ConvTranspose2d():
            spread = module.kernel_size[0] - 1 - module.padding[0]  # type: ignore[operator] # numbers
            return module.in_channels, module.out_channels, module.kernel_size, module.stride, (spread, spread)
        case nnx.ConvTranspose():
            pads: Any = module.padding
            return module.in_features, module.out_features, module.kernel_size, module.strides, pads[0]
        case nn.Conv2d():
            return module.in_channels, module.out_channels, module.kernel_size, module.stride, module.padding
        case nnx.Conv():
            padding: Any = module.padding
            return module.in_features, module.out_features, module.kernel_size, module.strides, padding[0]
        case jaxnets.layers.RoutedFeedForward() | torchnets.layers.RoutedFeedForward():
            return module.gate.shape, module.experts_per_token, module.renormalize
    return ()


@pytest.mark.parametrize("name", NAMES)
def test_layers_have_the_same_hyperparameters(name: str) -> None:
    flax = {".".join(map(str, path)): module for path, module in nnx.iter_modules(made("flax", name))}
    found = {path: numbers(module) for path, module in made("torch", name).named_modules()}
    assert found == {path: numbers(flax[path]) for path in found}
    assert any(found.values())


def logits_of(framework: str, name: str, precision: Precision) -> Any:
    return twin(framework, name, precision).forward(inputs(name), training=False)


@pytest.mark.parametrize("name", NAMES)
def test_both_compute_the_same_as_the_reference(name: str) -> None:
    logits = {framework: both(partial(logits_of, framework, name)) for framework in ("flax", "torch")}
    assert ruled_same(logits)
    by_hand = twin("numpy", name).forward(inputs(name), training=False)
    np.testing.assert_allclose(logits["torch"].high, by_hand, rtol=1e-9, atol=1e-12)
    assert np.ptp(by_hand, axis=0).min() > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_stated_number_of_parameters_is_the_networks(name: str) -> None:
    for found in (recipes.load(name), recipe(name)):
        flax = nnx.eval_shape(lambda found=found: getattr(jaxnets, found.network)(**found.config, rngs=nnx.Rngs(0)))
        assert sum(np.prod(a.shape) for a in jax.tree.leaves(nnx.state(flax, nnx.Param))) == found.parameters
