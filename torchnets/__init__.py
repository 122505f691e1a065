"""The networks in PyTorch. Each is useful alone and has a twin of the same name in `jaxnets`."""

from torchnets.gru import GRU
from torchnets.mlp import MLP
from torchnets.rnn import RNN
from torchnets.vgg import VGG
from torchnets.zoo.actorcritic import ActorCritic
from torchnets.zoo.bert import BERT
from torchnets.zoo.dit import DiT
from torchnets.zoo.gpt2 import GPT2
from torchnets.zoo.graphnet import GraphNet
from torchnets.zoo.llama import Llama
from torchnets.zoo.lstm import LSTM
from torchnets.zoo.moe import MoE
from torchnets.zoo.resnet import ResNet
from torchnets.zoo.unet import UNet
from torchnets.zoo.vae import VAE
from torchnets.zoo.vit import ViT

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
