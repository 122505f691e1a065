"""The networks in PyTorch. Each is useful alone and has a twin of the same name in `jaxnets`."""

from torchnets.gru import GRU
from torchnets.mlp import MLP
from torchnets.rnn import RNN
from torchnets.vgg import VGG
from torchnets.zoo.vit import ViT

__all__ = ["GRU", "MLP", "RNN", "VGG", "ViT"]
