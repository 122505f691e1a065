"""GPT-2 and BERT of transformers in both frameworks, written by Hugging Face.

Public on both sides: `FlaxGPT2LMHeadModel` and `GPT2LMHeadModel`, `FlaxBertModel` and `BertModel` with small settings.
Transformers 4.57 is the last line with Flax's classes; the project does not depend on it, and the makers raise
ImportError where it is not installed. Habits: Conv1D with weights (in, out) in PyTorch and (out, in) in Flax, a tied
head, positions and masks that Flax's module wants as arguments.
"""

from importlib import import_module
from typing import Any

import numpy as np

from parity.torchvision_ import load_torchvision

SYMBOLS, LENGTH = 61, 10


def _ids() -> tuple[np.ndarray, np.ndarray]:
    ids = np.random.default_rng(10).integers(0, SYMBOLS, (2, LENGTH))
    return ids, np.broadcast_to(np.arange(LENGTH), ids.shape)


def gpt2() -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair; its gelu is the tanh form on both sides."""
    load_torchvision()  # transformers imports it
    hub = import_module("transformers")

    config = hub.GPT2Config(
        vocab_size=SYMBOLS, n_positions=16, n_embd=32, n_layer=2, n_head=4, attn_pdrop=0.0, embd_pdrop=0.0,
        resid_pdrop=0.0, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    ids, positions = _ids()
    port = hub.FlaxGPT2LMHeadModel(config)
    options = {
        "to_flax": lambda ids: {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "position_ids": positions,
            "return_dict": False,
        },
        "to_torch": lambda ids: {"input_ids": ids, "use_cache": False, "return_dict": False},
    }
    return (port.module, {"params": port.params}), hub.GPT2LMHeadModel(config), ids, options


def bert() -> tuple[Any, Any, Any, dict[str, Any]]:
    """The pair, with padding in the second sequence."""
    load_torchvision()  # transformers imports it
    hub = import_module("transformers")

    config = hub.BertConfig(
        vocab_size=SYMBOLS, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=16, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    ids, positions = _ids()
    port = hub.FlaxBertModel(config)
    inputs = {"input_ids": ids, "attention_mask": (np.arange(LENGTH) < np.array([[LENGTH], [7]])).astype(np.int64)}
    options = {
        "to_flax": lambda **given: {
            **given,
            "token_type_ids": np.zeros_like(ids),
            "position_ids": positions,
            "head_mask": None,
            "return_dict": False,
        },
        "to_torch": lambda **given: {**given, "return_dict": False},
    }
    return (port.module, {"params": port.params}), hub.BertModel(config), inputs, options
