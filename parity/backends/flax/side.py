"""A user's Flax network, seen through NumPy."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from parity.backends.flax.attention import attention_dropout
from parity.backends.flax.inputs import FlaxInputs, Leaves, loss_of, setting, state_of
from parity.backends.flax.models import Model, State, open_model, plain
from parity.backends.flax.programs import RUN_ONCE
from parity.backends.flax.results import described, flattened, places_of_draws
from parity.backends.flax.tape import Feeds, Tape, arrays_of, floats, transparent_checkpoints
from parity.backends.flax.units import Seat, units_of
from parity.backends.flax.widen import casts, gelus, widened
from parity.interface.observation import Call, Inputs, Leaf, PassResult, Returned
from parity.interface.side import Objective, Pass, Side
from parity.interface.trace import Arrays, Precision, Trajectory, call_names
from parity.interface.unit import Unit, split_stack

LOSS = "loss"
"""Name of the loss among what is differentiated."""


class FlaxSide(Side):
    """A network of Flax NNX, or a module of Linen with its variables."""

    framework = "flax"

    def __init__(self, model: Any, inputs: Inputs) -> None:
        self._model: Model = open_model(model)
        self._example = inputs
        self._programs: dict[Any, Any] = {}
        self._unrolled = False

    @cached_property
    def units(self) -> Sequence[Unit]:
        """Layers that hold arrays."""
        started = self._abstract(self.native, self._example, Pass("float32"))[0].started
        seats = [self._seat(path, module, started) for path, module in self._model.modules().items()]
        found = units_of(seats, self._within)
        if any(split_stack(unit.path)[1] is not None for unit in found):
            self._unroll()  # to see every one of the stacked layers; programs of a rolled scan compile faster
        return found

    def _unroll(self) -> None:
        self._unrolled = True
        self._programs.clear()

    def _seat(self, path: str, module: Any, started: Mapping[str, int]) -> Seat:
        places = {native: self._model.place(native) for native in self.native}
        skip = len(path) + len(self._model.separator) if path else 0
        names = {}
        for native, (holder, own) in places.items():
            if self._within(path, holder):
                inner = holder[skip:].replace(self._model.separator, ".")
                names[f"{inner}.{own}" if inner else own] = native
        held = [own for own, native in names.items() if places[native][0] == path]
        shapes = {own: self.native[native].shape for own, native in names.items()}
        return Seat(path, module, names, shapes, started.get(path), held)

    def _within(self, path: str, other: str) -> bool:
        return path == "" or other == path or other.startswith(path + self._model.separator)

    @cached_property
    def native(self) -> Arrays:
        """Copies of all parameters and buffers, in float64."""
        return plain(self._model.arrays)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Names of the learnable ones."""
        return self._model.parameters

    @cached_property
    def ties(self) -> Mapping[str, str]:
        """Second names of what NNX shares; Linen's variables have one each."""
        return self._model.ties

    @property
    def default_precision(self) -> tuple[bool, str]:
        """Of JAX's configuration; its default is strict on a CPU only."""
        asked = getattr(jax.config, "jax_default_matmul_precision")  # noqa: B009 - jax declares no types
        strict = asked in ("highest", "float32") or (asked is None and jax.default_backend() == "cpu")
        return strict, f"jax_default_matmul_precision {asked or 'of the device'} on {jax.default_backend()}"

    @property
    def stored(self) -> Mapping[str, str]:
        """Names of the user's dtypes."""
        return {name: jnp.asarray(array).dtype.name for name, array in self._model.arrays.items()}

    def returned(self, inputs: Inputs, training: bool = False) -> Returned:
        """What the network returns, and whether its draws change it."""
        how = Pass("float32", training, capture=False)
        places, result = self._drawn(inputs, how, leaves=not training)
        noisy = bool(places) and (training or bool(self._drawn(inputs, how, leaves=False)[0]))
        return Returned(result, places, noisy)

    def _drawn(self, inputs: Inputs, how: Pass, leaves: bool) -> tuple[tuple[str, ...], dict[str, Leaf]]:
        """Where the network draws what changes its result, and the leaves of that."""
        result: dict[str, Leaf] = {}

        def apply(draw: jax.Array, state: State, arrays: Leaves) -> Leaves:
            tape = self._tape(how, None)
            tape.draw, tape.leaves = draw, leaves
            tape.admit(state, arrays)
            output, _ = self._apply(state, given.merged(arrays), tape)
            result.update(described(output))
            return list(flattened(output).values())

        with setting(how.precision):
            given = FlaxInputs(inputs, how.precision)
            return places_of_draws(apply, state_of(self.native, how.precision), given.arrays), result

    def run(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        """One pass."""
        tape, shapes, names = self._abstract(native, inputs, how)
        with setting(how.precision):
            given = FlaxInputs(inputs, how.precision)
            zeros = [[jnp.zeros(o.shape, how.precision) for o in e.outputs if floats(o)] for e in tape.entries]
            program = self._program(given, how, tape)
            state = state_of(native, how.precision)
            cotangents = _cotangents(shapes, how)
            feeds = {start: [jnp.array(a, how.precision) for a in own] for start, own in how.feeds.items()}
            found = jax.tree.map(_array, program(state, given.arrays, cotangents, zeros if how.pulls else [], feeds))
        results, recorded, buffers, ends, pulled = found
        return PassResult(
            outputs={name: results[name] for name in names},
            calls=tuple(_calls(tape, recorded, pulled)),
            buffers=buffers,
            parameter_gradients={n: pulled[0][n] for n in pulled[0] if n in self.parameters} if pulled else {},
            input_gradients=dict(zip(given.floating_names, pulled[1], strict=True)) if pulled else {},
            dropouts=tuple(tape.dropouts),
            gelus=tuple(tape.gelus),
            narrow={} if tape.casts else _narrow(tape, how.precision),
            undone=tuple(tape.casts),
            loss=None if how.objective is None else ends[LOSS],
        )

    def _abstract(
        self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass
    ) -> tuple[Tape, dict[str, tuple[int, ...]], list[str]]:
        """What is called, without computing: the tape, shapes of the floating leaves of the result, names of all."""
        with setting(how.precision):
            given = FlaxInputs(inputs, how.precision)
            key = ("abstract", how.training, how.capture, how.precision, given.key, how.mask, how.objective)
            if key not in self._programs:
                tape = self._tape(how, None)
                result: list[tuple[str, Any]] = []

                def trace(state: State, arrays: Leaves) -> Any:
                    tape.admit(state, arrays)
                    output, _ = self._apply(state, given.merged(arrays), tape)
                    result.extend(flattened(output).items())
                    return arrays_of(output), _ends(output, how)

                traced = jax.make_jaxpr(trace)(state_of(native, how.precision), given.arrays)
                if tape.apart and not self._unrolled:
                    self._unroll()  # to see every use of dropout
                    return self._abstract(native, inputs, how)
                tape.gelus = list(gelus(traced.jaxpr))
                tape.casts = list(dict.fromkeys(casts(traced.jaxpr))) if how.precision == "float64" else []
                shapes = {name: leaf.shape for name, leaf in result if floats(leaf)}
                self._programs[key] = tape, shapes, [name for name, _ in result]
            return self._programs[key]

    def _tape(self, how: Pass, zeros: Any) -> Tape:
        return Tape(jnp.dtype(how.precision), how.training, zeros, how.mask, how.capture, self._unrolled)

    def _apply(self, state: State, inputs: Inputs, tape: Tape) -> tuple[Any, State]:
        with jax.disable_jit(self._unrolled), transparent_checkpoints(), attention_dropout(tape):
            return self._model.apply(state, inputs.args, inputs.kwargs, tape)

    def _program(self, given: FlaxInputs, how: Pass, tape: Tape) -> Any:
        key = (how.training, how.capture, how.pulls, how.precision, given.key, how.mask, how.objective, *how.feeds)
        if key not in self._programs:
            example = given

            def run(state: State, arrays: Leaves, cotangents: State, zeros: list[Leaves], feeds: Feeds) -> Any:
                return self._traced(state, arrays, cotangents, zeros, feeds, example, how, bool(tape.casts))

            self._programs[key] = jax.jit(run, compiler_options=RUN_ONCE)
        return self._programs[key]

    def _traced(
        self,
        state: State,
        arrays: Leaves,
        cotangents: State,
        zeros: list[Leaves],
        feeds: Feeds,
        given: FlaxInputs,
        how: Pass,
        wide: bool,
    ) -> Any:
        def forward(state: State, floating: Leaves, zeros: list[Leaves]) -> Any:
            tape = self._tape(how, zeros if how.pulls else None)
            tape.feeds = feeds
            tape.admit(state, arrays, floating, zeros)
            result, buffers = self._apply(state, given.merged(given.with_floating(arrays, floating)), tape)
            every = flattened(result)
            recorded = [(entry.inputs, entry.outputs) for entry in tape.entries]
            ends = _ends(result, how)
            return ends, (every, recorded, buffers, ends)

        forward = widened(forward) if wide else forward
        floating = [array for array in arrays if floats(array)]
        if not how.pulls:
            return *forward(state, floating, zeros)[1], ()
        learnable = {name: a for name, a in state.items() if name in self.parameters}
        rest = {name: a for name, a in state.items() if name not in self.parameters}
        ends, pullback, seen = jax.vjp(
            lambda own, x, z: forward({**rest, **own}, x, z), learnable, floating, zeros, has_aux=True
        )
        return *seen, pullback({name: cotangents[name].astype(end.dtype) for name, end in ends.items()})

    def train(
        self,
        native: Mapping[str, NDArray],
        inputs: Sequence[Inputs],
        targets: Sequence[Arrays],
        optimizer: Any,
        objective: Objective | None = None,
    ) -> Trajectory:
        """Float64 training steps."""
        how = Pass(training=True, capture=False, objective=objective)
        with setting("float64"):
            state, losses = state_of(native, "float64"), []
            learnable = {name: a for name, a in state.items() if name in self.parameters}
            moments = _begun(optimizer, self._model.tree(learnable), "float64")
            given = FlaxInputs(inputs[0], "float64")

            casts = self._abstract(native, inputs[0], how)[0].casts

            def one(state: State, moments: Any, arrays: Leaves, targets: dict[str, jax.Array]) -> Any:
                return self._step(state, moments, given.merged(arrays), targets, optimizer, how)

            step = jax.jit(widened(one) if casts else one)

            for batch, target in zip(inputs, targets, strict=True):
                wanted = {name: jnp.asarray(array) for name, array in target.items()}
                state, moments, loss = step(state, moments, FlaxInputs(batch, "float64").arrays, wanted)
                losses.append(float(loss))
            return Trajectory(np.array(losses), {name: np.array(array) for name, array in state.items()})

    def _step(
        self, state: State, moments: Any, inputs: Inputs, targets: dict[str, jax.Array], optimizer: Any, how: Pass
    ) -> tuple[State, Any, jax.Array]:
        learnable = {name: a for name, a in state.items() if name in self.parameters}

        def objective(own: State) -> tuple[jax.Array, State]:
            result, buffers = self._apply({**state, **own}, inputs, self._tape(how, None))
            if how.objective is not None:
                return loss_of(how.objective, result, how.precision), buffers
            found = flattened(result)
            return jnp.concatenate([((found[n] - t) ** 2).ravel() for n, t in targets.items()]).mean(), buffers

        (loss, buffers), gradients = jax.value_and_grad(objective, has_aux=True)(learnable)
        tree = self._model.tree
        updates, moments = optimizer.update(tree(gradients), moments, tree(learnable))
        learnt = self._model.flat(optax.apply_updates(tree(learnable), updates), learnable)
        return {**state, **buffers, **learnt}, moments, loss

    def update(
        self,
        optimizer: Any,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        precision: Precision,
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone."""
        with setting(precision):
            params = self._model.tree({name: jnp.array(a, precision) for name, a in parameters.items()})
            step, state, seen = jax.jit(optimizer.update), _begun(optimizer, params, precision), []
            for given in gradients:
                pulled = self._model.tree({name: jnp.array(given[name], precision) for name in parameters})
                updates, state = step(pulled, state, params)
                params = optax.apply_updates(params, updates)
                seen.append(jax.tree.map(np.array, self._model.flat(params, parameters)))
            return seen

    def rates(self, schedule: Any, steps: int, precision: Precision) -> NDArray:
        """Of optax's schedule."""
        with setting(precision):
            rate = jax.jit(lambda count: jnp.asarray(schedule(count), precision))
            return np.array([rate(jnp.asarray(count)) for count in range(steps)])

    def adopt(self, native: Mapping[str, NDArray]) -> Any:
        """The user's network with these arrays."""
        return self._model.adopt(native)


def _begun(optimizer: Any, params: Any, precision: Precision) -> Any:
    """The optimizer's first state. Optax counts steps in int32, from which JAX computes learning rates in float32
    whatever the parameters are; in float64 passes they are counted in int64."""
    state = optimizer.init(params)
    if precision == "float32":
        return state
    return jax.tree.map(lambda a: a.astype(jnp.int64) if jnp.asarray(a).dtype == jnp.int32 else a, state)


def _ends(result: Any, how: Pass) -> dict[str, jax.Array]:
    """What is differentiated, by name: the loss, or the floating leaves of the result."""
    if how.objective is not None:
        return {LOSS: loss_of(how.objective, result, how.precision)}
    return {name: leaf for name, leaf in flattened(result).items() if floats(leaf)}


def _cotangents(shapes: Mapping[str, tuple[int, ...]], how: Pass) -> dict[str, jax.Array]:
    """Of what is differentiated, by name."""
    if how.objective is not None:
        return {LOSS: jnp.ones((), how.precision)}
    given = how.cotangents or {}
    return {n: jnp.asarray(np.asarray(given.get(n, np.zeros(shape))), how.precision) for n, shape in shapes.items()}


def _array(array: jax.Array) -> NDArray[Any]:
    """In NumPy, which has no bfloat16; PyTorch's side widens the short types too."""
    found = np.asarray(array)
    return found.astype(np.float64) if floats(array) and found.dtype.itemsize < 4 else found


def _calls(tape: Tape, recorded: Any, pulled: Any) -> Iterator[Call]:
    for place, (entry, (given, outputs)) in enumerate(zip(tape.entries, recorded, strict=True)):
        gradients = iter(pulled[2][place]) if pulled else iter(())
        own = tuple(next(gradients, None) if floats(traced) else None for traced in entry.outputs)
        yield Call(entry.path, entry.type, entry.start, tuple(given), tuple(outputs), own if pulled else ())


def _narrow(tape: Tape, precision: Precision) -> dict[str, str]:
    """Calls whose results are of a narrower floating type than the pass's."""
    bits, found = jnp.finfo(precision).bits, {}
    for name, entry in zip(call_names([entry.path for entry in tape.entries]), tape.entries, strict=True):
        for leaf in entry.outputs:
            if floats(leaf) and jnp.finfo(leaf.dtype).bits < bits:
                found[name] = leaf.dtype.name
    return found
