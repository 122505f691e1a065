"""Rows that are looked up, by hand."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.reference.layers import Array
from parity.reference.modules import Module, Shapes
from parity.reference.record import Run


@dataclass
class Embedding(Module):
    """Whole numbers (...) to rows (..., features)."""

    rows: int
    features: int

    def own_shapes(self) -> Shapes:
        """Shape of the table, (rows, features)."""
        return {"embedding": (self.rows, self.features)}

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, Any]:
        """Look the rows up; the cache is the inputs, which have no gradient."""
        return weights["embedding"][inputs], inputs

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """Add each row's cotangents up: a row that was looked up twice gets both."""
        table = np.zeros((self.rows, self.features))
        np.add.at(table, cache, cotangent)
        return np.empty(0), {"embedding": table}
