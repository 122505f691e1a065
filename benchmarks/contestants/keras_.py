"""Keras 3 in the way of its own guide: https://keras.io/guides/training_with_built_in_methods/.

Its backend is JAX or PyTorch, by the environment variable KERAS_BACKEND.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from benchmarks.contestants.base import Contestant
from benchmarks.contestants.keras_optimizers import optimizer_of
from benchmarks.contestants.settings import set_jax, set_torch
from benchmarks.contestants.workload import Precision, Workload
from parity.data import Batch
from parity.interface.trace import Arrays

# Keras's call of NumPy on PyTorch's tensors, which do not know the keyword
warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy keyword", DeprecationWarning)
POLICIES = {"float32": "float32", "tf32": "float32", "bfloat16": "mixed_bfloat16", "float64": "float64"}
ROLES = {
    "Dense": ("kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "BatchNormalization": ("scale", "bias", "running_mean", "running_var"),
}
"""Class of a layer → roles of its weights, in Keras's order."""
RECURRENT = ("hx.kernel", "hh.kernel", "hh.bias")


def mlp(shape: tuple[int, ...], *, sizes: Sequence[int]) -> keras.Model:
    """The MLP; its images are flattened as H·W·C."""
    dense = [layers.Dense(size, use_bias=True, name=f"layers-{i}") for i, size in enumerate(sizes[1:])]
    hidden = [part for layer in dense[:-1] for part in (layer, layers.ReLU())]
    return keras.Sequential([keras.Input(shape), layers.Flatten(), *hidden, dense[-1]])


def vgg(
    shape: tuple[int, ...], *, plan: Sequence[int | str], num_classes: int = 10, image_size: int = 32
) -> keras.Model:
    """The reduced VGG.

    PyTorch's pools pad with −∞ on both sides. Zeros are the same here, since what is pooled is a ReLU's output or its
    maximum; `padding="same"` would pad an even image at the end only.
    """
    del image_size
    parts: list[Any] = [keras.Input(shape)]
    for i, entry in enumerate(plan):
        if isinstance(entry, str):
            parts += [layers.ZeroPadding2D(1), layers.MaxPooling2D(3, strides=2, padding="valid")]
            continue
        conv = layers.Conv2D(entry, 3, strides=1, padding="same", use_bias=True, name=f"features-{i}-conv")
        norm = layers.BatchNormalization(
            axis=-1, momentum=0.9, epsilon=1e-5, center=True, scale=True, name=f"features-{i}-norm"
        )
        parts += [conv, norm, layers.ReLU()]
    return keras.Sequential([*parts, layers.Flatten(), layers.Dense(num_classes, use_bias=True, name="classifier")])


def rnn(shape: tuple[int, ...], *, input_size: int, hidden_size: int, num_classes: int) -> keras.Model:
    """The RNN; Keras's layer has one bias, like the twin."""
    del input_size
    recurrent = layers.SimpleRNN(hidden_size, activation="tanh", use_bias=True, name="hh")
    return keras.Sequential([keras.Input(shape), recurrent, layers.Dense(num_classes, use_bias=True, name="ph")])


NETWORKS: dict[str, Callable[..., keras.Model]] = {"MLP": mlp, "VGG": vgg, "RNN": rnn}
MOMENTUM = 0.9
"""Share of the old running statistics that a step keeps."""


class RoundAndRound(keras.utils.PyDataset):
    """`count` batches, beginning with number `first`; after the last batch the first comes again."""

    def __init__(self, batches: Sequence[tuple[NDArray, NDArray]], first: int, count: int) -> None:
        super().__init__()
        self.batches, self.first, self.count = batches, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[NDArray, NDArray]:
        return self.batches[(self.first + index) % len(self.batches)]


