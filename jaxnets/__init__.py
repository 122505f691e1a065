"""The networks in Flax NNX. Each is useful alone and has a twin of the same name in `torchnets`."""

from jaxnets.gru import GRU
from jaxnets.mlp import MLP
from jaxnets.rnn import RNN
from jaxnets.vgg import VGG
from jaxnets.zoo.dit import DiT
from jaxnets.zoo.gpt2 import GPT2
from jaxnets.zoo.llama import Llama
from jaxnets.zoo.moe import MoE
from jaxnets.zoo.resnet import ResNet
from jaxnets.zoo.unet import UNet
from jaxnets.zoo.vit import ViT

__all__ = ["GPT2", "GRU", "MLP", "RNN", "VGG", "DiT", "Llama", "MoE", "ResNet", "UNet", "ViT"]
