"""Digits with noise in them: what is drawn is part of the batch, and the label is the noise."""

import numpy as np
import pytest

from parity.data import Batch, open_stream
from parity.data.digits import enlarge, load_digits, load_small_digits
from parity.data.noised.digits import REPEATS, STEPS, signal
from parity.errors import UsageError


def stream(split: str = "train", name: str = "noised-labelled-digits", batch_size: int = 100, seed: int = 0):
    return open_stream(name, split=split, batch_size=batch_size, seed=seed)


def cleaned(batch: Batch) -> np.ndarray:
    """The images that the noise was put into."""
    images, steps, *_ = batch.arguments
    kept = signal()[steps][:, None, None, None]
    return (images - np.sqrt(1 - kept) * batch.labels) / np.sqrt(kept)


def test_the_signal_falls_from_almost_all_to_almost_none() -> None:
    assert signal()[0] == 1 - 1e-4 and signal()[-1] == pytest.approx(4.0358e-5, rel=1e-4)
    assert (np.diff(signal()) < 0).all() and len(signal()) == STEPS


def test_without_its_noise_an_image_is_the_digit_of_its_class() -> None:
    batch = next(stream("test").passes())
    images, steps, classes = batch.arguments
    digits = load_small_digits().splits["test"]
    early = steps < 300
    assert np.allclose(cleaned(batch)[early], digits.images[:100][early] / 8 - 1, atol=1e-5)
    assert np.array_equal(classes, digits.labels[:100])
    assert images.dtype == batch.labels.dtype == np.float32 and steps.dtype == classes.dtype == np.int64
    assert images.shape == batch.labels.shape == (100, 8, 8, 1)


def test_the_small_digits_are_those_that_are_enlarged() -> None:
    small, large = load_small_digits(), load_digits()
    for name in ("train", "validation", "test"):
        assert np.array_equal(enlarge(small.splits[name].images[..., 0]), large.splits[name].images)
        assert np.array_equal(small.splits[name].labels, large.splits[name].labels)


def test_an_epoch_has_every_digit_once_and_draws_of_its_own() -> None:
    opened = stream(batch_size=2000)
    first, second = (opened.batch(epoch, 0) for epoch in (0, 1))
    assert opened.steps_per_epoch == 1 and len(first.labels) == 1257
    assert not np.array_equal(first.labels, second.labels) and not np.array_equal(first.inputs[1], second.inputs[1])
    assert abs(first.labels.mean()) < 0.02 and abs(first.labels.std() - 1) < 0.02
    assert first.inputs[1].min() < 20 and first.inputs[1].max() > 980
    assert 0.07 < (first.inputs[2] == 10).mean() < 0.13


def test_a_batch_is_a_function_of_its_place_and_the_seed() -> None:
    opened = stream()
    opened.batch(1, 0)
    again = opened.batch(0, 3)
    assert stream().batch(0, 3).digest() == again.digest() != stream(seed=1).batch(0, 3).digest()
    whole = stream(batch_size=2000).batch(0, 0)
    assert again.digest() == whole.part(slice(300, 400)).digest()


def test_an_evaluation_spreads_its_steps_evenly_and_withholds_no_class() -> None:
    parts = list(stream("test", batch_size=1000).passes())
    steps, classes = (np.concatenate([part.inputs[i] for part in parts]) for i in (1, 2))
    assert len(steps) == 360 * REPEATS and classes.max() == 9
    assert np.histogram(steps, bins=10, range=(0, STEPS))[0].tolist() == [288] * 10
    assert [p.digest() for p in parts] == [p.digest() for p in stream("test", batch_size=1000).passes()]


def test_without_classes_the_rest_is_the_same_in_form() -> None:
    batch = stream(name="noised-digits").batch(0, 0)
    assert len(batch.inputs) == 2 and batch.labels.shape == (100, 8, 8, 1)


def test_a_batch_of_several_arguments_tells_each_from_the_other() -> None:
    batch = stream(batch_size=3).batch(0, 0)
    images, steps, classes = batch.inputs
    assert Batch((images, classes, steps), batch.labels).digest() != batch.digest()
    assert len(set(batch.examples())) == 3 and batch.part([2]).digest() == batch.examples()[2]


def test_a_split_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown split of noised-digits 'validation'"):
        stream("validation", name="noised-digits")
