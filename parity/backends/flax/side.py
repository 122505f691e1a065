"""A user's Flax network, seen through NumPy."""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
from numpy.typing import NDArray

from parity.backends.flax.inputs import setting
from parity.backends.flax.look import Looks
from parity.backends.flax.models.model import Model
from parity.backends.flax.models.modes import flags_of
from parity.backends.flax.models.opened import open_model
from parity.backends.flax.passes import Passes
from parity.backends.flax.programs.program import program
from parity.backends.flax.programs.schedule import schedule_program
from parity.backends.flax.steps import Steps, rates
from parity.backends.flax.units import Seat, units_of
from parity.checks.tables import merged
from parity.interface.observation import EqualTables, Inputs, Miscompiled, Noise, PassResult, Returned, Table
from parity.interface.programs.program import Program
from parity.interface.side import Pass, Side
from parity.interface.sides.functions import Place, functions_of
from parity.interface.sides.trained import Objective
from parity.interface.trace import Arrays, Precision, Trajectory
from parity.interface.unit import Unit, split_stack


class FlaxSide(Side):
    """A network of Flax NNX, or a module of Linen with its variables.

    Args:
        model: an NNX module, or a Linen module and its variables.
        inputs: an example, already in this side's own layout and order.
        training_flag: the name by which the user's network is told its mode, see `modes.mode_words`.

    Raises:
        UsageError: the model is neither of these.
    """

    framework = "flax"

    def __init__(self, model: Any, inputs: Inputs, training_flag: str = "") -> None:
        self._model: Model = open_model(model, training_flag)
        self._flag = training_flag
        self._example = inputs
        self._x64 = jnp.asarray(0.0).dtype == jnp.float64
        self._looks = Looks(self._model)
        self._passes, self._steps = Passes(self._looks), Steps(self._looks)

    @cached_property
    def units(self) -> Sequence[Unit]:
        """Layers that hold arrays."""
        started = self._looks.look(self._example, Pass()).tape.started
        units = units_of(_seats(self._model, self.native, started), partial(_is_within, self._model))
        if any(split_stack(unit.path)[1] is not None for unit in units):
            self._looks.unroll()  # to see every one of the stacked layers; programs of a rolled scan compile faster
        return units

    @property
    def native(self) -> Arrays:
        """Copies of all parameters and buffers, in float64."""
        return self._looks.native

    @property
    def parameters(self) -> frozenset[str]:
        """Names of the learnable ones."""
        return self._looks.parameters

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
    def unsaved(self) -> frozenset[str]:
        """Arrays that a module of NNX holds as they are, in no variable."""
        return self._model.plain

    @property
    def deployed_precision(self) -> Precision:
        """Float64 where the user works in JAX's 64-bit mode and keeps an array in it."""
        return "float64" if self._x64 and "float64" in self.stored.values() else "float32"

    @property
    def flags(self) -> Sequence[str]:
        """None, if the user named the one that says the mode."""
        return () if self._flag else flags_of(self._model.call)

    @property
    def functions(self) -> Sequence[Place]:
        """Those of every module; Linen knows the modules that have run."""
        return functions_of(module for module in self._model.modules().values() if module is not None)

    @property
    def stored(self) -> Mapping[str, str]:
        """Names of the user's dtypes."""
        return {name: jnp.asarray(array).dtype.name for name, array in self._model.arrays.items()}

    def returned(self, inputs: Inputs, training: bool = False) -> Returned:
        """What the network returns, and whether its draws change it."""
        return self._passes.returned(inputs, training)

    def run(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        """One pass."""
        return self._passes.run(native, inputs, how)

    def miscompiled(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> Miscompiled | None:
        """What XLA computes wrongly in that pass."""
        return self._passes.miscompiled(native, inputs, how)

    def program(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> Program:
        """One pass, equation by equation of the traced program."""
        return program(self._looks, native, inputs, how)

    def tables(self, inputs: Inputs, held: Sequence[str]) -> list[Table]:
        """Those of the traced program."""
        del held  # all arrays that are not traced as arguments are tables
        with setting("float64"):
            return self._looks.look(inputs, Pass()).traced.tables()

    def reads_beyond(self, native: Mapping[str, NDArray], inputs: Inputs) -> list[str]:
        """Gathers and slices, which JAX moves to the end of the array, or fills."""
        return program(self._looks, native, inputs, Pass(), whole=True).reads_beyond()

    def unify(self, equal: Sequence[EqualTables], native: Mapping[str, NDArray]) -> None:
        """Replaces the tables in passes and in training."""
        self._looks.equal = merged(self._looks.equal, equal)
        self._looks.native = {**self._looks.native, **native}

    def share(self, noise: Noise) -> None:
        """Gives the draws of passes and of training these numbers."""
        self._looks.share(noise)

    def train(
        self,
        native: Mapping[str, NDArray],
        inputs: Sequence[Inputs],
        targets: Sequence[Arrays],
        optimizer: Any,
        objective: Objective | None = None,
    ) -> Trajectory:
        """Float64 training steps."""
        return self._steps.train(native, inputs, targets, optimizer, objective)

    def update(
        self,
        optimizer: Any,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        precision: Precision,
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone."""
        return self._steps.update(optimizer, parameters, gradients, precision)

    def rates(self, schedule: Any, steps: int, precision: Precision) -> NDArray:
        """Learning rates that optax's schedule gives for the first so many counts."""
        return rates(schedule, steps, precision)

    def schedule_program(self, schedule: Any, steps: int) -> Program:
        """Write optax's schedule out as equations."""
        return schedule_program(schedule, steps)

    def written(self, optimizer: Any, parameters: Mapping[str, NDArray]) -> Sequence[float]:
        """Those of optax's transformation."""
        return self._steps.written(optimizer, parameters)

    def adopt(self, native: Mapping[str, NDArray]) -> Any:
        """The user's network with these arrays."""
        return self._model.adopt(native)


def _seats(model: Model, native: Arrays, started: Mapping[str, int]) -> list[Seat]:
    """All modules of a network with the arrays in them; `started` says when the first call of each began."""
    places = {name: model.place(name) for name in native}
    return [_seat(model, native, places, path, module, started.get(path)) for path, module in model.modules().items()]


def _seat(
    model: Model, native: Arrays, places: Mapping[str, tuple[str, str]], path: str, module: Any, ran: int | None
) -> Seat:
    skip = len(path) + len(model.separator) if path else 0
    names = {}
    for name, (holder, last) in places.items():
        if _is_within(model, path, holder):
            inner = holder[skip:].replace(model.separator, ".")
            names[f"{inner}.{last}" if inner else last] = name
    held = [role for role, name in names.items() if places[name][0] == path]
    return Seat(path, module, names, {role: native[name].shape for role, name in names.items()}, ran, held)


def _is_within(model: Model, path: str, other: str) -> bool:
    """Whether another module is this one, or beneath it."""
    return path == "" or other == path or other.startswith(path + model.separator)
