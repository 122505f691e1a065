"""Layers and initialisers of the twins, with every default spelled."""

from torchnets.layers.attention import Attention, attend, causal_mask
from torchnets.layers.convolution import Conv3x3, conv, conv3x3
from torchnets.layers.dense import dense, recurrent
from torchnets.layers.initial import Generator, initialize, table
from torchnets.layers.norm import layer_norm
from torchnets.layers.transformer import Block, FeedForward

__all__ = [
    "Attention",
    "Block",
    "Conv3x3",
    "FeedForward",
    "Generator",
    "attend",
    "causal_mask",
    "conv",
    "conv3x3",
    "dense",
    "initialize",
    "layer_norm",
    "recurrent",
    "table",
]
