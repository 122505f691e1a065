"""A record as Markdown tables."""

from collections.abc import Callable, Iterable, Sequence
from math import ceil, inf
from typing import Any

from benchmarks.contestants import ENTRIES, workload
from benchmarks.speed import arithmetic, derive, stats
from benchmarks.speed.derive import DEFAULT, TUNED, Record
from benchmarks.speed.measure import NOISY
from benchmarks.speed.measure import busy as is_busy

NONE = "–"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows as a Markdown table; its first column is text, the others are aligned alike."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def table(record: Record) -> str:
    """The tables of every workload: training and inference of each contestant, and those that were not timed."""
    parts = contestants(record)
    return "\n".join([*parts, busy(record)]).rstrip()


def busy(record: Record) -> str:
    """Say in how many turns other processes kept the machine busy; "" if in none."""
    return disturbed([is_busy(turn) for part in record["workloads"].values() for turn in part["turns"]], "turns")


def disturbed(flags: Sequence[bool], what: str) -> str:
    """Say in how many measurements, which are called `what`, others kept the machine busy; "" if in none."""
    number = f"{sum(flags)} of {len(flags)} {what}"
    return f"**In {number} others kept more than {NOISY:g} cores busy.**" if any(flags) else ""


def contestants(record: Record) -> list[str]:
    """The lines of every workload: its title, its table, and the contestants that were not timed."""
    return [part for name in record["workloads"] for part in (*_workload(record, name), "")]


def _workload(record: Record, name: str) -> list[str]:
    part = record["workloads"][name]
    noise = derive.noise(record, name)
    notes = [
        *untimed(part),
        *([f"A/A ({noise['contestant']} against itself): {times(noise)}"] if noise else []),
    ]
    return [f"### {part['title']} (`{name}`)", "", rows(record, name), "", *(f"- {note}" for note in notes)]


def untimed(part: Record) -> list[str]:
    """The contestants that were not timed in a part of a record, with the reason: absent, not proven, or failed."""
    proofs = {c: proof for c, proof in part["proofs"].items() if not proof["verdict"].startswith("same")}
    failed = (f"{_turn(turn)}: failed: {turn['error']}" for turn in part["turns"] if "error" in turn)
    return [
        *(f"{c}: {reason}" for c, reason in part.get("absent", {}).items()),
        *(f"{c}: no number, for it is {p['verdict']} ({p['where'] or p['reason']})" for c, p in proofs.items()),
        *sorted(set(failed)),
    ]


def _turn(turn: Record) -> str:
    return f"{turn['contestant']}, seed {turn['seed']}" if "seed" in turn else str(turn["contestant"])


def rows(record: Record, name: str) -> str:
    """The table of one workload, with a row for each contestant."""
    head = (
        "contestant", "track", "proof", "training, ms a step", "against its default", "of the floor", "bound",
        "inference, ms", "data alone, ms", "J a step",
    )  # fmt: skip
    floor = derive.floor(record, name)
    lines = []
    for contestant in derive.contestants(record, name):
        took, default = derive.seconds(record, name, contestant, "training"), DEFAULT[ENTRIES[contestant].framework]
        lines.append(
            [
                contestant,
                ENTRIES[contestant].track,
                proof(record["workloads"][name]["proofs"][contestant]),
                milliseconds(took),
                "1" if contestant == default else times(derive.ratio(record, name, default, contestant)),
                f"{derive.share(record, name, contestant):.0%}",
                floor.bound(took["median"]),
                milliseconds(derive.seconds(record, name, contestant, "inference")),
                _summed_up(derive.values(record, name, contestant, "pipeline"), milliseconds),
                _summed_up(derive.joules(record, name, contestant), lambda spread: digits(spread["median"])),
            ]
        )
    return markdown(*_filled(head, lines))


def _summed_up(values: Sequence[float], words: Callable[[dict[str, float]], str]) -> str:
    return words(stats.spread(values)) if values else NONE


