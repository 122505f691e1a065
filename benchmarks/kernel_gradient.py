"""A convolution's value and gradients, its kernel's as XLA derives it and as nine products, shape by shape.

    python -m benchmarks.kernel_gradient [--json FILE]

On one core, in float32, the two by turns; processor time and not the time of day, so that others on the machine count
as little as can be. The record is what `jaxnets.layers.convolution.is_large` was drawn from.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from parity.files import write_atomically
from parity.report.environment import commit, hardware, versions

FORMAT = "netparity-kernel-gradient/1"
TURNS = 7
VGG = ((32, 3, 64), (16, 64, 128), (8, 128, 256), (8, 256, 256), (4, 256, 512), (4, 512, 512))
"""Height (and width), input and output channels of the study's VGG whose maps are larger than 2×2."""
OTHERS = ((64, 64, 64), (32, 32, 32), (32, 64, 64), (32, 64, 128), (16, 64, 64), (16, 128, 128), (8, 128, 128))
BATCHES = (8, 32, 128)
MOST = 32 * 32 * 32 * 128
"""Numbers in a map: what is larger takes too long to be timed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table, write the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernel_gradient", description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the record there")
    arguments = parser.parse_args(argv)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before JAX counts the cores
    rows = []
    for batch in BATCHES:
        for shape in (*VGG, *OTHERS):
            if batch * shape[0] ** 2 * max(shape[1:]) <= MOST:
                rows.append(_measured(batch, *shape))
                print(_line(rows[-1]), flush=True)
    if arguments.json:
        about = {"commit": commit(), "versions": versions(), "hardware": hardware(), "turns": TURNS}
        write_atomically(arguments.json, json.dumps({"format": FORMAT, **about, "rows": rows}, indent=1) + "\n")
    return 0


def _measured(batch: int, side: int, inner: int, outer: int) -> dict[str, Any]:
    """Median and quartiles of the seconds of value and gradients, in the kernel and, but for images, in the input."""
    import jax
    import jax.numpy as jnp

    from jaxnets.layers import convolution as layers

    rng, arithmetic = np.random.default_rng(0), (("precision", None), ("preferred_element_type", None))
    shapes = (3, 3, inner, outer), (batch, side, side, inner), (batch, side, side, outer)
    operands = [jnp.asarray(rng.standard_normal(shape), jnp.float32) for shape in shapes]

    def compiled(function: Callable[..., jax.Array]) -> Callable[..., Any]:
        def loss(kernel: jax.Array, x: jax.Array, cotangent: jax.Array) -> jax.Array:
            return jnp.vdot(function(x, kernel, arithmetic), cotangent)

        return jax.jit(jax.value_and_grad(loss, argnums=(0,) if inner == 3 else (0, 1)))

    ways = {
        "derived": compiled(layers._plain_convolution),
        "products": compiled(layers.with_large_kernel_gradient),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TURNS + 1):
        for name, run in ways.items():
            started = time.process_time()
            jax.block_until_ready(run(*operands))
            if turn:  # the first compiles
                seconds[name].append(time.process_time() - started)
    quartiles = {name: [round(float(q), 6) for q in np.quantile(s, (0.25, 0.5, 0.75))] for name, s in seconds.items()}
    large = layers.is_large(operands[1], operands[0])
    return {"batch": batch, "side": side, "inner": inner, "outer": outer, "is_large": large, **quartiles}


def _line(row: dict[str, Any]) -> str:
    shape = "batch {batch}, {side}×{side}, {inner} → {outer}".format(**row)
    derived, products = (row[name][1] for name in ("derived", "products"))
    return f"{shape:32} {derived:8.4f} s {products:8.4f} s {derived / products:5.2f} {'*' if row['is_large'] else ''}"


if __name__ == "__main__":
    raise SystemExit(main())
