"""Layers and initialisers of the twins, with every default spelled."""

from torchnets.layers.attention import Attention, Cache, attend, causal_mask
from torchnets.layers.convolution import Conv3x3, conv, conv3x3, conv_transpose
from torchnets.layers.decoder import Decoder, DecoderBlock, GatedFeedForward, GroupedAttention, rotate
from torchnets.layers.dense import dense, orthogonal_dense, recurrent
from torchnets.layers.diffusion import MapAttention, TimedBlock, Upsample
from torchnets.layers.encoder import EncoderBlock
from torchnets.layers.experts import RoutedFeedForward, grouped, load_balance
from torchnets.layers.initial import Generator, embedding, ending, initialize, stack, table
from torchnets.layers.lstm import PackedLSTM
from torchnets.layers.norm import group_norm, layer_norm, rms_norm
from torchnets.layers.timestep import grid_positions, timestep_embedding
from torchnets.layers.transformer import Block, FeedForward

__all__ = [
    "Attention",
    "Block",
    "Cache",
    "Conv3x3",
    "Decoder",
    "DecoderBlock",
    "EncoderBlock",
    "FeedForward",
    "GatedFeedForward",
    "Generator",
    "GroupedAttention",
    "MapAttention",
    "PackedLSTM",
    "RoutedFeedForward",
    "TimedBlock",
    "Upsample",
    "attend",
    "causal_mask",
    "conv",
    "conv3x3",
    "conv_transpose",
    "dense",
    "embedding",
    "ending",
    "grid_positions",
    "group_norm",
    "grouped",
    "initialize",
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
