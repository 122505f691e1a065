"""A user's Flax network, seen through NumPy."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from parity.backends.flax.draws import drawn_dropout
from parity.backends.flax.inputs import (
    FlaxTree,
    Leaves,
    Type,
    converted,
    loss_of,
    setting,
    state_of,
    type_of,
)
from parity.backends.flax.look import Look
from parity.backends.flax.models import Model, State, open_model, plain
from parity.backends.flax.modes import flags_of
from parity.backends.flax.optimizers import OptimizerRule
from parity.backends.flax.results import described, flattened, places_of_draws
from parity.backends.flax.traced import Traced
from parity.backends.flax.tracing.marks import Plan
from parity.backends.flax.tracing.tape import Feeds, Tape, floats, transparent_checkpoints
from parity.backends.flax.tracing.written import inexact
from parity.backends.flax.training.programs import run_once
from parity.backends.flax.units import Seat, units_of
from parity.interface.observation import EqualTables, Inputs, Leaf, PassResult, Returned, Table
from parity.interface.side import Objective, Pass, Side
from parity.interface.trace import Arrays, Precision, Trajectory
from parity.interface.unit import Unit, split_stack

SINGLE = 4
"""Bytes of a float32 number."""
DRAW = Type((), np.dtype(np.uint32))
"""Type of the number of a draw."""
Types = dict[str, Type]


class FlaxSide(Side):
    """A network of Flax NNX, or a module of Linen with its variables."""

    framework = "flax"

    def __init__(self, model: Any, inputs: Inputs, training_flag: str = "") -> None:
        self._model: Model = open_model(model, training_flag)
        self._flag = training_flag
        self._example = inputs
        self._programs: dict[Any, Any] = {}
        self._equal: list[EqualTables] = []
        self._unrolled = False

    @cached_property
    def units(self) -> Sequence[Unit]:
        """Layers that hold arrays."""
        started = self._look(self._example, Pass()).tape.started
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
        """What JAX's configuration asks for; its default is strict on a CPU only."""
        asked = getattr(jax.config, "jax_default_matmul_precision")  # noqa: B009 - jax declares no types
        strict = asked in ("highest", "float32") or (asked is None and jax.default_backend() == "cpu")
        return strict, f"jax_default_matmul_precision {asked or 'of the device'} on {jax.default_backend()}"

    @property
    def flags(self) -> Sequence[str]:
        """None, if the user named the one that says the mode."""
        return () if self._flag else flags_of(self._model.call)

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
        given, types = FlaxTree((tuple(inputs.args), dict(inputs.kwargs))), self._look(inputs, how).types
        result: dict[str, Leaf] = {}

        def apply(draw: jax.Array, state: State, arrays: Leaves) -> Leaves:
            tape = self._tape(how)
            tape.draw, tape.leaves = draw, leaves
            tape.admit(state, arrays)
            output, _ = self._apply(state, _inputs(given.merged(arrays)), tape)
            result.update(described(output))
            return list(flattened(output).values())

        traced, plan = Traced(apply, DRAW, types, given.types), Plan(wide=False, means=how.training)
        with setting("float32"):
            state = state_of(self.native, types, "float32")
            return places_of_draws(traced, plan, state, _arrays(given, how)), result

    def run(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        """One pass."""
        look = self._look(inputs, how, native)
        given, targets = FlaxTree((tuple(inputs.args), dict(inputs.kwargs))), _targets(how)
        program = self._program(look, given, how)
        with setting(how.precision):
            plain = program(
                look.traced.constants(how.precision, self._equal),
                state_of(native, look.types, how.precision),
                _arrays(given, how),
                _arrays(targets, how),
                _cotangents(look.shapes, how),
                {number: jnp.zeros(shape, how.precision) for number, shape in look.taps.items()} if how.pulls else {},
                {start: [jnp.array(a, how.precision) for a in feed] for start, feed in how.feeds.items()},
                look.masks(how),
            )
            results, recorded, buffers, ends, pulled = jax.tree.map(_array, plain)
        return PassResult(
            outputs=dict(zip(look.names, results, strict=True)),
            calls=tuple(look.calls(recorded, pulled)),
            buffers=buffers,
            parameter_gradients=pulled[0] if pulled else {},
            input_gradients=dict(zip(_floating_names(given), pulled[1], strict=True)) if pulled else {},
            dropouts=tuple(look.tape.dropouts),
            gelus=look.gelus,
            narrow=look.narrow if how.precision == "float32" else {},
            undone=look.casts,
            unwidened=look.unwidened,
            loss=None if how.objective is None else ends[0],
        )

    def tables(self, inputs: Inputs, held: Sequence[str]) -> list[Table]:
        """Those of the traced program."""
        del held  # all arrays that are not traced as arguments are tables
        with setting("float64"):
            return self._look(inputs, Pass()).traced.tables()

    def unify(self, equal: Sequence[EqualTables], native: Mapping[str, NDArray]) -> None:
        """Replaces the tables in passes and in training."""
        self._equal += equal
        self.native = {**self.native, **native}

    def _look(self, inputs: Inputs, how: Pass, native: Mapping[str, NDArray] | None = None) -> Look:
        """The network traced in that mode, as its user runs it, whatever the precision.

        Args:
            inputs: The arguments of the call.
            how: The mode, and what is captured.
            native: The arrays that it runs with; the user's own if left out. A network may change the shape of its
                state, which keeps axes of length one after a training pass.
        """
        held = native or self.native
        shapes = tuple((name, a.shape) for name, a in held.items() if a.shape != self.native[name].shape)
        given = FlaxTree((tuple(inputs.args), dict(inputs.kwargs)))
        fed = tuple((start, tuple(a.shape for a in feed)) for start, feed in how.feeds.items())
        key = ("look", how.training, how.capture, given.key, how.mask is None, how.objective, fed, shapes)
        if key not in self._programs:
            self._programs[key] = self._traced(given, how, held)
            if self._programs[key].tape.apart and not self._unrolled:
                self._unroll()  # to see every use of dropout
                return self._look(inputs, how, native)
        return self._programs[key]

    def _traced(self, given: FlaxTree, how: Pass, native: Mapping[str, NDArray]) -> Look:
        """With arrays in float32; in the user's own types where the network does not run with these."""
        try:
            return self._traced_with({name: type_of(array) for name, array in native.items()}, given, how)
        except Exception:
            arrays = self._model.arrays
            types = {name: type_of(array, arrays[name].dtype) for name, array in native.items()}
            if not any(jnp.issubdtype(t.dtype, jnp.floating) and t.dtype.itemsize < SINGLE for t in types.values()):
                raise
            return self._traced_with(types, given, how)

    def _traced_with(self, types: Types, given: FlaxTree, how: Pass) -> Look:
        tape, targets = self._tape(how), _targets(how)
        names: list[str] = []

        def run(state: State, arrays: Leaves, targeted: Leaves, feeds: Feeds) -> Any:
            tape.feeds = feeds
            tape.admit(state, arrays)
            result, buffers = self._apply(state, _inputs(given.merged(arrays)), tape)
            every = flattened(result)
            names.extend(every)
            ends = _ends(result, how, targets.merged(targeted))
            recorded = [(entry.inputs, entry.outputs) for entry in tape.entries]
            return list(every.values()), recorded, buffers, ends

        fed = {start: [type_of(array) for array in feed] for start, feed in how.feeds.items()}
        return Look(Traced(run, types, given.types, targets.types, fed), tape, names, types)

    def _tape(self, how: Pass) -> Tape:
        return Tape(how.training, how.mask is not None, how.capture, self._unrolled)

    def _apply(self, state: State, inputs: Inputs, tape: Tape) -> tuple[Any, State]:
        with jax.disable_jit(self._unrolled), transparent_checkpoints(), drawn_dropout(tape):
            return self._model.apply(state, inputs.args, inputs.kwargs, tape)

    def _program(self, look: Look, given: FlaxTree, how: Pass) -> Any:
        key = ("program", id(look), how.pulls, how.precision)
        if key not in self._programs:

            def run(constants: Any, state: State, arrays: Leaves, *rest: Any) -> Any:
                return self._pulled(look, how, constants, state, arrays, *rest)

            self._programs[key] = jax.jit(run, compiler_options=run_once())
        return self._programs[key]

    def _pulled(
        self,
        look: Look,
        how: Pass,
        constants: Any,
        state: State,
        arrays: Leaves,
        targets: Leaves,
        cotangents: Leaves,
        added: dict[int, jax.Array],
        feeds: Feeds,
        masks: Leaves,
    ) -> Any:
        def forward(learnable: State, floating: Leaves, added: dict[int, jax.Array]) -> Any:
            plan = Plan(how.precision == "float64", added, masks, how.training and how.mask is None)
            with_floating = _with_floating(arrays, floating)
            found = look.traced(plan, constants, {**state, **learnable}, with_floating, targets, feeds)
            return found[3], found

        floating = [array for array in arrays if inexact(array.dtype)]
        learnable = {name: a for name, a in state.items() if name in self.parameters and inexact(a.dtype)}
        if not how.pulls:
            return *forward(learnable, floating, added)[1], ()
        ends, pullback, found = jax.vjp(forward, learnable, floating, added, has_aux=True)
        return *found, pullback([c.astype(e.dtype) for c, e in zip(cotangents, ends, strict=True)])

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
        types = self._look(inputs[0], how).types
        learnable = [name for name in native if name in self.parameters]
        first = FlaxTree((tuple(inputs[0].args), dict(inputs[0].kwargs)))
        rule = OptimizerRule(optimizer, self._model, {name: types[name] for name in learnable})
        wanted = _targets(how) if objective is not None else FlaxTree(dict(targets[0]))

        def step(state: State, moments: Any, arrays: Leaves, targeted: Leaves) -> Any:
            inputs, aims = _inputs(first.merged(arrays)), wanted.merged(targeted)
            own = {name: state[name] for name in learnable}
            (loss, buffers), gradients = jax.value_and_grad(self._objective(state, inputs, aims, how), has_aux=True)(
                own
            )
            learnt, moments = rule.step(own, gradients, moments)
            return {**state, **buffers, **learnt}, moments, loss

        traced = Traced(step, types, rule.moment_types, first.types, wanted.types)
        program, losses = traced.compiled(Plan(means=True), self._equal), []
        with setting("float64"):
            state = state_of(native, types, "float64")
            moments = rule.begun({name: state[name] for name in learnable}, "float64")
            for batch, target in zip(inputs, targets, strict=True):
                given = _arrays(FlaxTree((tuple(batch.args), dict(batch.kwargs))), how)
                aims = _arrays(wanted if objective is not None else FlaxTree(dict(target)), how)
                state, moments, loss = program(state, moments, given, aims)
                losses.append(float(loss))
            return Trajectory(np.array(losses), {name: np.array(array) for name, array in state.items()})

    def _objective(self, state: State, inputs: Inputs, targets: Any, how: Pass) -> Any:
        """The loss and the buffers, of the learnable arrays."""

        def run(learnable: State) -> tuple[jax.Array, State]:
            result, buffers = self._apply({**state, **learnable}, inputs, self._tape(how))
            if how.objective is not None:
                return loss_of(how.objective, result, targets), buffers
            found = flattened(result)
            return jnp.concatenate([((found[n] - t) ** 2).ravel() for n, t in targets.items()]).mean(), buffers

        return run

    def update(
        self,
        optimizer: Any,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        precision: Precision,
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone."""
        types = {name: type_of(array) for name, array in parameters.items()}
        rule, seen = OptimizerRule(optimizer, self._model, types), []
        step = Traced(rule.step, types, types, rule.moment_types).compiled(Plan(precision == "float64"))
        with setting(precision):
            params = state_of(parameters, types, precision)
            moments = rule.begun(params, precision)
            for given in gradients:
                pulled = state_of({name: given[name] for name in parameters}, types, precision)
                params, moments = step(params, pulled, moments)
                seen.append({name: np.array(array) for name, array in params.items()})
            return seen

    def rates(self, schedule: Any, steps: int, precision: Precision) -> NDArray:
        """Learning rates that optax's schedule gives for the first so many counts."""
        traced = Traced(lambda count: jnp.asarray(schedule(count), jnp.float32), type_of(np.asarray(0)))
        rate = traced.compiled(Plan(precision == "float64"))
        return np.array([rate(np.asarray(count, np.int32)) for count in range(steps)])

    def adopt(self, native: Mapping[str, NDArray]) -> Any:
        """The user's network with these arrays."""
        return self._model.adopt(native)


def _inputs(tree: Any) -> Inputs:
    return Inputs(*tree)


def _targets(how: Pass) -> FlaxTree:
    """The targets of the pass's objective; an empty tree without one."""
    return FlaxTree(None if how.objective is None else how.objective.targets)


def _arrays(tree: FlaxTree, how: Pass) -> Leaves:
    """The arrays of a tree in the types that the program of the pass takes."""
    return [converted(array, kind, how.precision) for array, kind in zip(tree.arrays, tree.types, strict=True)]


def _floating_names(tree: FlaxTree) -> list[str]:
    return [name for name, kind in zip(tree.names, tree.types, strict=True) if inexact(kind.dtype)]


def _with_floating(arrays: Leaves, floating: Leaves) -> Leaves:
    """The arrays with other floating ones."""
    rest = iter(floating)
    return [next(rest) if inexact(array.dtype) else array for array in arrays]


def _ends(result: Any, how: Pass, targets: Any) -> Leaves:
    """What is differentiated: the loss, or the floating leaves of the result."""
    if how.objective is not None:
        return [loss_of(how.objective, result, targets)]
    return [leaf for leaf in flattened(result).values() if floats(leaf)]


def _cotangents(shapes: Mapping[str, tuple[int, ...]], how: Pass) -> Leaves:
    """What the pass pulls back: 1 for the loss of an objective, else a cotangent for each leaf, zeros by default."""
    if how.objective is not None:
        return [jnp.ones((), how.precision)]
    given = how.cotangents or {}
    return [jnp.asarray(np.asarray(given.get(n, np.zeros(shape))), how.precision) for n, shape in shapes.items()]


def _array(array: jax.Array) -> NDArray[Any]:
    """The array in NumPy; the short floating types become float64, on PyTorch's side too: NumPy has no bfloat16."""
    found = np.asarray(array)
    return found.astype(np.float64) if floats(array) and found.dtype.itemsize < SINGLE else found
