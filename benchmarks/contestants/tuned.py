"""The project's own training loops, those of `parity train`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contestants.base import Contestant
from benchmarks.contestants.settings import JAX_PRODUCTS, autocast, set_torch
from benchmarks.workload import Precision, Workload
from parity.backends import Session, Twin, twin_class
from parity.data import Batch
from parity.trace import Arrays


class Tuned(Contestant):
    """A session of the framework's backend, fed as `parity train` feeds it."""

    def begin(self, weights: Arrays, batches: Sequence[Batch]) -> None:
        """As `parity train` begins."""
        self._twin = self.twin()
        self._twin.load(weights)
        self._session: Session[Any] = self._twin.session(self.recipe.optimizer)
        self.steps_per_call = self._session.steps_per_call
        self._fed = batches
        self._batches = cycle(batches)

    def twin(self) -> Twin:
        """The network in this precision."""
        cls = twin_class(self.framework)
        model = cls.build(self.recipe.network, self.recipe.config)
        return cls(model, precision=self.width, device=self.device)

    def train(self, steps: int) -> float:
        """All steps are handed over at once."""
        batches = list(islice(self._batches, steps))
        taken = self._session.advance(batches, [self.recipe.optimizer.learning_rate] * steps)
        self._session.wait()
        return float(taken.fetch()[0].mean())

    def infer(self, steps: int) -> None:
        """Predictions by the session's program."""
        self._session.predict([batch.inputs for batch in islice(self._batches, steps)])

    def weights(self) -> Arrays:
        """By the project's weight map."""
        return self._session.state().weights

    def logits(self, inputs: NDArray) -> NDArray:
        """Logits in evaluation mode."""
        return np.asarray(self._session.predict([inputs])[0])


class FlaxTuned(Tuned):
    """One compiled program from state to state, whose memory it takes over; several steps a call for small networks."""

    framework = "jax"

    def __init__(self, workload: Workload, precision: Precision, device: str) -> None:
        super().__init__(workload, precision, device)
        from benchmarks.contestants.jax_programs import Compilations

        self._compilations = Compilations()

    def twin(self) -> Twin:
        """A twin whose products have the precision that is timed."""
        import jax

        twin, strict, products = super().twin(), None, JAX_PRODUCTS[self.precision]
        strict = twin.setting

        @contextmanager
        def setting() -> Iterator[None]:
            with strict(), jax.default_matmul_precision(products):
                yield

        twin.setting = setting  # type: ignore[method-assign] # of this one twin
        return twin

    def compiling(self) -> dict[str, float]:
        """As JAX tells it."""
        return dict(self._compilations.seconds)

    def programs(self) -> int:
        """Compilations so far."""
        return self._compilations.count


class TorchTuned(Tuned):
    """One compiled program a step, forward to update, several steps a call for small networks."""

    framework = "torch"
    compiled = True

    def __init__(self, workload: Workload, precision: Precision, device: str) -> None:
        super().__init__(workload, precision, device)
        set_torch(precision)

    def twin(self) -> Twin:
        """A twin whose products have the precision that is timed."""
        twin = super().twin()
        twin.compiled = self.compiled
        if self.precision in ("tf32", "bfloat16"):
            twin.setting = lambda: autocast(self.precision, self.device)  # type: ignore[method-assign] # of this one twin
        return twin

    def programs(self) -> int:
        """Graphs compiled so far."""
        from torch._dynamo.utils import counters

        return counters["stats"]["unique_graphs"]


class TorchEager(TorchTuned):
    """The same loop without compiling: `TorchSession`."""

    compiled = False