class KerasContestant(Contestant):
    """Keras's layers on NHWC images; `compile` with its defaults, and `fit` over one epoch as long as the steps.

    Keras's running variance is the biased one, PyTorch's and the twins' the unbiased one. Both are the same sum over
    steps, so that after t steps of n numbers a channel unbiased = k + n/(n − 1)·(biased − k), k = momentum^t·initial.
    `weights` undoes this convention, and nothing else.

    A `fit` takes 2 ms beside its steps on JAX and 1 ms on PyTorch, a `predict` less (CPU time of one core, RNN of
    T = 5): less than 1 % of a block.
    """

    framework = keras.backend.backend()
    block_seconds: ClassVar[float] = 0.5

    def __init__(self, workload: Workload, precision: Precision, device: str) -> None:
        super().__init__(workload, precision, device)
        self._compilations: Any = None
        if self.framework == "jax":
            from benchmarks.contestants.jax_programs import Compilations

            set_jax(precision)
            self._compilations = Compilations()
        else:
            set_torch(precision)
        keras.config.set_floatx(self.width)
        if precision == "float64":
            keep_float64()
        keras.config.set_dtype_policy(POLICIES[precision])
        ExitStack().enter_context(keras.device(f"{device}:0"))

    def begin(self, weights: Arrays, batches: Sequence[Batch]) -> None:
        """Build and compile the model; the weights go in by layer name and the order of Keras's lists."""
        recipe, width = self.recipe, keras.config.floatx()
        self._fed = [(batch.inputs.astype(width), batch.labels.astype(np.int32)) for batch in batches]
        self._model = NETWORKS[recipe.network](self._fed[0][0].shape[1:], **recipe.config)
        self._model.compile(
            optimizer=optimizer_of(recipe.optimizer),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy()],
        )
        self._taken = 0
        self._begun = weights
        self._variables = dict(named(self._model))
        for name, variable in self._variables.items():
            variable.assign(self._flattened(name, weights[name]))

    def _flattened(self, name: str, array: NDArray, *, back: bool = False) -> NDArray:
        """A canonical array in Keras's layout, or with `back` the reverse.

        Only the kernel after `Flatten` differs: canonical rows are in the order C, H, W, Keras's in the order H, W, C.
        """
        flatten = next((i for i, layer in enumerate(self._model.layers) if isinstance(layer, layers.Flatten)), None)
        if flatten is None or name != f"{path_of(self._model.layers[flatten + 1])}.kernel":
            return array
        shape = self._model.layers[flatten].input.shape[1:]
        if len(shape) != 3:
            return array
        h, w, c = shape
        if back:
            return array.reshape(h, w, c, -1).transpose(2, 0, 1, 3).reshape(array.shape)
        return array.reshape(c, h, w, -1).transpose(1, 2, 0, 3).reshape(array.shape)

    def train(self, steps: int) -> float:
        """Train by one `fit`."""
        data = RoundAndRound(self._fed, self._taken, steps)
        history = self._model.fit(data, epochs=1, shuffle=False, verbose=0).history
        self._taken += steps
        self._wait()
        return float(history["loss"][0])

    def _wait(self) -> None:
        if self.framework == "jax":
            import jax

            jax.block_until_ready([v.value for v in (*self._model.variables, *self._model.optimizer.variables)])
        elif self.device == "gpu":
            import torch

            torch.cuda.synchronize()

    def infer(self, steps: int) -> None:
        """Infer by one `predict`, which ends with all logits in NumPy."""
        self._model.predict(RoundAndRound(self._fed, 0, steps), verbose=0)

    def weights(self) -> Arrays:
        """Copies of parameters and buffers by canonical name, with running variances made unbiased."""
        arrays = {name: keras.ops.convert_to_numpy(variable) for name, variable in self._variables.items()}
        canonical = {name: np.array(self._flattened(name, array, back=True)) for name, array in arrays.items()}
        for layer in self._model.layers:
            if isinstance(layer, layers.BatchNormalization):
                name = f"{path_of(layer)}.running_var"
                n = self.recipe.batch_size * int(np.prod(layer.input.shape[1:-1]))
                initial = MOMENTUM**self._taken * self._begun[name]
                canonical[name] = initial + n / (n - 1) * (canonical[name] - initial)
        return canonical

    def logits(self, inputs: NDArray) -> NDArray:
        """Logits (B, classes) in evaluation mode."""
        labels = np.zeros(len(inputs), np.int32)
        return self._model.predict(RoundAndRound([(inputs.astype(keras.config.floatx()), labels)], 0, 1), verbose=0)

    def compiling(self) -> dict[str, float]:
        """Seconds of "trace" and "compile" so far, by JAX's monitoring events; empty on PyTorch."""
        return dict(self._compilations.seconds) if self._compilations else {}

    def programs(self) -> int:
        """The number of programs so far; 0 on PyTorch, where Keras compiles nothing by default."""
        return self._compilations.count if self._compilations else 0


def keep_float64() -> None:
    """Keep Keras from making float32 of float64, as its promotion does off TensorFlow, whatever its `floatx` is.

    Its table is private, and used for the proof only. Source: https://github.com/keras-team/keras/issues/21677.
    """
    from keras.src.backend.common import dtypes

    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def path_of(layer: Any) -> str:
    """The canonical path of a layer, such as "features.0.conv"."""
    return layer.name.replace("-", ".")


def named(model: keras.Model) -> Iterator[tuple[str, Any]]:
    """The canonical name and the Keras variable of every weight."""
    for layer in model.layers:
        names = [f"{path_of(layer)}.{role}" for role in ROLES.get(type(layer).__name__, ())]
        names = [*RECURRENT] if isinstance(layer, layers.SimpleRNN) else names
        yield from zip(names, layer.weights, strict=True)
