import numpy as np
import pytest
from scipy.stats import chisquare

from parity.data.augment import MEAN, STD, Augmenter, augment, draw_augmentation, normalise
from parity.errors import UsageError
from parity.torchvision_ import load_torchvision

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def functional():
    try:
        return load_torchvision().transforms.functional
    except UsageError as error:
        pytest.skip(str(error))


def by_torchvision(functional, image, offset, flip):
    from PIL.Image import fromarray

    height, width = image.shape[:2]
    picture = functional.crop(functional.pad(fromarray(image), 4), *map(int, offset), height, width)
    picture = functional.hflip(picture) if flip else picture
    tensor = functional.normalize(functional.to_tensor(picture), MEAN.tolist(), STD.tolist())
    return tensor.numpy().transpose(1, 2, 0)


@pytest.mark.parametrize("shape", [(32, 32), (5, 7), (1, 1)])
def test_bit_equal_to_torchvision_for_every_offset_and_flip(functional, shape):
    choices = [(top, left, flip) for top in range(9) for left in range(9) for flip in (False, True)]
    images = RNG.integers(0, 256, (len(choices), *shape, 3), dtype=np.uint8)
    offsets, flips = np.array([c[:2] for c in choices]), np.array([c[2] for c in choices])
    got = augment(images, offsets, flips)
    assert got.dtype == np.float32 and got.shape == images.shape and got.flags.c_contiguous
    wanted = [by_torchvision(functional, *each) for each in zip(images, offsets, flips, strict=True)]
    assert np.array_equal(got.view(np.uint32), np.stack(wanted).view(np.uint32))


def test_every_grey_level_is_normalised_as_torchvision_does(functional):
    levels = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, axis=-1)
    assert np.array_equal(normalise(levels)[0], by_torchvision(functional, levels[0], (4, 4), False))


def test_the_middle_crop_unflipped_is_only_normalised():
    offsets, flips = np.full((12, 2), 4), np.zeros(12, bool)
    assert np.array_equal(augment(IMAGES, offsets, flips), normalise(IMAGES))


def test_any_of_the_images_in_any_order_and_again():
    indices = np.array([11, 0, 0, 5])
    offsets, flips = np.array([[0, 8], [8, 0], [3, 1], [4, 4]]), np.array([True, False, True, False])
    augmenter = Augmenter(IMAGES)
    wanted = augment(IMAGES[indices], offsets, flips)
    assert np.array_equal(augmenter(indices, offsets, flips), wanted)
    assert np.array_equal(augmenter(indices, offsets, flips), wanted)


def test_inputs_are_left_as_they_were():
    before = IMAGES.copy()
    augment(IMAGES, np.zeros((12, 2), int), np.ones(12, bool))
    assert np.array_equal(IMAGES, before)


@pytest.mark.parametrize(
    ("images", "offsets", "flips", "message"),
    [
        (IMAGES.astype(np.float32), None, None, "images are float32 .*; expected uint8"),
        (IMAGES[..., :1], None, None, r"images are uint8 of shape \(12, 32, 32, 1\)"),
        (IMAGES, np.zeros((11, 2), int), None, r"offsets are int64 of shape \(11, 2\); expected .* \(12, 2\)"),
        (IMAGES, np.zeros((12, 2)), None, "offsets are float64"),
        (IMAGES, np.full((12, 2), 9), None, "offsets run from 9 to 9; expected 0 to 8"),
        (IMAGES, np.full((12, 2), -1), None, "offsets run from -1 to -1"),
        (IMAGES, None, np.zeros(12, int), "flips are int64"),
        (IMAGES, None, np.zeros(5, bool), r"flips are bool of shape \(5,\)"),
    ],
)
def test_bad_arguments_are_described(images, offsets, flips, message):
    offsets = np.zeros((12, 2), int) if offsets is None else offsets
    with pytest.raises(UsageError, match=message):
        augment(images, offsets, np.zeros(12, bool) if flips is None else flips)


def test_an_index_out_of_range_is_refused():
    for index in (-1, 12):
        with pytest.raises(UsageError, match=r"indices run from .*; expected 0 to 11"):
            Augmenter(IMAGES)(np.array([index]), np.zeros((1, 2), int), np.zeros(1, bool))


def test_offsets_and_flips_are_uniform_and_of_independent_streams():
    def draw(first: int, second: int):
        return draw_augmentation(20_000, np.random.default_rng(first), np.random.default_rng(second))

    offsets, flips = draw(1, 2)
    cells = np.bincount(9 * offsets[:, 0] + offsets[:, 1], minlength=81)
    assert len(cells) == 81 and chisquare(cells).pvalue > 1e-4
    assert chisquare(np.bincount(flips)).pvalue > 1e-4
    assert np.array_equal(draw(1, 3)[0], offsets) and not np.array_equal(draw(1, 3)[1], flips)
    assert np.array_equal(draw(4, 2)[1], flips) and not np.array_equal(draw(4, 2)[0], offsets)
