"""The networks in Flax NNX. Each is useful alone and has a twin of the same name in `torchnets`."""

from jaxnets.mlp import MLP
from jaxnets.rnn import RNN
from jaxnets.vgg import VGG

__all__ = ["MLP", "RNN", "VGG"]
