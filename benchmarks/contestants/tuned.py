"""The project's own training loop, that of `parity train`, whatever the framework."""

from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contestants.base import Contestant
from parity.backends import Session, Twin, twin_class
from parity.data import Batch
from parity.interface.trace import Arrays


class Tuned(Contestant):
    """A session of the framework's backend, fed in the way of `parity train`."""

    def begin(self, weights: Arrays, batches: Sequence[Batch]) -> None:
        """Make a session and load the weights into it, in the way of `parity train`."""
        self._twin = self.twin()
        self._twin.load(weights)
        self._session: Session[Any] = self._twin.session(self.recipe.optimizer)
        self.steps_per_call = self._session.steps_per_call
        self._fed = batches
        self._batches = cycle(batches)

    def twin(self) -> Twin:
        """The twin that is trained, in this precision and on this device."""
        cls = twin_class(self.framework)
        model = cls.build(self.recipe.network, self.recipe.config)
        return cls(model, precision=self.width, device=self.device)

    def train(self, steps: int) -> float:
        """Train, with all steps handed to the session at once."""
        batches = list(islice(self._batches, steps))
        taken = self._session.advance(batches, [self.recipe.optimizer.learning_rate] * steps)
        self._session.wait()
        return float(taken.fetch()[0].mean())

    def infer(self, steps: int) -> None:
        """Infer by the session's program for predictions."""
        self._session.predict([batch.inputs for batch in islice(self._batches, steps)])

    def weights(self) -> Arrays:
        """Parameters and buffers by canonical name, from the session's state."""
        return self._session.state().weights

    def logits(self, inputs: NDArray) -> NDArray:
        """Logits (B, classes) in evaluation mode."""
        return np.asarray(self._session.predict([inputs])[0])
