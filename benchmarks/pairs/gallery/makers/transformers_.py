"""The pairs of transformers 4.57.6: its Flax class against its PyTorch class of the same network, in small settings."""

import copy
import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.pairs.gallery.entry import MadePair
from benchmarks.pairs.gallery.makers.shims import prepare

LENGTH, SYMBOLS = 10, 61


def transformers_pair(network: str, config: str, inputs: str = "text", /, **settings: Any) -> MadePair:
    """A Flax class of transformers against PyTorch's of the same name.

    Args:
        network: The name of PyTorch's class; Flax's has "Flax" before it.
        config: The name of the class of its settings.
        inputs: Which of `INPUTS` both are called with.
        **settings: The settings that are not the default.
    """
    prepare()
    hub = import_module("transformers")
    options = getattr(hub, config)(**copy.deepcopy(settings))  # some classes take nested settings apart
    port = getattr(hub, f"Flax{network}")(options, **FLAX_SHAPES.get(inputs, {}))
    return MadePair(
        flax=(port.module, _variables(port)),
        torch=getattr(hub, network)(options),
        inputs=INPUTS[inputs](),
        convert=lambda arrays: _converted(arrays, port),
        to_flax=_flax_adapter(port.module, _positions(network)),
        to_torch=lambda **keywords: {**keywords, "return_dict": False},
    )


def _variables(port: Any) -> dict[str, Any]:
    params = dict(port.params)
    return params if "params" in params else {"params": params}


def _converted(arrays: dict[str, Any], port: Any) -> dict[str, Any]:
    """The tree that transformers' own converter gives."""
    converter = import_module("transformers.modeling_flax_pytorch_utils")
    numbers = {name: np.asarray(array.detach()) for name, array in arrays.items()}
    tree = converter.convert_pytorch_state_dict_to_flax(numbers, port)
    return tree if "params" in tree else {"params": tree}


def text() -> dict[str, np.ndarray]:
    """Ids above those of special tokens, with padding in the second sequence."""
    ids = np.random.default_rng(10).integers(5, SYMBOLS, (2, LENGTH))
    return {"input_ids": ids, "attention_mask": (np.arange(LENGTH) < np.array([[LENGTH], [7]])).astype(np.int64)}


def padded() -> dict[str, np.ndarray]:
    """The inputs of `text` with the id 0 where the mask is 0."""
    inputs = text()
    return {**inputs, "input_ids": inputs["input_ids"] * inputs["attention_mask"]}


def plain_text() -> dict[str, np.ndarray]:
    """Ids without a mask."""
    return {"input_ids": text()["input_ids"]}


def translation() -> dict[str, np.ndarray]:
    """Ids with padding for an encoder, and others for a decoder."""
    return {**text(), "decoder_input_ids": np.random.default_rng(11).integers(5, SYMBOLS, (2, 6))}


def pixels() -> dict[str, np.ndarray]:
    """Two images; all classes of transformers take their channels first."""
    return {"pixel_values": np.random.default_rng(12).standard_normal((2, 3, 32, 32)).astype(np.float32)}


def larger_pixels() -> dict[str, np.ndarray]:
    """Two images that are larger than the settings say."""
    return {"pixel_values": np.random.default_rng(12).standard_normal((2, 3, 48, 48)).astype(np.float32)}


def captioned() -> dict[str, np.ndarray]:
    """Two texts, and an image for each."""
    return {**text(), **pixels()}


def described() -> dict[str, np.ndarray]:
    """Two images, and ids for a decoder."""
    return {**pixels(), "decoder_input_ids": translation()["decoder_input_ids"]}


def spectrogram() -> dict[str, np.ndarray]:
    """Two spectrograms of eight bands, and ids for a decoder."""
    bands = np.random.default_rng(13).standard_normal((2, 8, 40)).astype(np.float32)
    return {"input_features": bands, "decoder_input_ids": translation()["decoder_input_ids"]}


def sound() -> dict[str, np.ndarray]:
    """Two waves."""
    return {"input_values": np.random.default_rng(14).standard_normal((2, 400)).astype(np.float32)}


def transcribed() -> dict[str, np.ndarray]:
    """Two waves, and ids for a decoder."""
    return {"inputs": sound()["input_values"], "decoder_input_ids": translation()["decoder_input_ids"]}


MAKERS = (
    text, padded, plain_text, translation, pixels, larger_pixels, captioned, described, spectrogram, sound, transcribed,
)  # fmt: skip
INPUTS = {maker.__name__: maker for maker in MAKERS}
FLAX_SHAPES: dict[str, dict[str, Any]] = {
    "pixels": {"input_shape": (1, 32, 32, 3)},
    "larger_pixels": {"input_shape": (1, 32, 32, 3)},
    "captioned": {"input_shape": ((1, 1), (1, 32, 32, 3))},
    "described": {"input_shape": ((1, 32, 32, 3), (1, 1))},
    "spectrogram": {"input_shape": (1, 8, 40)},
    "sound": {"input_shape": (1, 400)},
    "transcribed": {"input_shape": ((1, 400), (1, 4))},
}


Positions = Callable[[np.ndarray, np.ndarray], np.ndarray]


def counted(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """0, 1, 2 … in every row."""
    return np.broadcast_to(np.arange(ids.shape[1]), ids.shape)


def counted_in_mask(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The count of `FlaxOPTPreTrainedModel.__call__`: only what the mask shows, and -1 where it shows nothing."""
    return mask.cumsum(axis=1) * mask - 1


def counted_in_ids(ids: np.ndarray, mask: np.ndarray, padding: int = 1) -> np.ndarray:
    """The count of `create_position_ids_from_input_ids`: from the padding's id on, without the padding."""
    shown = (ids != padding).astype(np.int64)
    return shown.cumsum(axis=1) * shown + padding


POSITIONS: dict[str, Positions] = {"OPT": counted_in_mask, "Roberta": counted_in_ids, "XLMRoberta": counted_in_ids}


def _positions(network: str) -> Positions:
    return next((function for name, function in POSITIONS.items() if network.startswith(name)), counted)


def _flax_adapter(module: Any, positions: Positions) -> Any:
    """What `FlaxPreTrainedModel.__call__` does before it calls its module: fill in positions, types and masks."""
    wanted = inspect.signature(type(module).__call__).parameters

    def adapt(**keywords: Any) -> dict[str, Any]:
        filled = {**keywords, "return_dict": False}
        if "pixel_values" in keywords:
            filled["pixel_values"] = keywords["pixel_values"].transpose(0, 2, 3, 1)
        for prefix in ("", "decoder_"):
            ids = keywords.get(f"{prefix}input_ids")
            if ids is not None:
                mask = keywords.get(f"{prefix}attention_mask", np.ones_like(ids))
                defaults = {
                    f"{prefix}attention_mask": mask,
                    f"{prefix}position_ids": positions(ids, mask),
                    "token_type_ids": np.zeros_like(ids),
                }
                filled = {**{name: value for name, value in defaults.items() if name in wanted}, **filled}
        unset = {name: None for name in ("head_mask", "attention_mask") if name in wanted}
        return {**unset, **filled}

    return adapt
