"""Random weights stay in the domain of the user's own numbers."""

import numpy as np
import pytest

from parity.interface.unit import Kind
from parity.pair.weightmap.random_weights import random_weights
from tests.pair.weightmap.test_splits import Network, mapped


@pytest.mark.parametrize(("own", "kind", "positive"), [
    (1.0, "custom", True), (0.3, "custom", True), (0.0, "custom", False), (-1.0, "custom", False),
    (1.0, "dense", False),
])  # fmt: skip
def test_what_is_positive_in_a_module_of_no_known_kind_stays_so(own: float, kind: Kind, positive: bool) -> None:
    network = Network().layer("own", kind, kernel=(40, 30))
    network.arrays["own.kernel"] += own
    drawn = random_weights(mapped(network, network), network.arrays, 0)["own.kernel"]
    assert (drawn > 0).all() == positive
    assert len(np.unique(drawn)) == drawn.size


def test_one_number_that_is_not_positive_tells_that_others_need_not_be() -> None:
    network = Network().layer("own", "custom", table=(40, 30))
    network.arrays["own.table"] += 1.0
    network.arrays["own.table"][3, 4] = -0.1
    assert (random_weights(mapped(network, network), network.arrays, 0)["own.table"] < 0).any()
