import numpy as np
import pytest

from parity.pair.arrays.layout import agree, turn_back, turned


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize(
    ("flax", "torch", "name"),
    [
        (numbers(2, 5, 7, 3), np.moveaxis(numbers(2, 5, 7, 3), -1, 1), "channels last to first"),
        (numbers(2, 3, 5), numbers(2, 3, 5).swapaxes(0, 1), "first two axes swapped"),
        (numbers(2, 6, 4, 2), numbers(2, 6, 4, 2).reshape(2, 6, 8), "as it is, reshaped"),
        (numbers(2, 4, 4, 4), np.moveaxis(numbers(2, 4, 4, 4), -1, 1), "channels last to first"),
        (numbers(2, 4, 4, 4), numbers(2, 4, 4, 4), "as it is"),
    ],
)
def test_the_layout_in_which_two_arrays_agree_is_found(flax: np.ndarray, torch: np.ndarray, name: str) -> None:
    turn = turned(flax, torch)
    assert turn is not None and turn[0] == name
    assert np.array_equal(turn[1](flax), torch)
    assert agree(flax, torch, torch.astype(np.float32))
    assert np.array_equal(turn_back(name, torch, flax.shape), flax)


def test_height_and_width_are_never_exchanged() -> None:
    image = numbers(2, 5, 5, 3)
    assert not agree(image, np.moveaxis(image.swapaxes(1, 2), -1, 1), np.moveaxis(image, -1, 1).astype(np.float32))


def test_arrays_of_other_sizes_have_no_layout_in_common() -> None:
    assert turned(numbers(2, 3), numbers(2, 4)) is None


def test_a_small_difference_is_no_agreement() -> None:
    a = numbers(2, 3, 4)
    assert not agree(a * (1 + 1e-10), a, a.astype(np.float32))


def test_what_is_computed_once_for_the_whole_batch_is_compared_with_every_sample() -> None:
    once = numbers(1, 3, 5)
    every = np.repeat(once, 2, axis=0)
    low, lows = once.astype(np.float32), every.astype(np.float32)
    assert agree(every, once, low, inside=True) and agree(once, every, lows, inside=True)
    assert not agree(every, once, low) and not agree(once, every, lows)  # not as what the networks return
    every[1] += 1
    assert not agree(every, once, low, inside=True)
