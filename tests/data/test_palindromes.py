import numpy as np
import pytest
from scipy.stats import chisquare

from parity.data.palindromes import palindromes
from parity.errors import UsageError


@pytest.mark.parametrize("length", [2, 3, 4, 5, 10, 25, 30])
def test_they_are_palindromes(length):
    batch = palindromes(64, length, np.random.default_rng(0))
    assert batch.inputs.shape == (64, length - 1, 1) and batch.inputs.dtype == np.float32
    assert batch.labels.shape == (64,) and batch.labels.dtype == np.int64
    digits = np.concatenate([batch.inputs[..., 0], batch.labels[:, None]], axis=1)
    assert np.array_equal(digits, digits[:, ::-1])
    assert np.array_equal(batch.labels, batch.inputs[:, 0, 0])


@pytest.mark.parametrize("length", [4, 5])
def test_each_free_digit_is_uniform_and_independent(length):
    batch = palindromes(20_000, length, np.random.default_rng(1))
    digits = batch.inputs[..., 0].astype(int)
    for place in range((length + 1) // 2):
        assert chisquare(np.bincount(digits[:, place], minlength=10)).pvalue > 1e-4
    pairs = np.bincount(10 * digits[:, 0] + digits[:, 1], minlength=100)
    assert len(pairs) == 100 and chisquare(pairs).pvalue > 1e-4


@pytest.mark.parametrize("length", [2, 5, 30])
def test_one_hot_inputs_are_the_same_digits(length):
    digits, rows = (palindromes(64, length, np.random.default_rng(0), encoding=e) for e in ("digits", "one-hot"))
    assert rows.inputs.shape == (64, length - 1, 10) and rows.inputs.dtype == np.float32
    assert np.array_equal(rows.inputs.sum(2), np.ones((64, length - 1)))
    assert np.array_equal(rows.inputs.argmax(2), digits.inputs[..., 0])
    assert np.array_equal(rows.labels, digits.labels)


def test_an_unknown_encoding_gets_the_near_ones():
    with pytest.raises(UsageError, match=r"unknown encoding of palindromes 'onehot'; did you mean one-hot\?"):
        palindromes(4, 5, np.random.default_rng(0), encoding="onehot")  # type: ignore[arg-type] # what is tested


@pytest.mark.parametrize("length", [1, 0, -3, 2.5])
def test_no_palindrome_shorter_than_two(length):
    with pytest.raises(UsageError, match=r"length of the palindromes is .*; give an integer of at least 2"):
        palindromes(4, length, np.random.default_rng(0))


def test_at_least_one_palindrome():
    with pytest.raises(UsageError, match="number of palindromes is 0"):
        palindromes(0, 4, np.random.default_rng(0))
