"""The networks by hand in NumPy, float64: the third opinion on two frameworks that disagree.

No autograd: `forward` keeps a cache, `backward` reads it. Weights are one flat dict of canonical names
(`<layer path>.kernel`, `.bias`, `.scale`, `.running_mean`, `.running_var`) in Flax's layouts: dense kernels
(in, out), conv kernels (h, w, in, out), images NHWC.
"""

from collections.abc import Callable

from parity.reference.gru import GRU
from parity.reference.layers import labelled_cross_entropy, mean_squared_error, softmax_cross_entropy
from parity.reference.mlp import MLP
from parity.reference.network import Network
from parity.reference.optimizers import SGD, Adam, Optimizer, RMSprop, State, clip_by_global_norm, global_norm
from parity.reference.record import Gradients, Run
from parity.reference.rnn import RNN
from parity.reference.vgg import VGG
from parity.reference.zoo.actorcritic import ActorCritic
from parity.reference.zoo.bert import BERT
from parity.reference.zoo.diffusion.dit import DiT
from parity.reference.zoo.diffusion.unet import UNet
from parity.reference.zoo.gpt2 import GPT2
from parity.reference.zoo.graphnet import GraphNet
from parity.reference.zoo.llama import Llama
from parity.reference.zoo.lstm import LSTM
from parity.reference.zoo.moe import MoE
from parity.reference.zoo.resnet import ResNet
from parity.reference.zoo.vae import VAE
from parity.reference.zoo.vit import ViT

NETWORKS: dict[str, Callable[..., Network]] = {
    cls.__name__: cls
    for cls in (
        MLP,
        VGG,
        RNN,
        GRU,
        ActorCritic,
        ViT,
        GPT2,
        GraphNet,
        Llama,
        ResNet,
        LSTM,
        BERT,
        VAE,
        MoE,
        UNet,
        DiT,
    )
}

__all__ = [
    "BERT",
    "GPT2",
    "GRU",
    "LSTM",
    "MLP",
    "NETWORKS",
    "RNN",
    "SGD",
    "VAE",
    "VGG",
    "ActorCritic",
    "Adam",
    "DiT",
    "Gradients",
    "GraphNet",
    "Llama",
    "MoE",
    "Network",
    "Optimizer",
    "RMSprop",
    "ResNet",
    "Run",
    "State",
    "UNet",
    "ViT",
    "clip_by_global_norm",
    "global_norm",
    "labelled_cross_entropy",
    "mean_squared_error",
    "softmax_cross_entropy",
]