def _filled(head: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """The head and the rows without the columns that are empty."""
    kept = [i for i in range(len(head)) if any(row[i] != NONE for row in rows)]
    return [head[i] for i in kept], [[row[i] for i in kept] for row in rows]


def headline(record: Record) -> str:
    """A table with a row for each workload: the tuned step of both frameworks."""
    head = ("workload", "Flax, ms a step", "PyTorch, ms a step", "PyTorch / Flax", "of the floor", "bound")
    return markdown(head, (_headline(record, name) for name in record["workloads"]))


def _headline(record: Record, name: str) -> list[str]:
    title, timed = record["workloads"][name]["title"], derive.contestants(record, name)
    step = [milliseconds(derive.seconds(record, name, c, "training")) if c in timed else NONE for c in TUNED.values()]
    best = derive.best(record, name, list(TUNED.values()))
    if best is None:
        return [title, *step, NONE, NONE, NONE]
    bound = derive.floor(record, name).bound(derive.seconds(record, name, best, "training")["median"])
    against = times(derive.ratio(record, name, TUNED["torch"], TUNED["jax"]))
    return [title, *step, against, f"{derive.share(record, name, best):.0%}", bound]


def turned(record: Record) -> str:
    """A table with a column for each workload: the tuned step of both frameworks."""
    lines = [_headline(record, name)[:4] for name in record["workloads"]]
    head, *rows = zip(["training step, ms", "Flax", "PyTorch", "PyTorch / Flax"], *lines, strict=True)
    return markdown(head, rows)


def starts(record: Record) -> str:
    """A table of every contestant's phases of the start, cold and cached, and the steps that pay for them."""
    names = ("import", "data", "init", "first step", "first single step", *derive.COMPILING)
    head = ("workload", "contestant", "caches", *(f"{name}, s" for name in names), "steady step, ms", "pays after")
    lines = []
    for name in record["workloads"]:
        for contestant in derive.contestants(record, name):
            phases = derive.phases(record, name, contestant)
            step = milliseconds(derive.seconds(record, name, contestant, "training"))
            for kind in derive.start(record, name, contestant):
                cells = [f"{phases[p][kind]:.3g}" if p in phases else NONE for p in names]
                paid = steps(derive.payback(record, name, contestant, kind))
                is_default = contestant in DEFAULT.values()
                lines.append([f"`{name}`", contestant, kind, *cells, step, NONE if is_default else paid])
    return markdown(*_filled(head, lines))


def roofline(record: Record) -> str:
    """A table of each step's place beneath the machine's roofs."""
    head = (
        "workload",
        "FLOPs a step",
        "bytes a step",
        "FLOP/byte",
        "floor, ms",
        "contestant",
        "GFLOP/s",
        "of the floor",
    )
    lines = []
    for name in record["workloads"]:
        work, floor = arithmetic.training(workload.load(name).recipe), derive.floor(record, name)
        same = [
            f"{work.total:.3g}",
            f"{work.bytes:.3g}",
            f"{work.total / work.bytes:.3g}",
            f"{1e3 * floor.seconds:.3g}",
        ]
        for contestant in derive.contestants(record, name):
            reached = f"{derive.achieved(record, name, contestant) / 1e9:.3g}"
            share = f"{derive.share(record, name, contestant):.0%}"
            lines.append([f"`{name}`", *same, contestant, reached, share])
    return markdown(head, lines)


def proof(result: dict[str, Any]) -> str:
    """The verdict of the gate, and the gap that it rests on."""
    return result["verdict"] if result["share"] is None else f"{result['verdict']}, {result['share']:.2g} × rounding"


def milliseconds(spread: dict[str, float]) -> str:
    """The median ± MAD of seconds, in milliseconds; one value has no spread."""
    median = digits(1e3 * spread["median"])
    return median if spread["n"] == 1 else f"{median} ± {digits(1e3 * spread['mad'], 1)}"


def digits(value: float, count: int = 3) -> str:
    """A number with `count` significant digits, and never an exponent if it is large."""
    return f"{value:,.0f}" if value >= 10**count else f"{value:.{count}g}"


def times(ratio: dict[str, Any] | None) -> str:
    """A ratio and its interval, such as "1.52 × (1.48–1.57)"; a dash for None."""
    if ratio is None:
        return NONE
    if ratio["low"] is None:
        return f"{_factor(ratio['median'])} ×"
    return f"{_factor(ratio['median'])} × ({_factor(ratio['low'])}–{_factor(ratio['high'])})"


def _factor(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def steps(count: float | None) -> str:
    """A number of steps in words; "never" for inf, a dash for None."""
    if count is None:
        return NONE
    if count == inf:
        return "never"
    return "at once" if count == 0 else f"{ceil(count):,} step{'' if count <= 1 else 's'}"
