"""Random changes to the bytes of a file, and to the values of a JSON document."""

import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Bytes = Callable[[bytearray, np.random.Generator], bytes]
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    2**63,
    "",
    "𝄞",
    "../../etc/passwd",
    [],
    {},
    [[]],
    "float32",
    -0.5,
    [1, 2],
    {"a": None},
)
"""Values that no field expects."""
DTYPES = ("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "I16", "U16", "F16", "BF16", "I32", "U32", "F64", "I64", "C64", "X")
"""Of safetensors, and one that it does not know."""


def _place(data: Sequence[Any], rng: np.random.Generator) -> int:
    return int(rng.integers(max(1, len(data))))


def flipped(data: bytearray, rng: np.random.Generator) -> bytes:
    """One to eight bits."""
    for _ in range(int(rng.integers(1, 9))):
        if data:
            data[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(data)


def cut(data: bytearray, rng: np.random.Generator) -> bytes:
    """Its beginning."""
    return bytes(data[: _place(data, rng)])


def without(data: bytearray, rng: np.random.Generator) -> bytes:
    """Without a piece."""
    first = _place(data, rng)
    return bytes(data[:first] + data[first + int(rng.integers(1, 64)) :])


def doubled(data: bytearray, rng: np.random.Generator) -> bytes:
    """With a piece twice."""
    first = _place(data, rng)
    last = first + int(rng.integers(1, 64))
    return bytes(data[:last] + data[first:last] + data[last:])


def noisy(data: bytearray, rng: np.random.Generator) -> bytes:
    """With a piece that is noise."""
    first, noise = _place(data, rng), rng.bytes(int(rng.integers(1, 64)))
    return bytes(data[:first] + noise + data[first + len(noise) :])


def lengthened(data: bytearray, rng: np.random.Generator) -> bytes:
    """With a number among its first bytes made large: lengths stand there."""
    first = int(rng.integers(min(16, max(1, len(data)))))
    return bytes(data[:first] + b"\xff" * int(rng.integers(1, 9)) + data[first:])


WAYS: tuple[Bytes, ...] = (flipped, cut, without, doubled, noisy, lengthened)


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Changed in one of the ways."""
    return WAYS[int(rng.integers(len(WAYS)))](bytearray(data), rng)


def mutated_json(data: bytes, rng: np.random.Generator) -> bytes:
    """A document with one value changed or gone; one time in four its bytes are changed instead."""
    if rng.random() < 0.25:
        return mutated(data, rng)
    return json.dumps(changed(json.loads(data), rng)).encode()


def changed(document: Any, rng: np.random.Generator) -> Any:
    """A document with one value changed or gone."""
    holders = list(_holders(document))
    holder = holders[_place(holders, rng)]
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = keys[_place(keys, rng)]
    if rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = ODD[int(rng.integers(len(ODD)))]
    return document


def mutated_lines(data: bytes, rng: np.random.Generator) -> bytes:
    """JSON lines with one of them changed; one time in four bytes, wherever they are."""
    if rng.random() < 0.25:
        return mutated(data, rng)
    lines = data.splitlines(keepends=True)
    place = _place(lines, rng)
    lines[place] = mutated_json(lines[place].strip(), rng) + b"\n"
    return b"".join(lines)


def mutated_gzip(data: bytes, rng: np.random.Generator) -> bytes:
    """A compressed file; one time in two its content is changed and compressed again."""
    if rng.random() < 0.5:
        return mutated(data, rng)
    return gzip.compress(mutated(gzip.decompress(data), rng), compresslevel=1)


def mutated_safetensors(data: bytes, rng: np.random.Generator) -> bytes:
    """Arrays in a file; one time in two its header is changed, and its length is right again."""
    if rng.random() < 0.5:
        return mutated(data, rng)
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    if rng.random() < 0.3:
        array = header[sorted(set(header) - {"__metadata__"})[0]]
        array["dtype"] = DTYPES[_place(DTYPES, rng)]
    else:
        header = changed(header, rng)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[end:]


def _holders(value: Any) -> Any:
    """Every dict and list in it that is not empty."""
    if isinstance(value, dict | list) and value:
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)
