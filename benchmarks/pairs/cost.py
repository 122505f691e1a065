"""The cost of a check beside the plain passes that it needs, in time and in peak memory, by network.

    python -m benchmarks.pairs.cost --json FILE [PAIR…]     measure pairs of tests/pairs; by default four sizes

The plain passes are a forward and backward pass in training of each framework, in float32 and in float64, JAX's jitted,
with the time that it takes to compile. The plain passes, the check without probes and the check with them are a process
each, so that each has a peak memory of its own; programs are compiled anew. `python -m benchmarks.pairs.check --page`
writes docs/pairs.md from the newest record.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from benchmarks import RECORDS
from benchmarks.speed import process
from benchmarks.speed.load import Load
from benchmarks.speed.measure import noisy
from benchmarks.speed.own import peak_bytes
from parity.errors import UsageError, unknown_name
from parity.files import write_atomically
from parity.report.environment import commit, hardware, versions

COMMAND = "python -m benchmarks.pairs.cost"
ACCEPTED = ["running_var_bias"]
"""Conventions that the checks accept: Flax's BatchNorm differs in it by design, and so would every pair with one."""
MODES: Mapping[str, str | None] = {
    "convnext": None,
    "mobilenet_v2": "training",
    "resnet18": "train",
    "resnet50": "train",
}
"""Pair, in Linen → keyword that tells its Flax network whether it trains. The small ones come first."""
WHATS = ("plain", "check", "probes")
GIB = 2**30
WRAPPED: dict[str, Any] = {"width": 120, "break_on_hyphens": False, "break_long_words": False}


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
    from tests.pairs import PAIRS

    pair, load = PAIRS[name](), Load()
    before = peak_bytes()
    cost = _plain(name, pair) if what == "plain" else _check(pair, probes=what == "probes")
    return {
        "parameters": sum(p.numel() for p in pair[1].parameters()),
        "inputs": list(pair[2].shape),
        **cost,
        "made bytes": before,
        "peak bytes": peak_bytes(),
        "others": load.others(),
    }


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


def record(names: list[str]) -> dict[str, Any]:
    """Measure all pairs, each in processes of its own, and return the record."""
    pairs = {name: {what: _apart(name, what) for what in WHATS} for name in names}
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


def block(document: Mapping[str, Any], name: str) -> str:
    """The block of docs/pairs.md on a record, in the form of one network (until 2026-11-24) or of several.

    Args:
        found: the record.
        name: name of the record's file.
    """
    command = " ".join([COMMAND, *document.get("pairs", {})])
    source = f"([record](../benchmarks/records/{name}), made by `{command}`)"
    cores = document["hardware"]["cores"]
    return (_table if "pairs" in document else _sentence)(document, source, cores)


def _sentence(document: Mapping[str, Any], source: str, cores: int) -> str:
    check, ratio = document["check, seconds"], document["ratio"]
    plain = sum(document["plain passes, seconds"].values())
    return fill(
        f"ResNet-50 (25.6 million parameters, batch 2, 64×64) on {cores} cores, nothing compiled before: "
        f"{check['without probes']:.0f} s, {check['with probes']:.0f} s with the probes. The four plain forward and "
        f"backward passes that a check needs, each framework in both precisions, take {plain:.1f} s, nearly all of it "
        f"XLA's compiling: {ratio['without probes']:.1f} and {ratio['with probes']:.1f} times that {source}. "
        "That record is older than the layers fed alone, two forward passes a side, which took 9 % of the check "
        "without the probes (22 of 242 s, on a machine that was busy with other things).",
        **WRAPPED,
    )


def _table(document: Mapping[str, Any], source: str, cores: int) -> str:
    busy = " Other processes kept the machine busy meanwhile." if document["busy"] else ""
    about = fill(
        f"On {cores} cores, nothing compiled before. Plain are the four forward and backward passes in training that a "
        "check needs, each framework in both precisions, compiling included; × is times those. Memory is the peak of a "
        f"process of its own, both frameworks loaded {source}.{busy}",
        **WRAPPED,
    )
    head = (
        "pair",
        "parameters",
        *(f"{what}, {unit}" for unit in ("s", "GiB") for what in ("plain", "check", "with probes")),
    )
    rows = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(_row(*pair) for pair in document["pairs"].items())]
    return "\n".join([about, "", *rows])


def _row(name: str, pair: Mapping[str, Mapping[str, Any]]) -> str:
    cells = []
    for key, scale, form in (("seconds", 1, ".1f"), ("peak bytes", GIB, ".2f")):
        plain = pair["plain"][key]
        cells.append(f"{plain / scale:{form}}")
        cells += [f"{pair[w][key] / scale:{form}} ({pair[w][key] / plain:.1f} ×)" for w in ("check", "probes")]
    return f"| {name} | {pair['plain']['parameters']:,} | {' | '.join(cells)} |"


def main(argv: list[str]) -> int:
    """Measure, print, and write the record; return the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="the record, a new file")
    parser.add_argument("--one", nargs=3, metavar=("PAIR", "WHAT", "FILE"), help="one of the processes of a record")
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
    document = record(arguments.names or list(MODES))
    print(_table(document, "", os.cpu_count() or 1))
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
