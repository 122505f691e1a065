"""All pairs of the gallery by name."""

from importlib import import_module
from typing import Any

from benchmarks.pairs.gallery.architectures import ARCHITECTURES
from benchmarks.pairs.gallery.entry import GalleryPair, MadePair


def _made(package: str, place: str, because: tuple[str, ...] = (), accept: tuple[str, ...] = ()) -> GalleryPair:
    """A pair of "file:function" beside this one."""

    def make() -> MadePair:
        file, _, function = place.partition(":")
        return getattr(import_module(f"benchmarks.pairs.gallery.makers.{file}"), function)()

    return GalleryPair(package, make, "different" if because else "same", because, accept)


def _diffusers(*place: str, **settings: Any) -> GalleryPair:
    """A pair of `diffusers_pair`."""

    def make() -> MadePair:
        from benchmarks.pairs.gallery.makers.diffusers_ import diffusers_pair

        return diffusers_pair(*place, **settings)

    return GalleryPair("diffusers 0.35.2", make)


UNET: dict[str, Any] = {
    "in_channels": 4, "cross_attention_dim": 16, "block_out_channels": (32, 64), "layers_per_block": 1,
    "attention_head_dim": 4, "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
}  # fmt: skip
UNET_UP: dict[str, Any] = {
    "sample_size": 8, "out_channels": 4, "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
}  # fmt: skip
AUTOENCODER: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2,
    "block_out_channels": (32, 64), "layers_per_block": 1, "latent_channels": 4, "sample_size": 16,
}  # fmt: skip

PAIRS: dict[str, GalleryPair] = {
    **ARCHITECTURES,
    "unet": _diffusers("FlaxUNet2DConditionModel", "UNet2DConditionModel", "denoised", **UNET, **UNET_UP),
    "controlnet": _diffusers(
        "FlaxControlNetModel",
        "ControlNetModel",
        "controlled",
        **UNET,
        conditioning_embedding_out_channels=(8, 16, 24, 32),
    ),
    "autoencoder": _diffusers("FlaxAutoencoderKL", "AutoencoderKL", "picture", "deterministic", **AUTOENCODER),
    "cait": _made("flaim 0.0.5", "images:cait"),
    "convmixer": _made("flaim 0.0.5", "images:convmixer", ("flaim-momentum",), ("running_var_bias",)),
    "convnext": _made("flaim 0.0.5", "images:convnext"),
    "nest": _made("flaim 0.0.5", "images:nest"),
    "pvt v2": _made("flaim 0.0.5", "images:pvt_v2"),
    "swin": _made("flaim 0.0.5", "images:swin", ("flaim-head",)),
    "swin's stages": _made("flaim 0.0.5", "images:swin_features"),
    "vgg": _made("flaim 0.0.5", "images:vgg", ("flaim-momentum",), ("running_var_bias",)),
    "vision transformer": _made("flaim 0.0.5", "images:vit"),
    "resnet-18 of jax-resnet": _made("jax-resnet 0.0.4", "images:jax_resnet", accept=("running_var_bias",)),
    "resnet-18 of flaxmodels": _made(
        "flaxmodels 0.1.3", "images:flaxmodels_resnet", ("flaxmodels-momentum",), ("running_var_bias",)
    ),
    "ConvTranspose": _made("flax 0.12.8", "flax_:conv_transpose"),
    "GroupNorm": _made("flax 0.12.8", "flax_:group_norm"),
    "GRUCell": _made("flax 0.12.8", "flax_:gru", accept=("extra_outputs",)),
    "MultiHeadDotProductAttention": _made("flax 0.12.8", "flax_:attention"),
    "OptimizedLSTMCell": _made("flax 0.12.8", "flax_:lstm", accept=("extra_outputs",)),
    "RMSNorm": _made("flax 0.12.8", "flax_:rms_norm"),
    "WeightNorm": _made("flax 0.12.8", "flax_:weight_norm"),
}
