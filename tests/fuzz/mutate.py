"""Random changes to the bytes of a file, and to the values of a JSON document."""

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
    document = json.loads(data)
    holders = list(_holders(document))
    holder = holders[_place(holders, rng)]
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = keys[_place(keys, rng)]
    if rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = ODD[int(rng.integers(len(ODD)))]
    return json.dumps(document).encode()


def _holders(value: Any) -> Any:
    """Every dict and list in it that is not empty."""
    if isinstance(value, dict | list) and value:
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)
