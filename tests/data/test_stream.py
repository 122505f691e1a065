import subprocess
import sys
from itertools import islice

import numpy as np
import pytest

from parity.data import DATA_NAMES, load_images, open_stream
from parity.data.augment import normalise
from parity.errors import UsageError

OFFLINE = [
    ("blobs", {"batch_size": 60}),
    ("moons", {"batch_size": 800}),
    ("circles", {"batch_size": 7}),
    ("palindromes", {"batch_size": 16, "length": 6}),
    ("digits", {"batch_size": 100}),
]
FINITE = [case for case in OFFLINE if case[0] != "palindromes"]


@pytest.mark.parametrize(("name", "options"), OFFLINE)
def test_shapes_dtypes_and_facts(name, options):
    stream = open_stream(name, seed=1, **options)
    batch = stream.batch(0, 0)
    shape = {"palindromes": (5, 1), "digits": (32, 32, 3)}.get(name, (2,))
    assert batch.inputs.shape == (options["batch_size"], *shape) and batch.inputs.dtype == np.float32
    assert batch.labels.shape == (options["batch_size"],) and batch.labels.dtype == np.int64
    assert (stream.name, stream.split, stream.seed) == (name, "train", 1)
    assert batch.labels.min() >= 0 and batch.labels.max() < stream.num_classes
    assert stream.steps_per_epoch == {"blobs": 14, "moons": 1, "circles": 115, "digits": 13, "palindromes": None}[name]


@pytest.mark.parametrize(("name", "options"), OFFLINE)
def test_a_batch_is_a_pure_function_of_names_and_numbers(name, options):
    stream, again = (open_stream(name, seed=5, **options) for _ in range(2))
    wanted = [stream.batch(epoch, 0).digest() for epoch in range(3)]
    assert [again.batch(epoch, 0).digest() for epoch in (2, 0, 1)] == [wanted[2], wanted[0], wanted[1]]
    assert len(set(wanted)) == 3
    assert open_stream(name, seed=6, **options).batch(0, 0).digest() not in wanted


@pytest.mark.parametrize(("name", "options"), OFFLINE)
def test_iteration_resumes_anywhere_as_if_never_stopped(name, options):
    stream = open_stream(name, seed=2, **options)
    steps = stream.steps_per_epoch or 5
    whole = [batch.digest() for batch in islice(stream.iterate(), 2 * steps + 2)]
    resumed = open_stream(name, seed=2, **options)
    for done in (1, steps - 1, steps, steps + 1):
        epoch, step = (0, done) if stream.steps_per_epoch is None else divmod(done, steps)
        rest = [batch.digest() for batch in islice(resumed.iterate(epoch, step), len(whole) - done)]
        assert rest == whole[done:]
    assert len(set(whole)) == len(whole)


@pytest.mark.parametrize(("name", "options"), FINITE)
def test_an_epoch_and_a_pass_hold_every_sample_once(name, options):
    stream = open_stream(name, seed=0, augment=False if name == "digits" else None, **options)
    epochs = [[stream.batch(epoch, step) for step in range(stream.steps_per_epoch or 0)] for epoch in (0, 1)]
    orders = [[row.tobytes() for batch in each for row in batch.inputs] for each in (*epochs, stream.passes())]
    assert orders[0] != orders[1] and orders[0] != orders[2]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
    assert len(orders[2]) == {"digits": 1257}.get(name, 800) == len(set(orders[2]))


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_pass_is_in_order_and_never_augmented(split):
    stream = open_stream("digits", split=split, batch_size=100, seed=0)
    data = load_images("digits").splits[split]
    batches = list(stream.passes())
    assert [len(batch.labels) for batch in batches[:-1]] == [100] * (len(batches) - 1)
    assert np.array_equal(np.concatenate([batch.inputs for batch in batches]), normalise(data.images))
    assert np.array_equal(np.concatenate([batch.labels for batch in batches]), data.labels)


def test_only_training_images_are_augmented_unless_told():
    def digests(split, augment):
        stream = open_stream("digits", split=split, batch_size=2000, seed=0, augment=augment)
        return stream.batch(0, 0).digest()

    assert digests("train", None) == digests("train", True) != digests("train", False)
    assert digests("test", None) == digests("test", False) != digests("test", True)


def test_augmentation_leaves_order_and_labels_alone():
    with_, without = (open_stream("digits", batch_size=64, seed=0, augment=choice) for choice in (True, False))
    assert np.array_equal(with_.batch(1, 2).labels, without.batch(1, 2).labels)


def test_crops_and_flips_differ_between_epochs():
    stream = open_stream("digits", split="test", batch_size=360, seed=0, augment=True)  # in order, so comparable
    assert stream.batch(0, 0).digest() != stream.batch(1, 0).digest()


def test_evaluation_splits_are_in_order_in_every_epoch():
    stream = open_stream("moons", split="test", batch_size=50, seed=0)
    assert stream.steps_per_epoch == 4
    assert stream.batch(0, 1).digest() == stream.batch(7, 1).digest() == list(stream.passes())[1].digest()


def test_train_and_test_points_share_nothing():
    train, test = (open_stream("blobs", split=split, batch_size=800, seed=0) for split in ("train", "test"))
    assert (train.batch_size, test.batch_size) == (800, 200)
    rows = [{row.tobytes() for row in stream.batch(0, 0).inputs} for stream in (train, test)]
    assert len(rows[0]) == 800 and len(rows[1]) == 200 and not rows[0] & rows[1]


def test_a_batch_larger_than_the_set_is_the_whole_set():
    stream = open_stream("circles", batch_size=5000, seed=0)
    assert stream.batch_size == 800 and stream.steps_per_epoch == 1 and len(stream.batch(0, 0).labels) == 800


