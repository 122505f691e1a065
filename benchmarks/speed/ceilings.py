"""The machine's own limits, measured.

`python -m benchmarks.speed.ceilings FRAMEWORK DEVICE PRECISION THREADS BLOCKS SECONDS OUT` measures them.

Products of matrices and convolutions of the sizes that the workloads have, in the precision of products that is timed,
and a copy that no cache holds, by one framework, in a process of its own. The limit is the best that either framework's
best size reaches.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.contestants.settings import autocast, require, set_jax, set_torch, torch_device
from benchmarks.contestants.workload import Precision
from benchmarks.speed.own import keep_to_cores
from parity.files import write_atomically

GEMM = ((1024, 1024, 1024), (128, 3072, 1024), (2048, 2048, 2048))
CONV = ((32, 16, 128, 256), (32, 8, 256, 256), (32, 32, 64, 64))  # batch, size, channels in, channels out; 3×3
COPY = 2**26  # numbers


def measure(framework: str, device: str, precision: Precision, blocks: int, seconds: float) -> dict[str, Any]:
    """Measure one framework's limits on a device.

    Args:
        framework: "jax" or "torch".
        device: "cpu", "gpu" or "tpu".
        precision: precision of products, which is set for this process.
        blocks: number of timed blocks, of which the median counts.
        seconds: least length of a block.

    Returns:
        Kind ("gemm", "conv", "copy") → size as text → GFLOP/s, or GB/s for the copy.
    """
    require(precision, device)
    works = {"jax": _jax, "torch": _torch}[framework](device, precision)
    return {
        kind: {str(size): amount / _seconds(work, blocks, seconds) / 1e9 for size, (amount, work) in sizes.items()}
        for kind, sizes in works.items()
    }


def best(by_framework: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, float]:
    """Kind → limit: the most that any framework reached at any size."""
    kinds = next(iter(by_framework.values()))
    return {kind: max(rate for sizes in by_framework.values() for rate in sizes[kind].values()) for kind in kinds}


def _seconds(work: Callable[[], object], blocks: int, least: float) -> float:
    """The median seconds of one call, over blocks that each last at least `least` seconds."""
    work()
    calls = 1
    seconds: list[float] = []
    while len(seconds) < blocks:
        started = time.perf_counter()
        for _ in range(calls):
            work()
        took = time.perf_counter() - started
        if took < least:
            calls = max(calls + 1, int(calls * min(10.0, 1.2 * least / max(took, 1e-9))))
        else:
            seconds.append(took / calls)
    return median(seconds)


Works = dict[str, dict[tuple[int, ...], tuple[float, Callable[[], object]]]]


def _drawn(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def _jax(device: str, precision: Precision) -> Works:
    import jax
    import jax.numpy as jnp

    set_jax(precision)
    product = jax.jit(jnp.matmul)
    convolve = jax.jit(
        lambda x, k: jax.lax.conv_general_dilated(x, k, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    )
    over = jax.jit(lambda x: x + 1, donate_argnums=0)  # in place, for new memory is slow the first time
    place = jax.devices(device)[0]
    held = [jax.device_put(_drawn(COPY), place)]

    def copy() -> None:
        held[0] = jax.block_until_ready(over(held[0]))

    def call(function: Any, *arrays: Any) -> Callable[[], object]:
        operands = [jax.device_put(array, place) for array in arrays]
        return lambda: jax.block_until_ready(function(*operands))

    return {
        "gemm": {(m, k, n): (2.0 * m * k * n, call(product, _drawn(m, k), _drawn(k, n))) for m, k, n in GEMM},
        "conv": {
            (b, s, i, o): (_conv_flops(b, s, i, o), call(convolve, _drawn(b, s, s, i), _drawn(3, 3, i, o)))
            for b, s, i, o in CONV
        },
        "copy": {(COPY,): (8.0 * COPY, copy)},
    }


def _torch(device: str, precision: Precision) -> Works:
    import torch
    from torch.nn import functional as F

    set_torch(precision)
    place = torch_device(device)

    def tensor(*shape: int) -> torch.Tensor:
        return torch.tensor(_drawn(*shape), device=place)

    def call(work: Callable[[], object]) -> Callable[[], None]:
        def done() -> None:
            with autocast(precision, device):
                work()
            if place == "cuda":
                torch.cuda.synchronize()

        return done

    def convolution(b: int, s: int, i: int, o: int) -> Callable[[], object]:
        x = tensor(b, i, s, s).to(memory_format=torch.channels_last)
        kernel = tensor(o, i, 3, 3).to(memory_format=torch.channels_last)
        return call(lambda: F.conv2d(x, kernel, padding=1))

    def product(m: int, k: int, n: int) -> Callable[[], object]:
        a, b = tensor(m, k), tensor(k, n)
        return call(lambda: a @ b)

    source = tensor(COPY)
    target = torch.empty_like(source)
    return {
        "gemm": {(m, k, n): (2.0 * m * k * n, product(m, k, n)) for m, k, n in GEMM},
        "conv": {(b, s, i, o): (_conv_flops(b, s, i, o), convolution(b, s, i, o)) for b, s, i, o in CONV},
        "copy": {(COPY,): (8.0 * COPY, call(lambda: target.copy_(source)))},
    }


def _conv_flops(batch: int, size: int, inputs: int, outputs: int) -> float:
    from benchmarks.speed.arithmetic import inside

    return 2.0 * batch * size**2 * inside(size, 3) * inputs * outputs


def main(argv: list[str]) -> int:
    """Measure one framework, and write its limits as JSON; return 0."""
    framework, device, precision, threads, blocks, seconds, out = argv
    keep_to_cores(int(threads))
    rates = measure(framework, device, precision, int(blocks), float(seconds))  # type: ignore[arg-type] # a literal
    write_atomically(Path(out), json.dumps(rates) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
