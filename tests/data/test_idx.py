import gzip

import numpy as np
import pytest

from parity.data.idx import parse_idx, read_idx
from parity.errors import UsageError
from tests.data.made import idx, md5

ARRAY = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5)
GOOD = idx(ARRAY)


@pytest.mark.parametrize("shape", [(7,), (2, 3), (2, 3, 5), (1, 2, 3, 5)])
def test_what_was_written_is_read(shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    assert np.array_equal(parse_idx(idx(array), "made"), array)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "made starts with nothing; expected 00 00 08"),
        (GOOD[:3], "made starts with 00 00 08; expected"),
        (b"\1" + GOOD[1:], "made starts with 01 00 08 03"),
        (GOOD[:2] + b"\x0d" + GOOD[3:], "made starts with 00 00 0d 03"),
        (GOOD[:3] + b"\0", "made starts with 00 00 08 00"),
        (GOOD[:3] + b"\xff", "made starts with 00 00 08 ff"),
        (idx(ARRAY[:0]), r"made has an axis of no length in its header of shape \(0, 3, 5\)"),
        (b"\0\0\x08\4" + b"\0" * 4 + b"\xff" * 12, "made has an axis of no length"),
        (GOOD[:9], "made ends inside its header, after 9 bytes; expected at least 16"),
        (GOOD[:-1], r"made has 45 bytes; its header of shape \(2, 3, 5\) says 46"),
        (GOOD + b"\0", "made has 47 bytes; .* says 46"),
        (GOOD[:4] + b"\xff" * 12 + GOOD[16:], "made has 46 bytes; .* says 79228162458924105385300197391"),
    ],
)
def test_bad_bytes_are_described(data, message):
    with pytest.raises(UsageError, match=message):
        parse_idx(data, "made")


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_are_read_and_verified(tmp_path, suffix):
    path = tmp_path / f"made{suffix}"
    path.write_bytes(gzip.compress(GOOD) if suffix else GOOD)
    assert np.array_equal(read_idx(path, md5=md5(GOOD)), ARRAY)
    with pytest.raises(UsageError, match=f"{path} is truncated or altered: the MD5 of its uncompressed content is"):
        read_idx(path, md5=md5(b"other"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*gone: No such file"):
        read_idx(tmp_path / "gone")


def mutations(data: bytes, count: int) -> list[bytes]:
    rng = np.random.default_rng(5)
    made = [data[: rng.integers(len(data))] for _ in range(count)]
    for _ in range(count):
        flipped = bytearray(data)
        flipped[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        made.append(bytes(flipped))
    return made


def test_no_damage_gives_anything_but_an_array_or_a_usage_error(tmp_path):
    outcomes = {"array": 0, "error": 0}
    for data in mutations(GOOD, 200):
        try:
            outcomes["array"] += parse_idx(data, "made").size == ARRAY.size
        except UsageError:
            outcomes["error"] += 1
    assert outcomes["array"] > 20 and outcomes["error"] > 200


def test_no_damaged_gzip_gets_past_the_checksum(tmp_path):
    packed, path, passed = gzip.compress(GOOD, mtime=0), tmp_path / "made.gz", 0
    for data in mutations(packed, 150):
        path.write_bytes(data)
        try:
            passed += np.array_equal(read_idx(path, md5=md5(GOOD)), ARRAY)
        except UsageError as error:
            assert str(path) in str(error)
            continue
    assert passed < 60  # flips in gzip's time stamp and the like change no content
