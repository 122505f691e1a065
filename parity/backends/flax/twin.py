"""Flax NNX networks, seen through NumPy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from numpy.typing import NDArray

import jaxnets
from jaxnets import layers, losses, optimizers
from parity.backends.flax.parallel import ParallelFlaxSession, having
from parity.backends.flax.programs import RUN_ONCE
from parity.backends.flax.session import FlaxSession, moments_of
from parity.backends.flax.twin_tape import TwinTape, module_paths, taps
from parity.data import Batch
from parity.errors import UsageError
from parity.interface.trace import Arrays, Gradients, Precision, Probe, Reading, Trace, call_path
from parity.interface.twin import Config, Twin, in_setting, require_rates
from parity.recipes import Optimizer
from parity.weights import Kind, from_canonical, shapes_of, to_canonical

KINDS: dict[type, Kind] = {nnx.Linear: "dense", nnx.Conv: "conv", layers.BatchNorm: "norm"}
State = dict[str, jax.Array]  # native dotted name → array


class FlaxTwin(Twin):
    """A Flax NNX network."""

    framework = "jax"

    def __init__(self, model: nnx.Module, *, precision: Precision = "float64", device: str = "cpu") -> None:
        super().__init__(nnx.clone(model), precision=precision, device=device)
        self._device = _device(device)
        self._graphs: dict[bool, nnx.GraphDef] = {}
        for training in (True, False):
            self.model.train() if training else self.model.eval()
            self._graphs[training], state = nnx.split(self.model)
        flat = {".".join(map(str, path)): variable for path, variable in nnx.to_flat_state(state)}
        self._variables = {name: _known_type(name, variable) for name, variable in flat.items()}
        self._kinds = _kinds(self.model)
        with self.setting():
            self._state: State = {name: _concrete(v.get_value(), self.dtype) for name, v in flat.items()}
        self._programs: dict[Any, Any] = {}

    @property
    def dtype(self) -> Any:
        """The JAX dtype of the twin's precision."""
        return jnp.dtype(self.precision)

    @contextmanager
    def setting(self) -> Iterator[None]:
        """Float64 where the twin has it, strict float32 otherwise, on the twin's device."""
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
        """Initial weights of every seed, drawn in one compiled call."""
        kinds = _kinds(cls.build(network, config, init=init))

        def one(seed: jax.Array) -> State:
            state = nnx.state(cls.build(network, config, seed=seed, init=init))  # type: ignore[arg-type] # a tracer
            return {".".join(map(str, path)): variable[...] for path, variable in nnx.to_flat_state(state)}

        with jax.default_device(_device("cpu")):
            native = jax.jit(jax.vmap(one), compiler_options=RUN_ONCE)(jnp.asarray(np.asarray(seeds, np.uint32)))
        draws = [
            to_canonical({k: np.asarray(v[i]) for k, v in native.items()}, kinds, "jax") for i in range(len(seeds))
        ]
        return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter and buffer by canonical name."""
        return shapes_of({name: array.shape for name, array in self._state.items()}, self._kinds, "jax")

    @property
    def variables(self) -> State:
        """All parameters and buffers by native name."""
        return dict(self._state)

    @property
    def has_convolutions(self) -> bool:
        """Whether any layer is a convolution."""
        return "conv" in self._kinds.values()

    @property
    def dense_kernels(self) -> frozenset[str]:
        """Names of the kernels of dense layers, (in, out)."""
        return frozenset(f"{path}.kernel" for path, kind in self._kinds.items() if kind == "dense")

    def weights(self) -> Arrays:
        """All parameters and buffers; JAX arrays are immutable, so these views are read-only."""
        return self.canonical(self._state)

    @in_setting
    def _load(self, weights: Mapping[str, NDArray]) -> None:
        native = self.import_weights(weights)
        self._state = {name: jnp.array(native[name], self.dtype, copy=True) for name in self._state}

    def import_weights(self, weights: Mapping[str, NDArray]) -> Arrays:
        """Canonical weights in Flax's names and layouts."""
        return from_canonical(weights, self._kinds, "jax")

    def canonical(self, state: Mapping[str, Any]) -> Arrays:
        """Flax's arrays under canonical names, in canonical layouts."""
        return to_canonical({name: np.asarray(a) for name, a in state.items()}, self._kinds, "jax")

    # The network as pure functions of its state

    def _merge(self, state: State, training: bool) -> Any:
        flat = [(tuple(_key(k) for k in name.split(".")), self._variables[name](a)) for name, a in state.items()]
        return nnx.merge(self._graphs[training], nnx.from_flat_state(flat))

    def apply(self, state: State, x: jax.Array, training: bool) -> tuple[jax.Array, State]:
        """Logits and the buffers afterwards."""
        model = self._merge(state, training)
        return model(x), self._buffers_of(model)

    def _buffers_of(self, model: nnx.Module) -> State:
        flat = nnx.to_flat_state(nnx.state(model, nnx.BatchStat))
        return {".".join(map(str, path)): variable[...] for path, variable in flat}

    def split(self, state: State) -> tuple[State, State]:
        """Parameters, buffers."""
        learnable = {name: a for name, a in state.items() if issubclass(self._variables[name], nnx.Param)}
        return learnable, {name: a for name, a in state.items() if name not in learnable}

    def program(self, key: Any, function: Callable[..., Any], **options: Any) -> Any:
        """The function compiled, once for each key; `jax.jit` takes the options."""
        if key not in self._programs:
            self._programs[key] = jax.jit(function, **options)
        return self._programs[key]

    def _program(self, function: Callable[..., Any], **static: Any) -> Any:
        """A program of the checks, which runs a few times."""
        key = (function.__name__, *static.items())
        return self.program(key, partial(function, **static), compiler_options=RUN_ONCE)

    def inputs(self, x: NDArray) -> jax.Array:
        """A copy of the array at the twin's precision."""
        return jnp.array(x, self.dtype, copy=True)

    def loss(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
        """The loss that is trained on."""
        return losses.cross_entropy(logits, labels)

    # What the checks ask for

    @in_setting
    def forward(self, inputs: NDArray, *, training: bool) -> NDArray:
        """Logits by the jitted network."""
        logits, _ = self._program(self.apply, training=training)(self._state, self.inputs(inputs))
        return np.array(logits)

    @in_setting
    def trace(self, batch: Batch, cotangent: NDArray, *, training: bool) -> Trace:
        """One pass with every layer's output, loss and gradients captured."""
        x, labels = self.inputs(batch.inputs), jnp.array(batch.labels)
        tape = TwinTape()
        like = jax.eval_shape(partial(self._taped, tape=tape, training=training), self._state, x)
        zeros = [jnp.zeros(output.shape, self.dtype) for output in like]
        found = self._program(self._traced, training=training)(self._state, x, labels, self.inputs(cotangent), zeros)
        outputs, inputs, pulled, loss, training_gradients, buffers = jax.tree.map(np.asarray, found)
        parameters, to_input, to_outputs = pulled
        gradients = Gradients(self.canonical(parameters), to_input, tape.named(to_outputs))
        return Trace(
            outputs=tape.named(outputs),
            inputs=tape.named(inputs),
            gradients=gradients,
            loss=loss,
            training_gradients=self.canonical(training_gradients),
            buffers=self.canonical(buffers),
        )

    def _taped(self, state: State, x: jax.Array, *, tape: TwinTape, training: bool) -> list[jax.Array]:
        model = self._merge(state, training)
        with taps(model, tape):
            model(x)
        return tape.outputs

    def _traced(
        self,
        state: State,
        x: jax.Array,
        labels: jax.Array,
        cotangent: jax.Array,
        zeros: list[jax.Array],
        training: bool,
    ) -> tuple[Any, ...]:
        learnable, buffers = self.split(state)

        def forward(learnable: State, x: jax.Array, perturbations: list[jax.Array]) -> tuple[jax.Array, Any]:
            model, tape = self._merge({**learnable, **buffers}, training), TwinTape(perturbations)
            with taps(model, tape):
                logits = model(x)
            return logits, (tape.outputs, tape.inputs, self._buffers_of(model))

        logits, pullback, (outputs, inputs, after) = jax.vjp(forward, learnable, x, zeros, has_aux=True)
        loss, to_logits = jax.value_and_grad(self.loss)(logits, labels)
        gradients = self.training_gradients(pullback(to_logits)[0]) if training else {}
        return outputs, inputs, pullback(cotangent), loss, gradients, after

    def loss_and_gradients(
        self, learnable: State, buffers: State, x: jax.Array, labels: jax.Array
    ) -> tuple[jax.Array, jax.Array, State, State]:
        """Of a training pass: loss, logits, gradients as the optimizer gets them, buffers afterwards."""

        def objective(learnable: State) -> tuple[jax.Array, tuple[jax.Array, State]]:
            logits, after = self.apply({**learnable, **buffers}, x, training=True)
            return self.loss(logits, labels), (logits, after)

        (loss, (logits, after)), gradients = jax.value_and_grad(objective, has_aux=True)(learnable)
        return loss, logits, self.training_gradients(gradients), after

    def training_gradients(self, gradients: State) -> State:
        """The gradients as the optimizer gets them."""
        return gradients

    @in_setting
    def isolate(self, probes: Mapping[str, Probe], *, training: bool) -> dict[str, Reading]:
        """Each call alone, all in one compiled program."""
        fed = {call: (self.inputs(probe.input), self.inputs(probe.cotangent)) for call, probe in probes.items()}
        found = jax.tree.map(np.asarray, self._program(self._isolated, training=training)(self._state, fed))
        readings = {call: Reading(y, to_input, self.canonical(own)) for call, (y, to_input, own) in found.items()}
        return {call: readings[call] for call in probes}

    def _isolated(
        self, state: State, probes: dict[str, tuple[jax.Array, jax.Array]], training: bool
    ) -> dict[str, tuple[jax.Array, jax.Array, State]]:
        learnable, buffers = self.split(state)
        readings = {}
        for call, (x, cotangent) in probes.items():
            path = call_path(call)

            def alone(learnable: State, x: jax.Array, path: str = path) -> jax.Array:
                model = self._merge({**learnable, **buffers}, training)
                return dict(module_paths(model).values())[path](x)

            output, pullback = jax.vjp(alone, learnable, x)
            to_parameters, to_input = pullback(cotangent)
            own = {name: g for name, g in to_parameters.items() if name.rpartition(".")[0] == path}
            readings[call] = output, to_input, own
        return readings

    @in_setting
    def state(self, batches: Sequence[Batch]) -> tuple[Arrays, NDArray]:
        """Buffers after a training-mode pass over each batch, then the logits of the last in evaluation mode."""
        state = self._state
        for batch in batches:
            x = self.inputs(batch.inputs)
            _, after = self._program(self.apply, training=True)(state, x)
            state = {**state, **after}
        logits, _ = self._program(self.apply, training=False)(state, x)
        return self.canonical(self.split(state)[1]), np.array(logits)

    def optimizer(self, spec: Optimizer, learning_rate: Any) -> optax.GradientTransformation:
        """The recipe's optimizer, clipping included; the learning rate may be a tracer."""
        return optax.chain(*self.clipping(spec), self.rule(spec, learning_rate))

    def clipping(self, spec: Optimizer) -> list[optax.GradientTransformation]:
        """What comes before the optimizer's rule."""
        return [] if spec.clip_norm is None else [optimizers.clip_by_global_norm(spec.clip_norm)]

    def rule(self, spec: Optimizer, learning_rate: Any) -> optax.GradientTransformation:
        """The optimizer's rule without clipping."""
        if spec.kind == "adam":
            return optimizers.adam(learning_rate, betas=spec.betas, eps=spec.eps, weight_decay=spec.weight_decay)
        if spec.kind == "rmsprop":
            return optimizers.rmsprop(learning_rate, alpha=spec.alpha, eps=spec.eps)
        return optimizers.sgd(learning_rate, momentum=spec.momentum)

    def rates(self, learning_rates: Sequence[float]) -> NDArray:
        """Learning rates as the step takes them."""
        return np.asarray(learning_rates, self.dtype)

    @in_setting
    def update(
        self,
        optimizer: Optimizer,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        learning_rates: Sequence[float],
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone."""
        require_rates(len(gradients), learning_rates)
        step = jax.jit(
            lambda given, state, params, rate: self.optimizer(optimizer, rate).update(given, state, params),
            compiler_options=RUN_ONCE,
        )
        params = {name: self.inputs(array) for name, array in parameters.items()}
        state, seen = self.optimizer(optimizer, 0.0).init(params), []
        for given, rate in zip(gradients, self.rates(learning_rates), strict=True):
            updates, state = step({name: self.inputs(array) for name, array in given.items()}, state, params, rate)
            params = optax.apply_updates(params, updates)
            found = {"parameter": params, **moments_of(optimizer, state)}
            seen.append({f"{kind}.{name}": np.array(a) for kind, arrays in found.items() for name, a in arrays.items()})
        return seen

    def session(self, optimizer: Optimizer, *, brief: bool = False) -> FlaxSession:
        """Begin a training run; the step is one compiled program that takes its state over."""
        return (ParallelFlaxSession if self.devices.count > 1 else FlaxSession)(self, optimizer, brief=brief)

    @in_setting
    def receive(self, batch: Batch) -> Batch:
        """The batch as JAX holds it, read back."""
        inputs, labels = jax.device_put(batch.inputs, self._device), jax.device_put(batch.labels, self._device)
        return Batch(np.array(inputs), np.array(labels, np.int64))


def _known_type(name: str, variable: nnx.Variable) -> type[nnx.Variable]:
    if not isinstance(variable, nnx.Param | nnx.BatchStat):
        kind = type(variable).__name__
        raise UsageError(f"variable {name} is a {kind}; expected parameters and batch statistics: take it out")
    return type(variable)


def _concrete(value: Any, dtype: Any) -> jax.Array:
    """A copy of the value in that dtype; zeros where there is only a shape."""
    if isinstance(value, jax.ShapeDtypeStruct):
        return jnp.zeros(value.shape, dtype)
    return jnp.array(value, dtype, copy=True)


def _device(name: str) -> jax.Device:
    with having(name):
        return jax.local_devices(backend=name)[0]


def _kinds(model: nnx.Module) -> dict[str, Kind]:
    kinds = {}
    for path, module in module_paths(model).values():
        for cls, kind in KINDS.items():
            if isinstance(module, cls):
                kinds[path] = kind
    return kinds


def _key(part: str) -> str | int:
    return int(part) if part.isdigit() else part
