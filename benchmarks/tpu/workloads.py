"""The train steps that are compiled: the project's own, at the study's sizes, with shapes in the place of arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from parity import recipes
from parity.backends.jax_ import JaxTwin

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
        """Shape of a batch."""
        return (self.batch, *(WIDTHS[self.recipe] if self.length is None else (self.length, 1)))

    def step(self, sharding: Any = None) -> tuple[Any, tuple[Any, ...]]:
        """The step, whose state is donated as in training, and its arguments as shapes.

        Args:
            sharding: of all arguments: where the step is to run.
        """
        recipe = recipes.load(self.recipe)
        twin = JaxTwin(JaxTwin.build(recipe.network, recipe.config), precision="float32")
        step, carry = twin.session(recipe.optimizer).abstract_step()
        shape = partial(jax.ShapeDtypeStruct, sharding=sharding)
        state = jax.tree.map(lambda like: shape(like.shape, like.dtype), carry)
        batch = shape(self.input_shape, jnp.float32), shape((self.batch,), jnp.int32), shape((), jnp.float32)
        return jax.jit(step, donate_argnums=0), (state, *batch)


@contextmanager
def products_in(precision: str) -> Iterator[None]:
    """Float32 whose matrix products have a precision: "default" (one bfloat16 pass), "high" (3) or "highest" (6)."""
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
