"""PyTorch's optimizers, written as Keras optimizers.

Keras's own are other functions: its Adam adds epsilon to √v before the bias correction (PyTorch: after it), its RMSprop
adds epsilon inside the square root (PyTorch: outside), its weight decay is decoupled (PyTorch: L2, in the gradient),
its clipping by global norm lacks PyTorch's 1e-6.

With Keras's own, the gate says "different" after three steps, the largest gap relative to the norm of the array: 5e-2
with RMSprop (RNN of T = 5), 4e-2 with Adam and its decoupled decay, 9e-3 with Adam's epsilon alone (an MLP of
3072-16-10), 3e-5 with Adam (a VGG of 8 and 16 channels). Its SGD and, while no gradient is clipped, its clipping are
the same.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from parity.recipes import Optimizer


class Prepared:
    """A mixin that treats the gradients before an update as PyTorch does: clip their global norm, then add L2 decay.

    Attributes:
        clip_norm: largest global norm; None does not clip.
        l2: factor of the parameter that is added to its gradient, after clipping.
    """

    clip_norm: float | None = None
    l2: float = 0.0

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Apply Keras's update to the prepared gradients, one for every variable."""
        grads = list(grads)
        if self.clip_norm is not None:
            norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in grads))
            scale = ops.minimum(1.0, self.clip_norm / (norm + 1e-6))
            grads = [g * scale for g in grads]
        if self.l2:
            variables: Any = self._trainable_variables  # type: ignore[attr-defined] # Keras's
            grads = [g + self.l2 * v for g, v in zip(grads, variables, strict=True)]
        super().apply(grads, trainable_variables)  # type: ignore[misc] # Keras's


class SGD(Prepared, keras.optimizers.SGD):
    """Keras's SGD: its momentum holds the learning rate too, the same function while the rate is constant."""


class Adam(Prepared, type(keras.optimizers.Adam())):  # type: ignore[misc] # Keras's for the backend: grouped on PyTorch
    """Adam with epsilon outside the bias correction: Keras's, with ε·√(1 − β₂ᵗ) for ε."""

    epsilon: Any

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Apply Keras's update with the epsilon of this step."""
        epsilon = self.epsilon
        step = ops.cast(self.iterations + 1, keras.config.floatx())
        self.epsilon = epsilon * ops.sqrt(1.0 - ops.power(self.beta_2, step))
        try:
            super().apply(grads, trainable_variables)
        finally:
            self.epsilon = epsilon


class RMSprop(Prepared, keras.optimizers.Optimizer):
    """RMSprop with epsilon outside the square root."""

    def __init__(self, learning_rate: float, *, rho: float, epsilon: float) -> None:
        super().__init__(learning_rate=learning_rate, name="rmsprop")
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: Sequence[Any]) -> None:
        """Make the mean squares, all zero."""
        if not self.built:
            super().build(variables)
            self._mean_squares = self.add_optimizer_variables(variables, "mean_square")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable and its mean square."""
        mean_square = self._mean_squares[self._get_variable_index(variable)]
        self.assign(mean_square, self.rho * mean_square + (1 - self.rho) * ops.square(gradient))
        step = ops.cast(learning_rate, variable.dtype) * gradient / (ops.sqrt(mean_square) + self.epsilon)
        self.assign_sub(variable, step)


def optimizer_of(spec: Optimizer) -> keras.optimizers.Optimizer:
    """The recipe's optimizer, as a Keras optimizer that computes PyTorch's function."""
    optimizer: Any
    if spec.kind == "adam":
        beta_1, beta_2 = spec.betas
        optimizer = Adam(learning_rate=spec.learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=spec.eps)
        optimizer.l2 = spec.weight_decay
    elif spec.kind == "rmsprop":
        optimizer = RMSprop(learning_rate=spec.learning_rate, rho=spec.alpha, epsilon=spec.eps)
    else:
        optimizer = SGD(learning_rate=spec.learning_rate, momentum=spec.momentum)
    optimizer.clip_norm = spec.clip_norm
    return optimizer
