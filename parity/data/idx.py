"""The IDX format of the MNIST family.

Source: Y. LeCun's description beside the MNIST files: two zero bytes, a type code, the number of axes, the size of
each axis as big-endian uint32, then the numbers in C order.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parity.data import folders
from parity.errors import UsageError

UNSIGNED_BYTE = 0x08  # the only type code that the MNIST family uses
MAX_AXES = 4


def read_idx(path: Path, *, md5: str | None = None) -> NDArray[np.uint8]:
    """Read an IDX file, plain or, if its name ends in .gz, compressed.

    Args:
        path: the file to read.
        md5: MD5 of the uncompressed bytes in hexadecimal; None leaves them unchecked.

    Returns:
        uint8, of the shape the file states, read-only.

    Raises:
        UsageError: the file is missing, not readable, truncated, altered, or no IDX file of unsigned bytes.
    """
    data = folders.read(path)
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise UsageError(f"{path} is truncated or altered: {error}; delete it and get it again") from error
    if md5 is not None:
        folders.verify(data, md5, path, "its uncompressed content")
    return parse_idx(data, str(path))


def parse_idx(data: bytes, name: str) -> NDArray[np.uint8]:
    """Read the bytes of an IDX file, which errors call `name`.

    Raises:
        UsageError: the header or the length is not that of an IDX file of unsigned bytes.
    """
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UNSIGNED_BYTE or not 1 <= data[3] <= MAX_AXES:
        raise UsageError(
            f"{name} starts with {data[:4].hex(' ') or 'nothing'}; expected 00 00 08 and 1 to {MAX_AXES} axes, "
            "an IDX file of unsigned bytes"
        )
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise UsageError(f"{name} ends inside its header, after {len(data)} bytes; expected at least {start}")
    shape = struct.unpack(f">{data[3]}I", data[4:start])
    if 0 in shape:
        raise UsageError(f"{name} has an axis of no length in its header of shape {shape}; expected at least 1")
    expected = start + math.prod(shape)
    if len(data) != expected:
        raise UsageError(f"{name} has {len(data)} bytes; its header of shape {shape} says {expected}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
