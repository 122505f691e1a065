"""Which of the two kinds of Flax network a user gave."""

from typing import Any

from flax import linen as nn
from flax import nnx

from parity.backends.flax.models.linen_model import LinenModel
from parity.backends.flax.models.model import Model
from parity.backends.flax.models.nnx_model import NnxModel
from parity.errors import UsageError
from parity.interface.user_code import kind_of


def open_model(model: Any, training_flag: str = "") -> Model:
    """The driver for what the user gave.

    Args:
        model: An NNX module, or a Linen module and its variables.
        training_flag: The name by which the user's network is told its mode, see `modes.mode_words`.

    Raises:
        UsageError: it is neither an NNX module nor a Linen module with its variables.
    """
    if isinstance(model, nnx.Module):
        return NnxModel(model, training_flag)
    if isinstance(model, tuple) and len(model) == 2 and isinstance(model[0], nn.Module):
        return LinenModel(*model, training_flag)
    hint = "see parity.compare"
    if isinstance(model, nn.Module):
        hint = "give (module, variables)"
    elif isinstance(model, type):
        hint = f"make one, {model.__name__}(…)"
    elif hasattr(model, "named_parameters"):
        hint = "it is PyTorch's; give Flax's network first and PyTorch's second"
    raise UsageError(f"got {kind_of(model)} as Flax model; expected an nnx.Module or (linen module, variables): {hint}")
