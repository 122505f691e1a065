"""Python's own documentation as text to learn from."""

import sys

import numpy as np
import pytest

from parity.data import open_stream
from parity.data.text.documentation import python_docs, windows
from parity.errors import UsageError


def test_the_text_is_what_a_person_can_read() -> None:
    text = python_docs()
    assert text.dtype == np.int64 and text.min() >= 0 and text.max() < 256 and len(text) > 100_000
    assert "The " in bytes(text.astype(np.uint8)).decode()


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_label_is_the_byte_that_follows(split: str) -> None:
    batch = windows(split, 13)
    assert batch.inputs.shape == batch.labels.shape and batch.inputs.shape[1] == 13
    assert np.array_equal(batch.inputs[:, 1:], batch.labels[:, :-1])
    assert np.array_equal(batch.inputs[1:, 0], batch.labels[:-1, -1])


def test_the_splits_do_not_overlap() -> None:
    train, test = windows("train", 1), windows("test", 1)
    assert len(train.labels) + len(test.labels) == len(python_docs()) - 2
    assert 8 < len(train.labels) / len(test.labels) < 10


def test_a_stream_has_every_window_once_an_epoch_in_an_order_of_its_own() -> None:
    stream = open_stream("python-docs", batch_size=4000, seed=0, length=64)
    first, second = (
        np.concatenate([stream.batch(epoch, step).inputs for step in range(stream.steps_per_epoch or 0)])
        for epoch in (0, 1)
    )
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first, axis=0), np.sort(second, axis=0))
    assert stream.num_classes == 256


@pytest.mark.parametrize("length", [None, 0, 10**9])
def test_a_length_that_does_not_fit_is_refused(length: int | None) -> None:
    with pytest.raises(UsageError, match="length of the text"):
        windows("test", length)


def test_a_split_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown split of text 'validation'"):
        open_stream("python-docs", split="validation", batch_size=1, seed=0, length=8)


def test_a_python_without_its_documentation_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(UsageError, match="lacks pydoc_data"):
        python_docs()
