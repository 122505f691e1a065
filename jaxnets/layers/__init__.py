"""Layers and initialisers of the twins, with every default spelled."""

from jaxnets.layers.attention import Attention, attend, causal_mask
from jaxnets.layers.convolution import conv, conv3x3, convolve
from jaxnets.layers.dense import dense, recurrent
from jaxnets.layers.initial import table
from jaxnets.layers.norm import BatchNorm, layer_norm
from jaxnets.layers.plain import Flatten, MaxPool, Tanh
from jaxnets.layers.transformer import Block, FeedForward

__all__ = [
    "Attention",
    "BatchNorm",
    "Block",
    "FeedForward",
    "Flatten",
    "MaxPool",
    "Tanh",
    "attend",
    "causal_mask",
    "conv",
    "conv3x3",
    "convolve",
    "dense",
    "layer_norm",
    "recurrent",
    "table",
]
