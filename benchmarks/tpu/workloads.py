"""The train steps to compile: the project's own, at the study's sizes, with shapes in the place of arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from parity import recipes
from parity.backends.flax.training.devices import AXIS
from parity.backends.flax.training.passes import Spread
from parity.backends.flax.twin import FlaxTwin

WIDTHS = {"moons": (2,), "mlp": (3072,), "vgg": (32, 32, 3)}
"""Recipe → shape of one example; the RNN's is (length, 1)."""


@dataclass(frozen=True)
class Workload:
    """A recipe's step at one batch size; sequences have a length."""

    recipe: str
    batch: int
    length: int | None = None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a batch of inputs."""
        return (self.batch, *(WIDTHS[self.recipe] if self.length is None else (self.length, 1)))

    def step(self, sharding: Any = None) -> tuple[Any, tuple[Any, ...]]:
        """The jitted step, whose state is donated like in training, and its arguments as shapes.

        Args:
            sharding: sharding of all arguments, which decides where the step is to run; None leaves it open.
        """
        step, carry = self._session().abstract_step()
        return jax.jit(step, donate_argnums=0), self._arguments(carry, sharding, sharding)

    def step_on(self, mesh: Mesh) -> tuple[Any, tuple[Any, ...]]:
        """The same on many devices, as `--devices` trains: each has the whole state and its part of the batch."""
        everywhere, parted = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in ((), (AXIS,)))
        session = self._session()
        step, carry = session.abstract_step(Spread(session.network, mesh))
        step = jax.jit(step, donate_argnums=0, out_shardings=everywhere)
        return step, self._arguments(carry, everywhere, parted)

    def _session(self) -> Any:
        recipe = recipes.load(self.recipe)
        return FlaxTwin(FlaxTwin.build(recipe.network, recipe.config), precision="float32").session(recipe.optimizer)

    def _arguments(self, carry: Any, everywhere: Any, parted: Any) -> tuple[Any, ...]:
        """The shapes of state, inputs, labels and learning rate, each with its sharding."""
        like = jax.ShapeDtypeStruct
        state = jax.tree.map(lambda array: like(array.shape, array.dtype, sharding=everywhere), carry)
        inputs = like(self.input_shape, jnp.float32, sharding=parted)
        labels = like((self.batch,), jnp.int32, sharding=parted)
        return state, inputs, labels, like((), jnp.float32, sharding=everywhere)


@contextmanager
def products_in(precision: str) -> Iterator[None]:
    """A context of float32 with products in a precision: "default" (one bfloat16 pass), "high" (3), "highest" (6)."""
    with jax.enable_x64(False), jax.default_matmul_precision(precision):
        yield


WORKLOADS = {
    "moons": Workload("moons", 800),
    "mlp": Workload("mlp", 128),
    "vgg-32": Workload("vgg", 32),
    "vgg-256": Workload("vgg", 256),
    "vgg-65536": Workload("vgg", 65536),
    "rnn-5": Workload("rnn", 128, 5),
    "rnn-30": Workload("rnn", 128, 30),
}
"""Name → step. "vgg-65536" is far beyond the study, to show a step that does not fit everywhere."""
