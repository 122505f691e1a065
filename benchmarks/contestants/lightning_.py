"""PyTorch under Lightning's `Trainer`. Source: https://lightning.ai/docs/pytorch/stable/starter/introduction.html."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import ClassVar

import torch
from torch import nn
from torch.utils.data import DataLoader, Sampler

from benchmarks.contestants.torch_default import TorchDefault
from parity.data import Batch
from parity.interface.trace import Arrays
from parity.torchvision_ import load_torchvision

if find_spec("torchvision"):  # Lightning imports it too, which would fail beside some builds of torch
    load_torchvision()
import lightning

logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # it introduces itself at every fit
warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning)  # its own call

PRECISIONS = {"float32": "32-true", "tf32": "32-true", "bfloat16": "bf16-mixed", "float64": "64-true"}


class Module(lightning.LightningModule):
    """A network, its loss, and one optimizer, which keeps its moments from one `fit` to the next."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        super().__init__()
        self.model = model
        self.optimizer = optimizer
        self.loss_fn = nn.CrossEntropyLoss()

    def training_step(self, batch: Sequence[torch.Tensor], batch_idx: int) -> torch.Tensor:
        """The loss of a batch, of which Lightning keeps the mean over the epoch."""
        del batch_idx
        x, labels = batch
        loss = self.loss_fn(self.model(x), labels)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The one optimizer, which Lightning takes at the start of every `fit`."""
        return self.optimizer


class RoundAndRound(Sampler[int]):
    """Indices of `count` examples in order, from number `first` on and round again after the last one."""

    def __init__(self, examples: int, first: int, count: int) -> None:
        self.examples, self.first, self.count = examples, first, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        return (i % self.examples for i in range(self.first, self.first + self.count))


class LightningContestant(TorchDefault):
    """`Trainer.fit` over one epoch as long as the steps, with the examples, optimizer and inference of `torch-default`.

    A `fit` takes 8 ms beside its steps (CPU time of one core, RNN of T = 5, a step 3.7 ms): less than 1 % of a block.
    """

    block_seconds: ClassVar[float] = 1.0

    def begin(self, weights: Arrays, batches: Sequence[Batch]) -> None:
        """Begin like `torch-default`, and put the network into a LightningModule."""
        super().begin(weights, batches)
        self._module = Module(self.model, self.optimizer)
        self._taken = 0

    def train(self, steps: int) -> float:
        """Train by one `fit`."""
        trainer = lightning.Trainer(
            accelerator=self.device,
            devices=1,
            max_steps=steps,
            precision=PRECISIONS[self.precision],  # type: ignore[arg-type] # a literal
            gradient_clip_val=self.recipe.optimizer.clip_norm,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        self._module.train()  # Lightning leaves modes as it finds them
        trainer.fit(self._module, self._next(steps))
        self.model.to(self._device)  # Lightning leaves it on the CPU
        self._wait()
        return trainer.callback_metrics["train_loss"].item()

    def _next(self, steps: int) -> DataLoader:
        """A loader of the examples of the next steps."""
        dataset, batch_size = self._loader.dataset, self.recipe.batch_size
        first = self._taken * batch_size
        self._taken += steps
        sampler = RoundAndRound(len(dataset), first, steps * batch_size)  # type: ignore[arg-type] # a TensorDataset
        return DataLoader(dataset, batch_size=batch_size, sampler=sampler)
