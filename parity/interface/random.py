"""Initial weights, drawn once in NumPy and given to every framework."""

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import Literal
from zlib import crc32

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from parity.interface.trace import Arrays
from parity.weights import KERNELS, TABLES

Scheme = Literal["default", "randn", "orthogonal", "normal", "he", "xavier", "ppo", "probe"]
Shapes = Mapping[str, tuple[int, ...]]


def draw(shapes: Shapes, scheme: Scheme, seed: int) -> Arrays:
    """Float64 weights of every name that are float32 numbers too, so that both precisions start from the same.

    Args:
        shapes: canonical name → shape, parameters and buffers.
        scheme: "default" is PyTorch's: kernels and their biases U(−1/√fan_in, 1/√fan_in), norms 1 and 0, running
            statistics 0 and 1, embeddings and other tables N(0, 1). "randn" is the study's: kernels and tables 0.1 ·
            N(0, 1), biases 0, else as "default"; "normal" is the same with 0.02 for 0.1, and "he" with √(2/fan_in) for
            the kernels and 1 for the tables.
            "xavier" has kernels U(−b, b), b = √(6/(fan_in + fan_out)), but 0 in layers called "last", "modulation" and
            "head", which end a branch; tables 0.02 · N(0, 1), biases 0.
            "orthogonal" is "default", but each H×H block of a recurrent kernel ("…hh.kernel", (H, k·H)) is uniform
            among the orthogonal matrices, and its bias is 0. "ppo" has kernels whose columns or rows are
            orthogonal, of norm 0.01 in "policy", 1 in "value" and √2 in all other layers, and biases 0. "probe" is
            random in every array, so that no bug hides behind a zero or a one.
        seed: seed of the draw, a whole number; each array has a stream of its own, which its name and the seed decide.
    """
    rule = RULES[scheme]
    return {name: single(rule(name, shapes, np.random.default_rng([seed, crc32(name.encode())]))) for name in shapes}


def single(array: NDArray) -> NDArray:
    """The nearest float64 numbers that float32 holds exactly, so that both precisions start from the same; complex ones
    likewise."""
    if np.iscomplexobj(array):
        return array.astype(np.complex64).astype(np.complex128)
    return array.astype(np.float32).astype(np.float64)


def moved(array: NDArray, rng: Generator) -> NDArray:
    """The array with every number moved by one ulp of its dtype, up or down at random; a complex one in both parts."""
    if np.iscomplexobj(array):
        return moved(array.real, rng) + 1j * moved(array.imag, rng)
    return np.nextafter(array, np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf))


Rule = Callable[[str, Shapes, Generator], NDArray]
CONSTANTS = {"scale": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}


def fan_in(name: str, shapes: Shapes) -> int | None:
    """Inputs that one output of the array's layer sees: the product of all axes of its kernel but the last.

    Args:
        name: The canonical name of an array of the layer.
        shapes: The canonical shapes by name.

    Returns:
        The number of inputs; None for layers without a kernel.
    """
    if _role(name) in KERNELS - {"kernel"}:
        return shapes[name][1]
    kernel = f"{name.rpartition('.')[0]}.kernel"
    return prod(shapes[kernel][:-1]) if kernel in shapes else None


def _default(name: str, shapes: Shapes, rng: Generator) -> NDArray:
    inputs = fan_in(name, shapes)
    if _role(name) in TABLES:
        return rng.standard_normal(shapes[name])
    if inputs is None:
        return np.full(shapes[name], CONSTANTS[_role(name)])
    return rng.uniform(-(inputs**-0.5), inputs**-0.5, shapes[name])


def _he(name: str, shapes: Shapes, rng: Generator) -> NDArray:
    deviation = (2 / (fan_in(name, shapes) or 1)) ** 0.5 if _role(name) in KERNELS else 1.0
    return _normal(name, shapes, rng, deviation=deviation)


ENDINGS = frozenset({"last", "modulation", "head"})
"""Layers that end a branch of a diffusion model, and so are 0 at first in "xavier"."""


def _xavier(name: str, shapes: Shapes, rng: Generator) -> NDArray:
    if _role(name) not in KERNELS:
        return _normal(name, shapes, rng, deviation=0.02)
    *window, inputs, outputs = shapes[name]
    area = prod(window) if _role(name) == "kernel" else 1
    bound = (6 / (area * (inputs + outputs))) ** 0.5
    return rng.uniform(-bound, bound, shapes[name]) * (name.split(".")[-2] not in ENDINGS)


def _normal(name: str, shapes: Shapes, rng: Generator, *, deviation: float) -> NDArray:
    if _role(name) in KERNELS | TABLES:
        return deviation * rng.standard_normal(shapes[name])
    return np.full(shapes[name], CONSTANTS[_role(name)])


def _orthogonal(name: str, shapes: Shapes, rng: Generator) -> NDArray:
    if name.split(".")[-2:-1] != ["hh"]:
        return _default(name, shapes, rng)
    if _role(name) == "bias":
        return np.zeros(shapes[name])
    size, width = shapes[name]
    q, r = np.linalg.qr(rng.standard_normal((width // size, size, size)))
    q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]  # without it Q would not be uniform
    return q.swapaxes(0, 1).reshape(shapes[name])


def _ppo(name: str, shapes: Shapes, rng: Generator) -> NDArray:
    if _role(name) != "kernel":
        return np.full(shapes[name], CONSTANTS[_role(name)])
    rows, columns = shapes[name]
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diagonal(r))  # without it Q would not be uniform
    return {"policy": 0.01, "value": 1.0}.get(name.split(".")[0], 2**0.5) * (q if rows >= columns else q.T)


def _probe(name: str, shapes: Shapes, rng: Generator) -> NDArray:
    shape = shapes[name]
    if _role(name) in KERNELS:
        return rng.standard_normal(shape) * (fan_in(name, shapes) or 1) ** -0.5
    if _role(name) in ("scale", "running_var"):
        return rng.uniform(0.5, 2.0, shape)
    return 0.5 * rng.standard_normal(shape)


def _role(name: str) -> str:
    return name.rpartition(".")[2]


RULES: dict[Scheme, Rule] = {
    "default": _default,
    "randn": partial(_normal, deviation=0.1),
    "orthogonal": _orthogonal,
    "normal": partial(_normal, deviation=0.02),
    "he": _he,
    "xavier": _xavier,
    "ppo": _ppo,
    "probe": _probe,
}
