"""A user's optax optimizer, traced as its user runs it."""

from collections.abc import Mapping
from typing import Any

import jax
import optax

from parity.backends.flax.inputs import Type
from parity.backends.flax.models.model import Model, State
from parity.backends.flax.traced import Traced
from parity.backends.flax.tracing.marks import Plan
from parity.interface.trace import Precision


class OptimizerRule:
    """An optimizer of arrays by native name.

    Args:
        optimizer: optax's transformation.
        model: the network, which knows how its arrays are nested.
        types: shapes and types of the arrays.
    """

    def __init__(self, optimizer: Any, model: Model, types: Mapping[str, Type]) -> None:
        self._optimizer, self._model, self._types = optimizer, model, dict(types)
        self.first = Traced(lambda arrays: optimizer.init(model.tree(arrays)), self._types)

    @property
    def names(self) -> list[str]:
        """Native names of its arrays, in order."""
        return list(self._types)

    @property
    def moment_types(self) -> Any:
        """Tree of the shapes and types of its state."""
        return jax.tree.map(lambda leaf: Type(leaf.shape, leaf.dtype), self.first.result_types)

    def begun(self, arrays: State, precision: Precision) -> Any:
        """Its first state."""
        return self.first.compiled(Plan(precision == "float64"))(arrays)

    def step(self, arrays: State, gradients: State, moments: Any) -> tuple[State, Any]:
        """Arrays and state after a step."""
        tree = self._model.tree(arrays)
        updates, moments = self._optimizer.update(self._model.tree(gradients), moments, tree)
        return self._model.flat(optax.apply_updates(tree, updates), arrays), moments
