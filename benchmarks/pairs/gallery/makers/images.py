"""The pairs of networks for images: flaim 0.0.5, jax-resnet 0.0.4 and flaxmodels 0.1.3 against timm and torchvision."""

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.pairs.gallery.calls import flat
from benchmarks.pairs.gallery.entry import MadePair
from benchmarks.pairs.gallery.makers.ordered import carried, joined, places
from benchmarks.pairs.gallery.makers.shims import prepare

CLASSES = 10


def made(
    module: Any,
    network: Any,
    size: int = 32,
    named: dict[str, str] | None = None,
    before: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> MadePair:
    """The pair with a converter that goes by the order of the layers.

    Args:
        module: The Linen module, which takes images with the channels last.
        network: PyTorch's, which takes them first.
        size: Height and width of the images.
        named: The arrays that the network holds itself, as `ordered.places` takes them.
        before: What is done to PyTorch's arrays before they are carried over.
    """
    import jax

    pictures = np.random.default_rng(12).standard_normal((2, size, size, 3)).astype(np.float32)
    variables = {
        name: tree for name, tree in module.init(jax.random.key(0), pictures).items() if name != "intermediates"
    }
    flax = {path: array for path, array in flat(variables).items() if path.startswith(("params/", "batch_stats/"))}

    def numbers(arrays: dict[str, Any]) -> dict[str, Any]:
        return before({name: np.asarray(array.detach()) for name, array in arrays.items()})

    where = places(flax, numbers(network.state_dict()), named or {})
    return MadePair(
        flax=(module, variables),
        torch=network,
        inputs=pictures,
        convert=lambda arrays: carried(numbers(arrays), where, flax),
        to_torch=_channels_first,
        training_call=_training_call(module),
    )


GAMMAS = {"gamma_1": "lambda", "gamma_2": "lambda", "gamma1": "lambda", "gamma2": "lambda", "gamma": "lambda"}


def _channels_first(pictures: np.ndarray) -> np.ndarray:
    return pictures.transpose(0, 3, 1, 2)


def _training_call(module: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    wanted = inspect.signature(type(module).__call__).parameters
    flag = next((name for name in ("training", "train") if name in wanted), None)
    return ({flag: True}, {flag: False}) if flag else ({}, {})


def vit() -> MadePair:
    """flaim's ViT and timm's."""
    prepare()
    module = import_module("flaim.models.vit").ViT(depth=2, token_dim=32, n_heads=4, patch_size=8, n_classes=CLASSES)
    network = import_module("timm.models.vision_transformer").VisionTransformer(
        img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=4, num_classes=CLASSES
    )
    return made(module, network, named={"cls_token": "class_token", "pos_embed": "pos_embed"})


def convnext() -> MadePair:
    """flaim's ConvNeXt and timm's."""
    prepare()
    module = import_module("flaim.models.convnext").ConvNeXt(
        depths=(1, 1, 2, 1), out_dims=(8, 16, 24, 32), n_classes=CLASSES
    )
    network = import_module("timm.models.convnext").ConvNeXt(
        depths=(1, 1, 2, 1), dims=(8, 16, 24, 32), num_classes=CLASSES
    )
    return made(module, network, named=GAMMAS)


def cait() -> MadePair:
    """flaim's CaiT and timm's."""
    prepare()
    module = import_module("flaim.models.cait").Cait(depth=2, token_dim=32, n_heads=4, patch_size=8, n_classes=CLASSES)
    network = import_module("timm.models.cait").Cait(
        img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=4, num_classes=CLASSES
    )
    return made(
        module, network, named={"cls_token": "class_token", "pos_embed": "pos_embed", **GAMMAS}, before=_keys_and_values
    )


def _keys_and_values(arrays: dict[str, Any]) -> dict[str, Any]:
    """flaim has one layer for a class token's keys and values."""
    return joined(arrays, (".attn.k.", ".attn.v."), ".attn.kv.")


def swin() -> MadePair:
    """flaim's Swin and timm's, whose drop path is off, with their heads."""
    return _swin(lambda network: network, n_classes=CLASSES)


def swin_features() -> MadePair:
    """What the stages of flaim's Swin and of timm's give, as tokens."""
    nn = import_module("torch.nn")
    return _swin(lambda network: nn.Sequential(network.patch_embed, network.layers, nn.Flatten(1, 2)), n_classes=0)


def _swin(part: Callable[[Any], Any], n_classes: int) -> MadePair:
    prepare()
    module = import_module("flaim.models.swin").Swin(
        depths=(2, 2), token_dim=16, n_heads=(2, 4), window_size=4, n_classes=n_classes
    )
    network = import_module("timm.models.swin_transformer").SwinTransformer(
        img_size=32, embed_dim=16, depths=(2, 2), num_heads=(2, 4), window_size=4, num_classes=CLASSES,
        drop_path_rate=0.0,
    )  # fmt: skip
    return made(module, part(network), named={"relative_position_bias_table": "embedding"})


def nest() -> MadePair:
    """flaim's NesT and timm's, whose drop path is off."""
    prepare()
    module = import_module("flaim.models.nest").NesT(
        depths=(1, 2), token_dims=(16, 24), n_heads=(2, 4), jax=False, n_classes=CLASSES
    )
    network = import_module("timm.models.nest").Nest(
        img_size=32, num_levels=2, embed_dims=(16, 24), num_heads=(2, 4), depths=(1, 2), num_classes=CLASSES,
        drop_path_rate=0.0,
    )  # fmt: skip
    return made(module, network, named={"pos_embed": "pos_embed"})


def pvt_v2() -> MadePair:
    """flaim's PVTv2 and timm's."""
    prepare()
    module = import_module("flaim.models.pvtv2").PVTV2(
        token_dims=(8, 16, 24, 32),
        n_heads=(1, 2, 3, 4),
        depths=(1, 1, 1, 1),
        sr_factors=(8, 4, 2, 2),
        n_classes=CLASSES,
    )
    network = import_module("timm.models.pvt_v2").PyramidVisionTransformerV2(
        embed_dims=(8, 16, 24, 32),
        num_heads=(1, 2, 3, 4),
        depths=(1, 1, 1, 1),
        sr_ratios=(8, 4, 2, 2),
        num_classes=CLASSES,
    )
    return made(module, network, size=64)


def convmixer() -> MadePair:
    """flaim's ConvMixer and timm's."""
    prepare()
    module = import_module("flaim.models.convmixer").ConvMixer(
        depth=2, dim=16, patch_size=4, kernel_size=5, n_classes=CLASSES
    )
    network = import_module("timm.models.convmixer").ConvMixer(16, 2, patch_size=4, kernel_size=5, num_classes=CLASSES)
    return made(module, network)


def vgg() -> MadePair:
    """The convolutions of flaim's VGG and of torchvision's, with batch normalisation, under one dense layer."""
    prepare()
    module = import_module("flaim.models.vgg").VGG((8, "m", 16, 16, "m"), bn=True, n_classes=CLASSES)
    nn = import_module("torch.nn")
    layers = import_module("torchvision.models.vgg").make_layers([8, "M", 16, 16, "M"], batch_norm=True)
    return made(module, nn.Sequential(layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, CLASSES)))


def jax_resnet() -> MadePair:
    """jax-resnet's ResNet-18 with one block a stage, and torchvision's."""
    prepare()
    theirs = import_module("jax_resnet.resnet")
    module = theirs.ResNet(
        theirs.ResNetBlock, stage_sizes=(1, 1, 1, 1), n_classes=CLASSES, hidden_sizes=(64, 128, 256, 512)
    )
    hub = import_module("torchvision.models.resnet")
    return made(module, hub.ResNet(hub.BasicBlock, [1, 1, 1, 1], num_classes=CLASSES), size=64)


def flaxmodels_resnet() -> MadePair:
    """flaxmodels' ResNet-18 and torchvision's."""
    prepare()
    module = import_module("flaxmodels.resnet").ResNet18(
        output="logits", pretrained=None, normalize=False, num_classes=CLASSES
    )
    return made(module, import_module("torchvision.models").resnet18(num_classes=CLASSES), size=64)
