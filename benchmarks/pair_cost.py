"""What a check of a pair costs beside the plain passes that it needs, on ResNet-50 (25.6 million parameters).

`python -m benchmarks.pair_cost [--json FILE]`: batch 2, 64×64. The plain passes are a forward and backward pass in
training of each framework in float32 and in float64, JAX's jitted, with the time that it takes to compile. Programs
are compiled anew: nothing is taken from a cache.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import torch

import parity
from parity.files import write_atomically
from parity.report.environment import commit, hardware, versions
from tests.pairs.resnet import resnet50


def plain_flax(module: nn.Module, variables: Any, images: np.ndarray, dtype: Any) -> None:
    """One forward and backward pass, compiled."""
    with jax.enable_x64(dtype == jnp.float64):
        wide = jax.tree.map(lambda a: jnp.asarray(np.asarray(a), dtype), variables)

        @jax.jit
        def pulled(variables: Any, x: jax.Array) -> Any:
            def total(params: Any) -> Any:
                result, after = module.apply({**variables, "params": params}, x, train=True, mutable=["batch_stats"])
                return result.sum(), after

            return jax.grad(total, has_aux=True)(variables["params"])

        jax.block_until_ready(pulled(wide, jnp.asarray(images, dtype)))


def plain_torch(model: torch.nn.Module, images: np.ndarray, dtype: torch.dtype) -> None:
    """One forward and backward pass."""
    model = model.to(dtype).train()
    model(torch.tensor(np.moveaxis(images, -1, 1).copy(), dtype=dtype)).sum().backward()


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main(argv: list[str]) -> int:
    """Measure, print, and write the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pair_cost", description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args(argv)
    (module, variables), model, images, options = resnet50()
    plain = {
        "flax float32": timed(lambda: plain_flax(module, variables, images, jnp.float32)),
        "flax float64": timed(lambda: plain_flax(module, variables, images, jnp.float64)),
        "torch float32": timed(lambda: plain_torch(model, images, torch.float32)),
        "torch float64": timed(lambda: plain_torch(model, images, torch.float64)),
    }
    (module, variables), model, images, options = resnet50()
    accept = ["running_var_bias"]
    checks = {
        probes: parity.compare((module, variables), model, images, accept=accept, probes=probes, **options)
        for probes in (False, True)
    }
    seconds = {"without probes": checks[False].seconds["total"], "with probes": checks[True].seconds["total"]}
    total = sum(plain.values())
    for name, value in {**plain, "the four together": total, **seconds}.items():
        print(f"{name}: {value:.1f} s ({value / total:.2f} × the four)")
    if arguments.json:
        record = {
            "command": "python -m benchmarks.pair_cost",
            "plain passes, seconds": plain,
            "check, seconds": seconds,
            "parts, seconds": {name: dict(checks[name == "with probes"].seconds) for name in seconds},
            "ratio": {name: value / total for name, value in seconds.items()},
            "verdict": checks[True].verdict,
            "peak GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            "versions": versions(),
            "hardware": hardware(),
            "commit": commit(),
        }
        write_atomically(arguments.json, json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
