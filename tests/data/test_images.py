import numpy as np
import pytest

from parity.data import ImageSet, load_images
from parity.data.digits import enlarge
from parity.data.images import Split, hold_out
from parity.errors import UsageError

IMAGES, LABELS = np.zeros((4, 5, 7, 3), np.uint8), np.array([0, 1, 2, 1])


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES.astype(np.float32), LABELS, "images are float32 of shape .*; expected uint8"),
        (IMAGES[0], LABELS, r"images are uint8 of shape \(5, 7, 3\); expected uint8 of shape \(N, H, W, C\)"),
        (IMAGES.tolist(), LABELS, "images are a list; give a NumPy array"),
        (IMAGES, LABELS.astype(np.int32), "labels are int32 of shape .*; expected int64"),
        (IMAGES, LABELS[:, None], r"labels are int64 of shape \(4, 1\)"),
        (IMAGES, LABELS[:3], "got 4 images and 3 labels"),
        (IMAGES[:0], LABELS[:0], r"images of shape \(0, 5, 7, 3\); give at least one"),
        (IMAGES, LABELS + 1, "labels from 1 to 3; expected 0 to 2"),
        (IMAGES, LABELS - 1, "labels from -1 to 1; expected 0 to 2"),
    ],
)
def test_a_bad_split_is_named(images, labels, message):
    with pytest.raises(UsageError, match=f"mine, split 'test': .*{message}"):
        ImageSet("mine", {"train": Split(IMAGES, LABELS), "test": Split(images, labels)}, num_classes=3)


def test_a_set_needs_splits_and_classes():
    with pytest.raises(UsageError, match="mine has no split"):
        ImageSet("mine", {}, num_classes=3)
    with pytest.raises(UsageError, match="number of classes of mine is 0"):
        ImageSet("mine", {"train": Split(IMAGES, LABELS)}, num_classes=0)


def test_an_unknown_set_gets_the_nearest_name():
    with pytest.raises(UsageError, match="unknown set of images 'fashion_mnist'; did you mean fashion-mnist"):
        load_images("fashion_mnist")


def test_parts_are_disjoint_complete_and_in_order():
    labels = np.arange(50)
    whole = Split(np.zeros((50, 1, 1, 3), np.uint8), labels)
    rest, part = hold_out(whole, 8)
    assert len(part.labels) == 8 and len(rest.labels) == 42
    assert np.array_equal(np.sort(np.concatenate([rest.labels, part.labels])), labels)
    assert all(np.array_equal(np.sort(half.labels), half.labels) for half in (rest, part))
    assert np.array_equal(hold_out(whole, 8)[1].labels, part.labels)


@pytest.mark.parametrize("count", [0, 4, -1])
def test_neither_part_is_empty(count):
    with pytest.raises(UsageError, match="number of images held out"):
        hold_out(Split(IMAGES, LABELS), count)


def test_digits_have_the_stated_splits_and_no_image_in_two():
    digits = load_images("digits")
    assert {name: split.images.shape for name, split in digits.splits.items()} == {
        "train": (1257, 32, 32, 3),
        "validation": (180, 32, 32, 3),
        "test": (360, 32, 32, 3),
    }
    seen = [{image.tobytes() for image in split.images} for split in digits.splits.values()]
    assert len(set.union(*seen)) == sum(map(len, seen)) == 1797
    assert all(set(split.labels) == set(range(10)) for split in digits.splits.values())


def test_digits_are_enlarged_as_torch_does_it():
    torch = pytest.importorskip("torch")
    small = np.random.default_rng(0).integers(0, 17, (20, 8, 8))
    small[0, 0, 0], small[0, 7, 7] = 16, 0
    wanted = torch.nn.functional.interpolate(
        torch.tensor(small[:, None], dtype=torch.float64), size=32, mode="bilinear", align_corners=False
    )
    large = enlarge(small)
    assert np.array_equal(large[..., 0], np.rint(wanted[:, 0].numpy() * 255 / 16).astype(np.uint8))
    assert np.array_equal(large[..., 0], large[..., 1]) and np.array_equal(large[..., 0], large[..., 2])
    assert large[0, 0, 0, 0] == 255 and large[0, 31, 31, 0] == 0
