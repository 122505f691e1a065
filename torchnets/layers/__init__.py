"""Layers and initialisers of the twins, with every default spelled."""

from torchnets.layers.attention import Attention, Cache, attend, causal_mask
from torchnets.layers.convolution import Conv3x3, conv, conv3x3, conv_transpose
from torchnets.layers.decoder import DecoderBlock, GatedFeedForward, GroupedAttention, rotate
from torchnets.layers.dense import dense, recurrent
from torchnets.layers.encoder import EncoderBlock
from torchnets.layers.initial import Generator, embedding, initialize, table
from torchnets.layers.lstm import PackedLSTM
from torchnets.layers.norm import layer_norm, rms_norm
from torchnets.layers.transformer import Block, FeedForward

__all__ = [
    "Attention",
    "Block",
    "Cache",
    "Conv3x3",
    "DecoderBlock",
    "EncoderBlock",
    "FeedForward",
    "GatedFeedForward",
    "Generator",
    "GroupedAttention",
    "PackedLSTM",
    "attend",
    "causal_mask",
    "conv",
    "conv3x3",
    "conv_transpose",
    "dense",
    "embedding",
    "initialize",
    "layer_norm",
    "recurrent",
    "rms_norm",
    "rotate",
    "table",
]
