"""Flax NNX networks as pure functions of their arrays."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from numpy.typing import NDArray

import jaxnets
from jaxnets import losses, optimizers
from parity.backends.flax.tracing.programs import run_once
from parity.backends.flax.training.devices import local_device
from parity.backends.flax.training.graph import Graph, State, buffers_of, concrete, kinds_of
from parity.data import as_arguments
from parity.interface.network import Config, Network, in_setting
from parity.interface.trace import Arrays, Precision
from parity.recipes import Optimizer
from parity.weights import from_canonical, shapes_of, to_canonical


class FlaxNetwork(Network):
    """A Flax NNX network: its arrays, its loss and its optimizer, as functions that JAX can compile.

    Raises:
        UsageError: the device is not available, or a variable is neither a parameter nor a batch statistic.
    """

    framework = "flax"

    def __init__(self, model: nnx.Module, *, precision: Precision = "float64", device: str = "cpu") -> None:
        super().__init__(nnx.clone(model), precision=precision, device=device)
        self._device = local_device(device)
        self.graph = Graph(self.model)
        with self.setting():
            self._state: State = {name: concrete(value, self.dtype) for name, value in self.graph.values.items()}
        self._programs: dict[Any, Any] = {}

    @property
    def dtype(self) -> Any:
        """The JAX dtype of the network's precision."""
        return jnp.dtype(self.precision)

    @contextmanager
    def setting(self) -> Iterator[None]:
        """Float64 where the network has it, strict float32 otherwise, on the network's device."""
        with (
            jax.enable_x64(self.precision == "float64"),
            jax.default_matmul_precision("highest"),
            jax.default_device(self._device),
        ):
            yield

    # Construction and weights

    @classmethod
    def build(cls, network: str, config: Config, *, seed: int | None = None, init: str = "default") -> nnx.Module:
        """Construct `jaxnets.<network>`; without a seed its variables are shapes only, which saves drawing them."""

        def construct(seed: int) -> nnx.Module:
            return getattr(jaxnets, network)(**config, init=init, rngs=nnx.Rngs(jax.random.key(seed)))

        return nnx.eval_shape(lambda: construct(0)) if seed is None else construct(seed)

    @classmethod
    def draw(cls, network: str, config: Config, *, seeds: Sequence[int], init: str) -> Arrays:
        """Initial weights of every seed, (len(seeds), *shape), drawn in one compiled call."""
        kinds = kinds_of(cls.build(network, config, init=init))

        def draw_one(seed: jax.Array) -> State:
            state = nnx.state(cls.build(network, config, seed=seed, init=init))  # type: ignore[arg-type] # a tracer
            return {".".join(map(str, path)): variable[...] for path, variable in nnx.to_flat_state(state)}

        with jax.default_device(local_device("cpu")):
            native = jax.jit(jax.vmap(draw_one), compiler_options=run_once())(jnp.asarray(np.asarray(seeds, np.uint32)))
        draws = [
            to_canonical({k: np.asarray(v[i]) for k, v in native.items()}, kinds, "flax") for i in range(len(seeds))
        ]
        return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter and buffer by canonical name."""
        return shapes_of({name: array.shape for name, array in self._state.items()}, self.graph.kinds, "flax")

    @property
    def variables(self) -> State:
        """All parameters and buffers by native name, in Flax's layouts."""
        return dict(self._state)

    def weights(self) -> Arrays:
        """All parameters and buffers; JAX arrays are immutable, so these views are read-only."""
        return self.canonical(self._state)

    @in_setting
    def _load(self, weights: Mapping[str, NDArray]) -> None:
        native = self.import_weights(weights)
        self._state = {name: jnp.array(native[name], self.dtype, copy=True) for name in self._state}

    def import_weights(self, weights: Mapping[str, NDArray]) -> Arrays:
        """Canonical weights in Flax's names and layouts."""
        return from_canonical(weights, self.graph.kinds, "flax")

    def canonical(self, state: Mapping[str, Any]) -> Arrays:
        """Flax's arrays under canonical names, in canonical layouts."""
        return to_canonical({name: np.asarray(a) for name, a in state.items()}, self.graph.kinds, "flax")

    def inputs(self, x: Any) -> Any:
        """A copy of the array, or of each of a tuple, at the network's precision; whole numbers stay whole."""

        def copied(x: NDArray) -> jax.Array:
            return jnp.array(x, self.dtype if np.issubdtype(x.dtype, np.floating) else None, copy=True)

        return jax.tree.map(copied, x)

    # Pure functions

    def program(self, key: Any, function: Callable[..., Any], **options: Any) -> Any:
        """The function compiled, once for each key; `jax.jit` takes the options."""
        if key not in self._programs:
            self._programs[key] = jax.jit(function, **options)
        return self._programs[key]

    def apply(self, state: State, x: Any, training: bool) -> tuple[jax.Array, State]:
        """Logits (B, classes) of x (B, …), an array or one for each argument, and the buffers after the pass."""
        model = self.graph.merged(state, training)
        return model(*as_arguments(x)), buffers_of(model)

    def loss(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The loss that is trained on: a scalar, the network's own or the mean cross-entropy of labels (B, …)."""
        return getattr(self.model, "loss", losses.cross_entropy)(logits, labels)

    def loss_and_gradients(
        self, learnable: State, buffers: State, x: Any, labels: jax.Array
    ) -> tuple[jax.Array, jax.Array, State, State]:
        """Run a training pass over parameters, buffers, x (B, …) and labels (B,).

        Returns:
            the loss, the logits (B, classes), the gradients as the optimizer gets them, and the buffers afterwards.
        """

        def objective(learnable: State) -> tuple[jax.Array, tuple[jax.Array, State]]:
            logits, after = self.apply({**learnable, **buffers}, x, training=True)
            return self.loss(logits, labels), (logits, after)

        (loss, (logits, after)), gradients = jax.value_and_grad(objective, has_aux=True)(learnable)
        return loss, logits, self.training_gradients(gradients), after

    def training_gradients(self, gradients: State) -> State:
        """The gradients as the optimizer gets them."""
        return gradients

    def optimizer(self, spec: Optimizer, learning_rate: Any) -> optax.GradientTransformation:
        """The recipe's optimizer, clipping included; the learning rate may be a tracer."""
        return optax.chain(*self.clipping(spec), self.rule(spec, learning_rate))

    def clipping(self, spec: Optimizer) -> list[optax.GradientTransformation]:
        """What comes before the optimizer's rule: clipping to the recipe's global norm, or nothing."""
        return [] if spec.clip_norm is None else [optimizers.clip_by_global_norm(spec.clip_norm)]

    def rule(self, spec: Optimizer, learning_rate: Any) -> optax.GradientTransformation:
        """The optimizer's rule without clipping; the learning rate may be a tracer."""
        if spec.kind == "adam":
            return optimizers.adam(learning_rate, betas=spec.betas, eps=spec.eps, weight_decay=spec.weight_decay)
        if spec.kind == "rmsprop":
            return optimizers.rmsprop(learning_rate, alpha=spec.alpha, eps=spec.eps)
        return optimizers.sgd(learning_rate, momentum=spec.momentum)

    def rates(self, learning_rates: Sequence[float]) -> NDArray:
        """Learning rates as the step takes them, (steps,), at the network's precision."""
        return np.asarray(learning_rates, self.dtype)
