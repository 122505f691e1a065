"""A record as Markdown tables."""

from typing import Any

from benchmarks import derive
from benchmarks.contestants import ENTRIES
from benchmarks.derive import Record

REFERENCE = {"jax": "flax-default", "torch": "torch-default"}
"""Default track of each framework."""


def table(record: Record) -> str:
    """Every workload: training and inference of each contestant, and what was not timed."""
    parts = []
    for name, found in record["workloads"].items():
        parts += [f"### {found['title']} (`{name}`)", rows(record, name)]
        parts += [f"- {c}: {reason}" for c, reason in found["absent"].items()]
        parts += [
            f"- {c}: no number, for it is {proof['verdict']} ({proof['where'] or proof['reason']})"
            for c, proof in found["proofs"].items()
            if not proof["verdict"].startswith("same")
        ]
        parts += sorted({f"- {t['contestant']}: failed: {t['error']}" for t in found["turns"] if "error" in t})
        if (aa := derive.noise(record, name)) is not None:
            parts.append(f"- A/A ({aa['contestant']} against itself): {times(aa)}")
        parts.append("")
    if record["busy"]:
        parts.append("**Other processes kept the machine busy during this run; the figures are not to be trusted.**")
    return "\n".join(parts)


def rows(record: Record, name: str) -> str:
    """One workload."""
    head = (
        "contestant",
        "track",
        "training, ms a step",
        "against its default",
        "of the floor",
        "bound",
        "inference, ms",
    )
    lines = [head, ["---"] * len(head)]
    for contestant in derive.contestants(record, name):
        took = derive.seconds(record, name, contestant, "training")
        floor, default = derive.floor(record, name), REFERENCE[ENTRIES[contestant].framework]
        timed = derive.contestants(record, name)
        against = times(derive.ratio(record, name, default, contestant)) if default in timed else "–"
        lines.append(
            [
                contestant,
                ENTRIES[contestant].track,
                milliseconds(took),
                "1" if contestant == default else against,
                f"{floor.seconds / took['median']:.0%}",
                floor.bound(took["median"]),
                milliseconds(derive.seconds(record, name, contestant, "inference")),
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def milliseconds(found: dict[str, float]) -> str:
    """Median ± MAD of seconds, in milliseconds."""
    return f"{1e3 * found['median']:.3g} ± {1e3 * found['mad']:.1g}"


def times(found: dict[str, Any]) -> str:
    """A ratio and its interval."""
    if found["low"] is None:
        return f"{found['median']:.2f} ×"
    return f"{found['median']:.2f} × ({found['low']:.2f}–{found['high']:.2f})"
