"""How a Flax network is told whether it trains: by an argument, by a field, or by which collections it may change."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import jax
from flax import linen as nn
from flax import nnx
from flax.errors import ModifyScopeVariableError

TRAINING_WORDS = (
    "train",
    "training",
    "is_training",
    "is_train",
    "train_mode",
    "update_batch_norm",
    "update_batch_stats",
    "update_stats",
)
EVALUATION_WORDS = (
    "deterministic",
    "use_running_average",
    "use_running_stats",
    "inference",
    "eval",
    "is_eval",
    "eval_mode",
)
NOT = "not "
"""What stands before the name of a flag of the user's that is true in evaluation."""
COLLECTION = re.compile(r'because collection "(.*)" is immutable')


def mode_words(training: bool, flag: str = "") -> dict[str, bool]:
    """The names of arguments and fields that say the mode, each with its value in that mode.

    Args:
        training: The mode.
        flag: A name of the user's own, with "not " before it if it is true in evaluation; "" if there is none.
    """
    words = {**dict.fromkeys(TRAINING_WORDS, training), **dict.fromkeys(EVALUATION_WORDS, not training)}
    if flag:
        words[flag.removeprefix(NOT)] = training != flag.startswith(NOT)
    return words


def in_mode(
    call: Callable[..., Any], args: Any, kwargs: Any, words: Mapping[str, bool]
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments of a module's call, told its mode by each keyword that it has for this."""
    known = list(inspect.signature(call).parameters)[1:]  # without self
    placed = known[: len(args)]
    positional = [words.get(word, arg) for word, arg in zip(placed, args, strict=False)]
    named = {word: value for word, value in words.items() if word in known and word not in placed}
    return [*positional, *args[len(placed) :]], {**kwargs, **named}


def linen_in_mode(module: nn.Module, words: Mapping[str, bool]) -> nn.Module:
    """The module with the fields that tell it its mode, if it has any."""
    fields: dict[str, Any] = {word: value for word, value in words.items() if _is_flag(module, word)}
    return module.clone(**fields) if fields else module


def nnx_in_mode(model: nnx.Module, training: bool, words: Mapping[str, bool]) -> None:
    """Set the mode of a copy of the user's network: NNX's own flags, and those of its modules' attributes."""
    if training:
        model.train()
    else:
        model.eval()
    for _, module in nnx.iter_modules(model):
        for word, value in words.items():
            if _is_flag(module, word):
                setattr(module, word, value)


def _is_flag(module: Any, word: str) -> bool:
    return isinstance(getattr(module, word, None), bool)


def changed_collections(call: Callable[[list[str]], Any]) -> list[str]:
    """The collections that a Linen network changes in evaluation, as a cache is; those that it does not change are
    immutable then, which a module may ask for.

    Args:
        call: Runs the network with these collections mutable; it may be traced.
    """
    mutable: list[str] = []
    while True:
        try:
            jax.eval_shape(lambda: (call(mutable), None)[1])  # what a network returns may be no array
        except ModifyScopeVariableError as error:
            asked = COLLECTION.search(str(error))
            if asked is None or asked[1] in mutable:
                raise
            mutable.append(asked[1])
        else:
            return mutable


def flags_of(call: Callable[..., Any]) -> list[str]:
    """The arguments of a module's call that are truth values, by default or by annotation, and that no word of ours
    names: one of them may be how the network is told its mode."""
    known = {*TRAINING_WORDS, *EVALUATION_WORDS}
    parameters = list(inspect.signature(call).parameters.values())[1:]
    return [
        p.name
        for p in parameters
        if p.name not in known and (isinstance(p.default, bool) or p.annotation in (bool, "bool"))
    ]
