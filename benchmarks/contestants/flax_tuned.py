"""The project's own training loop in Flax."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax

from benchmarks.contestants.jax_programs import JaxContestant
from benchmarks.contestants.settings import JAX_PRODUCTS
from benchmarks.contestants.tuned import Tuned
from parity.backends import Twin


class FlaxTuned(JaxContestant, Tuned):
    """One compiled program from state to state, whose memory it takes over; several steps a call for small networks."""

    def twin(self) -> Twin:
        """A twin whose products have the precision that is timed."""
        twin = super().twin()
        strict, products = twin.setting, JAX_PRODUCTS[self.precision]

        @contextmanager
        def setting() -> Iterator[None]:
            with strict(), jax.default_matmul_precision(products):
                yield

        twin.setting = setting  # type: ignore[method-assign] # of this one twin
        return twin
