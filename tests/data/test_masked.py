"""Lines of Python's documentation with hidden bytes."""

import numpy as np
import pytest

from parity.data import open_stream
from parity.data.batch import UNLABELLED
from parity.data.text.lines import PADDING, padded_lines
from parity.data.text.masked import MASK, masked
from parity.errors import UsageError


def test_what_is_asked_for_is_what_was_there_and_is_mostly_hidden() -> None:
    rows = padded_lines("train", 63)
    batch = masked(rows, np.random.default_rng(0))
    asked = batch.labels != UNLABELLED
    assert np.array_equal(batch.labels[asked], rows[asked]) and np.array_equal(batch.inputs[~asked], rows[~asked])
    assert not (asked & (rows == PADDING)).any() and not asked[:, 0].any() and asked.any(axis=1).all()
    assert 0.14 < asked.sum() / (rows != PADDING).sum() < 0.16
    assert 0.78 < (batch.inputs[asked] == MASK).mean() < 0.82
    assert 0.09 < (batch.inputs[asked] == rows[asked]).mean() < 0.12


def test_epochs_hide_other_bytes_and_evaluation_hides_the_same() -> None:
    stream = open_stream("python-docs-masked", split="test", batch_size=10**6, seed=0, length=64)
    assert not np.array_equal(stream.batch(0, 0).labels, stream.batch(1, 0).labels)
    (once,), (again,) = stream.passes(), stream.passes()
    assert once.digest() == again.digest() and once.inputs.shape[1] == 64


@pytest.mark.parametrize("length", [None, 2])
def test_a_length_that_does_not_fit_is_refused(length: int | None) -> None:
    with pytest.raises(UsageError, match="length of the text"):
        open_stream("python-docs-masked", batch_size=1, seed=0, length=length)
