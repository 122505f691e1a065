import numpy as np
import pytest

from parity.data import Batch

INPUTS = np.arange(12, dtype=np.float32).reshape(3, 4)
LABELS = np.array([0, 1, 2])


def test_equal_batches_have_equal_digests_whatever_their_memory_order():
    assert Batch(INPUTS, LABELS).digest() == Batch(np.asfortranarray(INPUTS), LABELS.copy()).digest()


@pytest.mark.parametrize(
    "other",
    [
        Batch(INPUTS.reshape(4, 3), LABELS),
        Batch(np.nextafter(INPUTS, np.float32(99)), LABELS),
        Batch(INPUTS.view(np.int32), LABELS),
        Batch(INPUTS, LABELS[::-1]),
        Batch(INPUTS[::-1], LABELS),
    ],
)
def test_any_difference_changes_the_digest(other):
    assert other.digest() != Batch(INPUTS, LABELS).digest()
