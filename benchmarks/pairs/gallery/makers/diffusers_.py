"""The pairs of diffusers 0.35.2: its Flax class against its PyTorch class of the same network, in small settings."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.pairs.gallery.entry import MadePair
from benchmarks.pairs.gallery.makers.shims import prepare

SIZE, CHANNELS = 8, (32, 64)


def diffusers_pair(flax: str, torch: str, inputs: str, mode: str = "train", /, **settings: Any) -> MadePair:
    """A Flax class of diffusers against PyTorch's; both take images with the channels first.

    Args:
        flax, torch: The names of the classes.
        inputs: Which of `INPUTS` both are called with.
        mode: "train" or "deterministic", by which Flax's network is told that it trains.
        **settings: The settings of both.
    """
    prepare()
    import jax

    hub = import_module("diffusers")
    module = getattr(hub, flax)(**settings)
    params = module.init_weights(jax.random.key(0))
    known = SimpleNamespace(init_weights=lambda key: params)  # the converter asks for shapes only
    converter = import_module("diffusers.models.modeling_flax_pytorch_utils")
    return MadePair(
        flax=(module, {"params": params}),
        torch=getattr(hub, torch)(**settings),
        inputs=INPUTS[inputs](),
        convert=lambda arrays: {
            "params": converter.convert_pytorch_state_dict_to_flax({n: a.detach() for n, a in arrays.items()}, known)
        },
        to_flax=_flax_names,
        to_torch=lambda **keywords: {**keywords, "return_dict": False},
        training_call=({mode: mode == "train"}, {mode: mode != "train"}),
    )


def _flax_names(**keywords: Any) -> dict[str, Any]:
    renamed = {("timesteps" if name == "timestep" else name): value for name, value in keywords.items()}
    return {**renamed, "return_dict": False}


def picture() -> dict[str, np.ndarray]:
    """Two pictures."""
    return {"sample": np.random.default_rng(15).standard_normal((2, 3, 16, 16)).astype(np.float32)}


def denoised() -> dict[str, np.ndarray]:
    """Two noisy pictures, how noisy they are, and what they shall show."""
    draws = np.random.default_rng(16)
    return {
        "sample": draws.standard_normal((2, 4, SIZE, SIZE)).astype(np.float32),
        "timestep": np.array([3, 17]),
        "encoder_hidden_states": draws.standard_normal((2, 5, 16)).astype(np.float32),
    }


def controlled() -> dict[str, np.ndarray]:
    """The inputs of `denoised` with a picture that steers."""
    picture = np.random.default_rng(17).standard_normal((2, 3, 8 * SIZE, 8 * SIZE)).astype(np.float32)
    return {**denoised(), "controlnet_cond": picture}


INPUTS = {"picture": picture, "denoised": denoised, "controlled": controlled}
