"""One pair of the gallery in one process: its truth without the tool, or the tool's verdict on it."""

import copy
import time
import traceback
from typing import Any

from benchmarks.pairs.gallery.entry import GalleryPair
from benchmarks.speed.own import peak_bytes

SEED = 0


def truth(pair: GalleryPair) -> dict[str, Any]:
    """The gaps between the two networks, by the pair's own converter; see `benchmarks.pairs.gallery.truth`."""
    from benchmarks.pairs.gallery.truth import established

    return established(pair.make(), SEED)


def verdict(name: str, pair: GalleryPair) -> dict[str, Any]:
    """What the tool says of the pair, how much it mapped, and what it took.

    An exception is a result as well, with the verdict "traceback": none may leave `parity.compare`.

    Args:
        name: The pair's name.
        pair: The pair.
    """
    import parity
    from parity.backends.processes.configuration import keep_compiled_programs

    keep_compiled_programs()
    made = pair.make()
    before = peak_bytes()
    started = time.process_time()
    try:
        report = parity.compare(
            copy.copy(made.flax), made.torch, made.inputs, to_flax=made.to_flax, to_torch=made.to_torch, name=name,
            checks=pair.checks, seed=SEED,
        )  # fmt: skip
    except Exception as error:  # whatever it is, it is what the gallery is to show
        result: dict[str, Any] = {"verdict": "traceback", "error": traceback.format_exception_only(error)[-1].strip()}
    else:
        result = _summary(report)
    taken = {
        "cpu_seconds": time.process_time() - started,
        "loaded_gib": before / 2**30,
        "peak_gib": peak_bytes() / 2**30,
    }
    return {**result, **taken, "parameters": sum(p.numel() for p in made.torch.parameters())}


def _summary(report: Any) -> dict[str, Any]:
    first = report.first_difference
    return {
        "verdict": report.verdict,
        "rungs": {rung.name: rung.verdict for rung in report.rungs},
        "mapped": report.coverage.parameters,
        "layers": report.coverage.layers,
        "arrays": len(report.weights),
        "proven": sum(line.proven for line in report.weights),
        "idle": [line.torch for line in report.weights if not line.proven],
        "first": first
        and {
            "rung": first.rung,
            "mode": first.mode,
            "flax": first.layer_flax,
            "torch": first.layer_torch,
            "text": first.text,
            "cause": first.cause,
        },
        "conventions": [
            {"name": c.name, "text": c.text, "confirmed": c.confirmed, "accepted": c.accepted}
            for c in report.conventions
        ],
        "notes": list(report.notes),
        "not_run": {str(number): reason for number, reason in report.not_run.items()},
    }
