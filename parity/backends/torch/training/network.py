"""PyTorch networks whose weights come in and go out as NumPy arrays."""

import copy
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import torchnets
from parity.backends.torch.training.arrays import array_of, copy_of, laid_out_as
from parity.backends.torch.training.precision import strict_float32
from parity.errors import UsageError
from parity.interface.network import Config, Network
from parity.interface.trace import Arrays, Precision
from parity.recipes import Optimizer
from parity.weights import WITHOUT_TWIN, Kind, from_canonical, shapes_of, to_canonical
from torchnets import losses, optimizers

KINDS: dict[type, Kind] = {
    nn.Linear: "dense",
    nn.Conv2d: "conv",
    nn.ConvTranspose2d: "conv",
    nn.BatchNorm2d: "norm",
    nn.SyncBatchNorm: "norm",
    nn.GroupNorm: "norm",
    nn.LayerNorm: "norm",
    nn.RMSNorm: "norm",
    nn.Embedding: "embedding",
    torchnets.ViT: "table",
    torchnets.BERT: "bias",
    nn.LSTM: "lstm",
    torchnets.layers.RoutedFeedForward: "experts",
}
Tensors = dict[str, torch.Tensor]  # native dotted name → tensor


class TorchNetwork(Network):
    """A PyTorch network with its loss and its optimizer.

    Raises:
        UsageError: the device is not available.
    """

    framework = "torch"

    def __init__(self, model: nn.Module, *, precision: Precision = "float64", device: str = "cpu") -> None:
        super().__init__(model, precision=precision, device=device)
        self.torch_device = _device(device)
        self.dtype = {"float32": torch.float32, "float64": torch.float64}[precision]
        self.model = copy.deepcopy(model).to(self.torch_device, self.dtype)

    def setting(self) -> AbstractContextManager[None]:
        """No TF32 or bfloat16 in matrix products and convolutions."""
        return strict_float32()

    # Construction and weights

    @classmethod
    def build(cls, network: str, config: Config, *, seed: int | None = None, init: str = "default") -> nn.Module:
        """Construct `torchnets.<network>`; without a seed its weights are those of seed 0."""
        return getattr(torchnets, network)(**config, init=init, generator=torch.Generator().manual_seed(seed or 0))

    @classmethod
    def draw(cls, network: str, config: Config, *, seeds: Sequence[int], init: str) -> Arrays:
        """Initial weights of every seed, (len(seeds), *shape)."""
        draws = [_canonical_of(cls.build(network, config, seed=seed, init=init)) for seed in seeds]
        return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter and buffer by canonical name."""
        return shapes_of(
            {name: tuple(t.shape) for name, t in _native(self.model).items()}, kinds_of(self.model), "torch"
        )

    def weights(self) -> Arrays:
        """Copies of all parameters and buffers."""
        return _canonical_of(self.model)

    def _load(self, weights: Mapping[str, NDArray]) -> None:
        new = {name: self.tensor(array) for name, array in self.import_weights(weights).items()}
        state = self.model.state_dict()
        counters = {n: torch.zeros_like(t) for n, t in state.items() if n.rpartition(".")[2] in WITHOUT_TWIN}
        self.model.load_state_dict({**new, **counters})

    def import_weights(self, weights: Mapping[str, NDArray]) -> Arrays:
        """Canonical weights in PyTorch's names and layouts."""
        return from_canonical(weights, kinds_of(self.model), "torch")

    def canonical(self, native: Mapping[str, torch.Tensor]) -> Arrays:
        """PyTorch's tensors under canonical names, in canonical layouts."""
        return to_canonical({name: array_of(t) for name, t in native.items()}, kinds_of(self.model), "torch")

    def tensor(self, array: NDArray) -> torch.Tensor:
        """A copy of the array on the network's device, at its precision if it is floating; whole numbers stay whole."""
        dtype = self.dtype if np.issubdtype(array.dtype, np.floating) else None
        return torch.tensor(array, dtype=dtype, device=self.torch_device)

    # Training

    def start(self) -> Self:
        """A network of its own for a training run, in training mode, with copies of the weights."""
        run = copy.copy(self)
        run.model = copy.deepcopy(self.model).train()
        return run

    def loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss that is trained on: a scalar, the network's own or the mean cross-entropy of labels (B, …)."""
        return getattr(self.model, "loss", losses.cross_entropy)(logits, labels)

    def training_gradients(self, loss: torch.Tensor, parameters: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """The loss's gradients of the parameters, in their order, as the optimizer gets them."""
        return list(torch.autograd.grad(loss, parameters))

    def optimizer(self, parameters: Sequence[torch.Tensor], spec: Optimizer) -> torch.optim.Optimizer:
        """The recipe's optimizer over the parameters, without its clipping."""
        if spec.kind == "adam":
            return optimizers.adam(
                parameters, spec.learning_rate, betas=spec.betas, eps=spec.eps, weight_decay=spec.weight_decay
            )
        if spec.kind == "rmsprop":
            return optimizers.rmsprop(parameters, spec.learning_rate, alpha=spec.alpha, eps=spec.eps)
        return optimizers.sgd(parameters, spec.learning_rate, momentum=spec.momentum)

    def apply(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: Sequence[torch.Tensor],
        gradients: Sequence[torch.Tensor],
        spec: Optimizer,
        learning_rate: float,
    ) -> None:
        """Take one optimizer step, clipping included.

        Args:
            optimizer: PyTorch's optimizer over the parameters, which the step changes.
            parameters, gradients: what is trained, and its gradients in the same order.
            spec: the recipe's optimizer, whose clipping it is.
            learning_rate: the step's learning rate.
        """
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        clipped = gradients if spec.clip_norm is None else optimizers.clip_by_global_norm(gradients, spec.clip_norm)
        for parameter, gradient in zip(parameters, clipped, strict=True):
            parameter.grad = laid_out_as(parameter, gradient)
        optimizer.step()


def _device(name: str) -> torch.device:
    if name == "gpu" and not torch.cuda.is_available():
        raise UsageError("PyTorch has no gpu device here; use --device cpu or install PyTorch for CUDA")
    return torch.device("cuda" if name == "gpu" else name)


def kinds_of(model: nn.Module) -> dict[str, Kind]:
    """Module path → kind of layer, for all layers that hold arrays and that the weight map knows."""
    return {
        path: kind for path, module in model.named_modules() for cls, kind in KINDS.items() if isinstance(module, cls)
    }


def _canonical_of(model: nn.Module) -> Arrays:
    return to_canonical({name: copy_of(t) for name, t in _native(model).items()}, kinds_of(model), "torch")


def _native(model: nn.Module) -> Tensors:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}
