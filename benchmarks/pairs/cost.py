"""The cost of a check beside the plain passes that it needs, in time and in peak memory, by network.

    python -m benchmarks.pairs.cost --json FILE [PAIR…]     measure pairs of several sizes; by default all
    python -m benchmarks.pairs.cost --without probes …      leave a part out

The plain passes are a forward and backward pass in training of each framework, in float32 and in float64, JAX's jitted
as a user jits it, with the time that it takes to compile, which it does once in each precision. The plain passes, the
check without probes and the check with them are a process each, so that each has a peak memory of its own (VmHWM, or
ru_maxrss of getrusage); programs are compiled anew. Seconds are those of the clock, which mean something on an idle
machine only, and those of the processor (user and system, of getrusage), which mean something on a busy one too.
`python -m benchmarks.pairs.check --page` writes docs/pairs.md from the newest record.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import RECORDS
from benchmarks.pairs.cost_page import COMMAND, table
from benchmarks.speed import process
from benchmarks.speed.load import Load
from benchmarks.speed.measure import noisy
from benchmarks.speed.own import peak_bytes
from parity.errors import UsageError, unknown_name
from parity.files import write_atomically
from parity.report.environment import commit, hardware, versions

ACCEPTED = ["running_var_bias"]
"""Conventions that the checks accept: Flax's BatchNorm differs in it by design, and so would every pair with one."""
MODES: Mapping[str, str | None] = {
    "convnext": None,
    "mobilenet_v2": "training",
    "resnet18": "train",
    "resnet50": "train",
    "efficientnet_v2_s": "training",
}
"""Pair, in Linen → keyword that tells its Flax network whether it trains. The small ones come first."""
WHATS = ("plain", "check", "probes")


def newest() -> Path:
    """The newest record."""
    return sorted(RECORDS.glob("*-pair-cost.json"))[-1]


def plain_flax(module: Any, variables: Any, images: Any, mode: Mapping[str, bool], dtype: str) -> None:
    """Make one forward and backward pass in Flax, compiled, in the dtype "float32" or "float64"."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    with jax.enable_x64(dtype == "float64"):
        wide = jax.tree.map(lambda a: jnp.asarray(np.asarray(a), dtype), variables)

        @jax.jit
        def pulled(variables: Any, x: jax.Array, key: jax.Array) -> Any:
            def total(params: Any) -> Any:
                collections = {**variables, "params": params}
                result, after = module.apply(collections, x, **mode, mutable=["batch_stats"], rngs={"dropout": key})
                return result.sum(), after

            return jax.grad(total, has_aux=True)(variables["params"])

        jax.block_until_ready(pulled(wide, jnp.asarray(images, dtype), jax.random.key(0)))


def plain_torch(model: Any, images: Any, dtype: str) -> None:
    """Make one forward and backward pass in PyTorch, in the dtype "float32" or "float64"."""
    import numpy as np
    import torch

    width = getattr(torch, dtype)
    model.to(width).train()
    model(torch.tensor(np.moveaxis(images, -1, 1).copy(), dtype=width)).sum().backward()


def measure(name: str, what: str) -> dict[str, Any]:
    """Measure seconds and peak memory of the plain passes or of a check of one pair, in this process.

    Args:
        name: name of a pair, one of `MODES`.
        what: "plain", "check" (without probes), or "probes".
    """
    pair, load = _made(name), Load()
    before, worked = peak_bytes(), cpu_seconds()
    cost = _plain(name, pair) if what == "plain" else _check(pair, probes=what == "probes")
    return {
        "parameters": sum(p.numel() for p in pair[1].parameters()),
        "inputs": list(pair[2].shape),
        **cost,
        "cpu seconds": cpu_seconds() - worked,
        "made bytes": before,
        "peak bytes": peak_bytes(),
        "others": load.others(),
    }


def _made(name: str) -> Any:
    """The pair of that name: one of tests/pairs, or one that is here for its size alone."""
    from benchmarks.pairs.efficientnet_v2 import efficientnet_v2_s
    from tests.pairs import PAIRS

    return {"efficientnet_v2_s": efficientnet_v2_s, **PAIRS}[name]()


def cpu_seconds() -> float:
    """The seconds of processors that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _plain(name: str, pair: Any) -> dict[str, Any]:
    (module, variables), model, images, _ = pair
    mode = {keyword: True} if (keyword := MODES[name]) else {}
    passes = {
        f"{framework} {dtype}": _timed(work)
        for dtype in ("float32", "float64")
        for framework, work in (
            ("flax", lambda dtype=dtype: plain_flax(module, variables, images, mode, dtype)),
            ("torch", lambda dtype=dtype: plain_torch(model, images, dtype)),
        )
    }
    return {"passes": passes, "seconds": sum(passes.values())}


def _check(pair: Any, *, probes: bool) -> dict[str, Any]:
    import parity

    flax, torch, inputs, options = pair
    report = parity.compare(flax, torch, inputs, checks=parity.Checks(accept=ACCEPTED, probes=probes), **options)
    return {"seconds": report.seconds["total"], "parts": dict(report.seconds), "verdict": str(report.verdict)}


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def record(names: list[str], without: Sequence[str] = ()) -> dict[str, Any]:
    """Measure all pairs, each in processes of its own, and return the record.

    Args:
        names: names of the pairs.
        without: what of `WHATS` is left out.
    """
    whats = [what for what in WHATS if what not in without]
    pairs = {name: {what: _apart(name, what) for what in whats} for name in names}
    everything = [cost for pair in pairs.values() for cost in pair.values()]
    return {
        "command": " ".join([COMMAND, *names]),
        "pairs": pairs,
        "busy": any(map(noisy, everything)),
        "versions": versions(),
        "hardware": hardware(),
        "commit": commit(),
    }


def _apart(name: str, what: str) -> dict[str, Any]:
    """Measure in a process of its own, whose compiler takes nothing from a cache."""
    print(f"{name}: {what}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="netparity-") as folder:
        out = Path(folder) / "found.json"
        command = ["benchmarks.pairs.cost", "--one", name, what, str(out)]
        return process.launch(command, out, {"JAX_ENABLE_COMPILATION_CACHE": "false"})


def main(argv: list[str]) -> int:
    """Measure, print, and write the record; return the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="the record, a new file")
    parser.add_argument("--one", nargs=3, metavar=("PAIR", "WHAT", "FILE"), help="one of the processes of a record")
    parser.add_argument("--without", action="append", default=[], choices=WHATS[1:], help="leave that part out")
    parser.add_argument("names", nargs="*", metavar="PAIR", help=f"of {', '.join(MODES)} (all)")
    arguments = parser.parse_args(argv)
    if arguments.one:
        name, what, out = arguments.one
        write_atomically(Path(out), json.dumps(measure(name, what)) + "\n")
        return 0
    try:
        _require(arguments.names, arguments.json)
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    document = record(arguments.names or list(MODES), arguments.without)
    print(table(document, "", os.cpu_count() or 1))
    if arguments.json:
        write_atomically(arguments.json, json.dumps(document, indent=1) + "\n")
    return 0


def _require(names: list[str], out: Path | None) -> None:
    for name in names:
        if name not in MODES:
            raise unknown_name("pair", name, MODES)
    if out is not None and out.exists():
        raise UsageError(f"{out} exists; give another --json, records are not overwritten")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
