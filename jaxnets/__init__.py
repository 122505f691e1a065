"""The networks in Flax NNX. Each is useful alone and has a twin of the same name in `torchnets`."""

from jaxnets.gru import GRU
from jaxnets.mlp import MLP
from jaxnets.rnn import RNN
from jaxnets.vgg import VGG
from jaxnets.zoo.actorcritic import ActorCritic
from jaxnets.zoo.bert import BERT
from jaxnets.zoo.dit import DiT
from jaxnets.zoo.gpt2 import GPT2
from jaxnets.zoo.graphnet import GraphNet
from jaxnets.zoo.llama import Llama
from jaxnets.zoo.lstm import LSTM
from jaxnets.zoo.moe import MoE
from jaxnets.zoo.resnet import ResNet
from jaxnets.zoo.unet import UNet
from jaxnets.zoo.vae import VAE
from jaxnets.zoo.vit import ViT

__all__ = [
    "BERT",
    "GPT2",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "VAE",
    "VGG",
    "ActorCritic",
    "DiT",
    "GraphNet",
    "Llama",
    "MoE",
    "ResNet",
    "UNet",
    "ViT",
]