def test_unseen_palindromes_are_a_fixed_set_drawn_apart():
    train, test = (
        open_stream("palindromes", split=split, batch_size=300, seed=0, length=20) for split in ("train", "test")
    )
    assert test.steps_per_epoch == 7 and sum(len(batch.labels) for batch in test.passes()) == 2000
    assert next(test.passes()).digest() == test.batch(3, 0).digest()
    seen = {row.tobytes() for batch in test.passes() for row in batch.inputs}
    assert not seen & {row.tobytes() for step in range(20) for row in train.batch(0, step).inputs}
    with pytest.raises(UsageError, match=r"palindromes in split 'train' have no end .*use split 'test'"):
        train.passes()


@pytest.mark.parametrize("split", ["train", "test"])
def test_an_encoding_changes_neither_digits_nor_labels(split):
    options = {"split": split, "batch_size": 16, "seed": 3, "length": 9}
    plain, digits, rows = (open_stream("palindromes", **options, encoding=e) for e in (None, "digits", "one-hot"))
    assert plain.batch(1, 2).digest() == digits.batch(1, 2).digest() != rows.batch(1, 2).digest()
    assert np.array_equal(rows.batch(1, 2).inputs.argmax(2), digits.batch(1, 2).inputs[..., 0])
    assert np.array_equal(rows.batch(1, 2).labels, digits.batch(1, 2).labels)


@pytest.mark.parametrize(("name", "options"), OFFLINE)
def test_what_a_user_does_to_a_batch_stays_in_it(name, options):
    stream = open_stream(name, seed=0, **options)
    before = stream.batch(0, 0).digest()
    stream.batch(0, 0).inputs[:] = 0
    stream.batch(0, 0).labels[:] = 0
    assert stream.batch(0, 0).digest() == before


def test_what_a_user_does_to_a_pass_stays_in_it():
    test = open_stream("moons", split="test", batch_size=200, seed=0)
    before = test.batch(0, 0).digest()
    next(test.passes()).inputs[:] = 0
    assert test.batch(0, 0).digest() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "mons"}, "unknown data set 'mons'; did you mean moons"),
        ({"split": "validation"}, "unknown split of moons 'validation'; known: test, train"),
        ({"name": "digits", "split": "x"}, "unknown split of digits 'x'; known: test, train, validation"),
        ({"name": "palindromes", "length": 5, "split": "x"}, "unknown split of palindromes 'x'; known: test, train"),
        ({"name": "palindromes"}, "length of the palindromes is None; give an integer of at least 2"),
        ({"name": "palindromes", "length": 1}, "length of the palindromes is 1; give an integer of at least 2"),
        ({"length": 5}, "moons take no length, got 5; only palindromes, text and noise have one"),
        ({"encoding": "one-hot"}, "moons take no encoding, got 'one-hot'; only palindromes have one"),
        (
            {"name": "palindromes", "length": 5, "encoding": "x"},
            "unknown encoding of palindromes 'x'; known: digits, on",
        ),
        ({"augment": True}, "moons cannot be augmented; only digits"),
        ({"batch_size": 0}, "batch size is 0; give an integer of at least 1"),
        ({"batch_size": 2.5}, "batch size is 2.5; give an integer of at least 1"),
        ({"seed": -1}, "seed is -1; give an integer from 0 to"),
    ],
)
def test_bad_arguments_are_described(changes, message):
    with pytest.raises(UsageError, match=message):
        open_stream(**{"name": "moons", "batch_size": 80, "seed": 0} | changes)


WITH_LENGTH = {"palindromes", "latent-digits", "python-docs", "python-docs-lines", "python-docs-masked"}
IMAGES = {"digits", "fashion-mnist", "cifar10"}


@pytest.mark.parametrize("name", DATA_NAMES)
@pytest.mark.parametrize(
    ("argument", "having", "message"),
    [
        ({"length": 5}, WITH_LENGTH, "take no length, got 5; only palindromes, text and noise have one"),
        ({"encoding": "one-hot"}, {"palindromes"}, "take no encoding, got 'one-hot'; only palindromes have one"),
        ({"augment": True}, IMAGES, "cannot be augmented; only digits, fashion-mnist, cifar10, folder can"),
    ],
)
def test_an_argument_that_is_for_other_sets_is_refused(name, argument, having, message):
    with pytest.raises(UsageError) as refused:
        open_stream(
            name, batch_size=8, seed=0, **{"split": "x", "length": 7 if name in WITH_LENGTH else None} | argument
        )
    assert (str(refused.value) == f"{name} {message}") is (name not in having)


@pytest.mark.parametrize(("epoch", "step"), [(-1, 0), (0, -1), (0, 10), (0.5, 0), (0, "1")])
def test_no_batch_outside_an_epoch(epoch, step):
    stream = open_stream("moons", batch_size=80, seed=0)
    with pytest.raises(UsageError, match=r"(epoch|step) is .*; give an integer"):
        stream.batch(epoch, step)
    with pytest.raises(UsageError, match=r"(epoch|step) is .*; give an integer"):
        stream.iterate(epoch, step)


def test_the_names():
    images = {"digits", "fashion-mnist", "cifar10"}
    ours = {"python-docs-lines", "python-docs-masked", "latent-digits", "noised-digits", "noised-labelled-digits"}
    others = {"blobs", "moons", "circles", "palindromes", "python-docs", "digit-graphs", "cartpole"}
    assert set(DATA_NAMES) == others | ours | images


def test_another_process_draws_the_same():
    code = (
        "from parity.data import open_stream;"
        "print(open_stream('palindromes', batch_size=16, seed=5, length=6).batch(2, 3).digest())"
    )
    mine = open_stream("palindromes", batch_size=16, seed=5, length=6).batch(2, 3).digest()
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == mine
