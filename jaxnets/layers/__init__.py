"""Layers and initialisers of the twins, with every default spelled."""

from jaxnets.layers.attention import Attention, Cache, attend, causal_mask
from jaxnets.layers.convolution import conv, conv3x3, conv_transpose, convolve
from jaxnets.layers.decoder import Decoder, DecoderBlock, GatedFeedForward, GroupedAttention, rotate
from jaxnets.layers.dense import dense, orthogonal_dense, recurrent
from jaxnets.layers.diffusion import MapAttention, TimedBlock, Upsample
from jaxnets.layers.encoder import EncoderBlock
from jaxnets.layers.experts import RoutedFeedForward, grouped, load_balance
from jaxnets.layers.initial import embedding, ending, stack, table
from jaxnets.layers.lstm import PackedLSTM
from jaxnets.layers.norm import BatchNorm, group_norm, layer_norm, rms_norm
from jaxnets.layers.plain import Flatten, MaxPool, Tanh
from jaxnets.layers.timestep import grid_positions, timestep_embedding
from jaxnets.layers.transformer import Block, FeedForward

__all__ = [
    "Attention",
    "BatchNorm",
    "Block",
    "Cache",
    "Decoder",
    "DecoderBlock",
    "EncoderBlock",
    "FeedForward",
    "Flatten",
    "GatedFeedForward",
    "GroupedAttention",
    "MapAttention",
    "MaxPool",
    "PackedLSTM",
    "RoutedFeedForward",
    "Tanh",
    "TimedBlock",
    "Upsample",
    "attend",
    "causal_mask",
    "conv",
    "conv3x3",
    "conv_transpose",
    "convolve",
    "dense",
    "embedding",
    "ending",
    "grid_positions",
    "group_norm",
    "grouped",
    "layer_norm",
    "load_balance",
    "orthogonal_dense",
    "recurrent",
    "rms_norm",
    "rotate",
    "stack",
    "table",
    "timestep_embedding",
]
