"""Layers and initialisers of the twins, with every default spelled."""

from jaxnets.layers.attention import Attention, Cache, attend, causal_mask
from jaxnets.layers.convolution import conv, conv3x3, conv_transpose, convolve
from jaxnets.layers.decoder import DecoderBlock, GatedFeedForward, GroupedAttention, rotate
from jaxnets.layers.dense import dense, recurrent
from jaxnets.layers.encoder import EncoderBlock
from jaxnets.layers.initial import embedding, table
from jaxnets.layers.lstm import PackedLSTM
from jaxnets.layers.norm import BatchNorm, layer_norm, rms_norm
from jaxnets.layers.plain import Flatten, MaxPool, Tanh
from jaxnets.layers.transformer import Block, FeedForward

__all__ = [
    "Attention",
    "BatchNorm",
    "Block",
    "Cache",
    "DecoderBlock",
    "EncoderBlock",
    "FeedForward",
    "Flatten",
    "GatedFeedForward",
    "GroupedAttention",
    "MaxPool",
    "PackedLSTM",
    "Tanh",
    "attend",
    "causal_mask",
    "conv",
    "conv3x3",
    "conv_transpose",
    "convolve",
    "dense",
    "embedding",
    "layer_norm",
    "recurrent",
    "rms_norm",
    "rotate",
    "table",
]
