"""The networks in Flax NNX. Each is useful alone and has a twin of the same name in `torchnets`."""

from jaxnets.gru import GRU
from jaxnets.mlp import MLP
from jaxnets.rnn import RNN
from jaxnets.vgg import VGG
from jaxnets.zoo.vit import ViT

__all__ = ["GRU", "MLP", "RNN", "VGG", "ViT"]
