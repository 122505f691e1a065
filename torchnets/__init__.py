"""The networks in PyTorch. Each is useful alone and has a twin of the same name in `jaxnets`."""

from torchnets.mlp import MLP
from torchnets.rnn import RNN
from torchnets.vgg import VGG

__all__ = ["MLP", "RNN", "VGG"]
