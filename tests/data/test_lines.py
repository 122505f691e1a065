"""Lines of Python's documentation, each a sequence of its own."""

import numpy as np
import pytest

from parity.data import open_stream
from parity.data.batch import UNLABELLED
from parity.data.text.lines import END, PADDING, lines, padded_lines
from parity.errors import UsageError


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_label_is_the_byte_that_follows_and_nothing_is_asked_of_padding(split: str) -> None:
    batch = lines(split, 13)
    assert batch.inputs.shape == batch.labels.shape and batch.inputs.shape[1] == 13
    there = batch.inputs != PADDING
    assert np.array_equal(there, batch.labels != UNLABELLED) and batch.count == there.sum()
    assert np.array_equal(there, np.sort(there)[:, ::-1])  # padding is at the end
    assert np.array_equal(batch.inputs[:, 1:][there[:, 1:]], batch.labels[:, :-1][there[:, 1:]])
    assert (batch.inputs[:, 0] == END).all() and (batch.labels[np.arange(len(there)), there.sum(1) - 1] == END).all()


def test_lengths_differ_and_lines_are_what_a_person_can_read() -> None:
    batch = lines("train", 80)
    assert len(set((batch.inputs != PADDING).sum(1))) > 60
    assert any(b"The " in bytes(row.astype(np.uint8)) for row in batch.inputs[:200])


def test_the_splits_share_no_place_and_all_lines_fit() -> None:
    train, test = padded_lines("train", 80), padded_lines("test", 80)
    assert 8 < len(train) / len(test) < 10 and train.shape[1] == 81


def test_a_stream_has_them() -> None:
    stream = open_stream("python-docs-lines", batch_size=5, seed=0, length=13)
    assert stream.batch(0, 0).inputs.shape == (5, 13) and stream.num_classes == 256


@pytest.mark.parametrize("length", [None, 1])
def test_a_length_that_does_not_fit_is_refused(length: int | None) -> None:
    with pytest.raises(UsageError, match="length of the text"):
        lines("test", length)
