"""The record of steps on many chips, which runs add to, and the tables that are made of it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from typing_extensions import TypedDict

from benchmarks.speed.pages.table import markdown
from benchmarks.tpu.collectives import Collective
from benchmarks.tpu.pods import STEPS, Memory, Pod, batches, expected
from benchmarks.tpu.record import LABEL, SHOWN, Record, require_known, size
from parity import documents
from parity.errors import UsageError

TITLES = {"weak": "the batch a chip fixed", "strong": "the whole batch fixed"}
CHIPS_SHOWN = 64
"""Number of chips of the rows that stand on the page."""
REMEDY = "name another --json, or remove it"
HEADER = (
    "chip", "chips", "batch", "a chip", "precision", "effort", "needs", "arguments", "temporaries", "collectives",
    "exchanged", "of expected", "ring", "compiled in",
)  # fmt: skip


class Kept(TypedDict):
    """A record as it is read back."""

    label: Literal["compiler estimate"]
    runs: list[dict[str, Any]]
    pods: list[Pod]
    failures: list[str]


def empty() -> Record:
    """A record without anything in it."""
    return {"label": LABEL, "runs": [], "pods": [], "failures": []}


def read(path: Path) -> Record:
    """Read the record at a path; an empty one where there is none.

    Raises:
        UsageError: the file is no such record.
    """
    if not path.exists():
        return empty()
    record: Record = documents.read(path, Kept, REMEDY)
    require_known(path, record["pods"])
    for row in record["pods"]:
        if row["batch"] % row["chips"]:
            raise UsageError(
                f"{path}: got a batch of {row['batch']} on {row['chips']} chips, each with the same part; {REMEDY}"
            )
    return record


def pod(row: Mapping[str, Any]) -> Pod:
    """The estimate of a row of the record."""
    parts = {
        "memory": Memory(**row["memory"]),
        "collectives": [Collective(**collective) for collective in row["collectives"]],
    }
    return Pod(**{**row, **parts})


def pods(record: Record) -> list[Pod]:
    """The estimates of all rows of the record."""
    return [pod(row) for row in record["pods"]]


def table(rows: Sequence[Pod]) -> str:
    """A Markdown table with a row for each estimate; bytes are a chip's, and but for the ring's the compiler's."""
    return markdown(HEADER, [_cells(row) for row in rows])


def _cells(row: Pod) -> list[str]:
    arithmetic = expected(row.workload, row.batch // row.chips)
    return [
        row.chip,
        f"{row.chips}",
        f"{row.batch}",
        f"{row.batch // row.chips}",
        row.precision,
        row.effort,
        size(row.needed_bytes),
        size(row.memory.argument),
        size(row.memory.temp),
        counted(row.collectives),
        size(row.step_bytes),
        ratio(row.step_bytes, arithmetic.exchanged),
        size(row.ring_bytes),
        f"{row.compile_seconds:.1f} s",
    ]


def counted(collectives: Sequence[Collective]) -> str:
    """The number of collectives of each kind, and their runs where there is more than one, in words."""
    kinds: Counter[tuple[str, int]] = Counter()
    for collective in collectives:
        kinds[collective.kind, collective.times] += collective.count
    return ", ".join(f"{n} {kind}{f' {times} times' * (times > 1)}" for (kind, times), n in kinds.items()) or "none"


def ratio(number: float, of: float) -> str:
    """The quotient of two numbers, with enough digits to differ from 1; a dash where the second is 0."""
    return f"{number / of:.4g}" if of else "–"


def compared(steps: Sequence[Pod]) -> str:
    """A table of the compiler's bytes against those by arithmetic on the recipe."""
    header = ("effort", "chips", "of a chip", "expected", "found", "ratio")
    rows = _alike((cells, row) for row in steps for cells in _compared(row))
    return markdown(header, [[_efforts(on), _sizes(on), *cells] for cells, on in rows])


def _compared(row: Pod) -> Iterator[tuple[str, ...]]:
    arithmetic = expected(row.workload, row.batch // row.chips)
    for what, expectation, value in (
        ("exchanged in a step", arithmetic.exchanged, row.step_bytes),
        ("of that BatchNorm's", arithmetic.norms, row.norm_bytes),
        ("arguments", arithmetic.arguments, row.argument_bytes),
        ("arguments in tiles", row.tiled_bytes, row.memory.argument),
        ("temporaries", arithmetic.gradients + arithmetic.outputs, row.memory.temp),
    ):
        if expectation:
            yield what, f"{expectation:,}", f"{value:,}", ratio(value, expectation)


def listed(steps: Sequence[Pod]) -> str:
    """A table of every collective of these steps."""
    header = ("effort", "chips", "kind", "instructions", "runs of each", "arrays", "types", "bytes of a run")
    rows = _alike((_listed(collective), row) for row in steps for collective in row.collectives)
    return markdown(header, [[_efforts(on), _sizes(on), *cells] for cells, on in rows])


def _listed(collective: Collective) -> tuple[str, ...]:
    return (
        collective.kind,
        f"{collective.count}",
        f"{collective.times}",
        f"{collective.arrays}",
        collective.types,
        f"{collective.bytes:,}",
    )


def _alike(pairs: Iterable[tuple[tuple[str, ...], Pod]]) -> list[tuple[tuple[str, ...], list[Pod]]]:
    """Equal cells grouped: cells → the steps that have them."""
    on: dict[tuple[str, ...], list[Pod]] = {}
    for cells, row in pairs:
        on.setdefault(cells, []).append(row)
    return list(on.items())


def _efforts(rows: Sequence[Pod]) -> str:
    return ", ".join(sorted({row.effort for row in rows}))


def _sizes(rows: Sequence[Pod]) -> str:
    return ", ".join(map(str, sorted({row.chips for row in rows})))


def tables(record: Record) -> list[str]:
    """The parts of the file beside the record: every step on every number of chips, its collectives, and arithmetic."""
    rows = sorted(pods(record), key=_place)
    parts = [part for step in STEPS for part in _tables(step, [row for row in rows if row.workload == step])]
    return [*parts, *(f"Failed, and not above: {failure}" for failure in record["failures"])]


def page(record: Record) -> dict[str, str]:
    """The block of docs/tpu.md: a row for each step on 64 chips that each have the study's batch."""
    head = ("step on 64 chips", "batch", "needs", "temporaries", "collectives", "exchanged", "of expected")
    rows = [row for row in pods(record) if (row.chip, row.precision, row.effort) == SHOWN and row.chips == CHIPS_SHOWN]
    weak = [row for row in rows if row.workload in STEPS and row.batch == batches(row.workload, row.chips)["weak"]]
    return {"pods": markdown(head, map(_page_cells, sorted(weak, key=lambda row: STEPS.index(row.workload))))}


def _page_cells(row: Pod) -> list[str]:
    cells = dict(zip(HEADER, _cells(row), strict=True))
    names = ("batch", "needs", "temporaries", "collectives", "exchanged", "of expected")
    return [row.workload, *(cells[name] for name in names)]


def _tables(step: str, steps: Sequence[Pod]) -> Iterator[str]:
    weak, strong = ([row for row in steps if row.batch == batches(step, row.chips)[s]] for s in TITLES)
    swept = {_compiled(row) for row in strong if row not in weak}
    strong = [row for row in strong if _compiled(row) in swept]  # what is not one size of a weak row alone
    for title, rows in zip(TITLES.values(), (weak, strong), strict=True):
        if rows:
            yield f"## {step}, {title} ({LABEL}s)\n\n{table(rows)}"
    if study := [row for row in weak if (row.chip, row.precision) == ("v5e", "highest")]:
        yield f"Its collectives on v5e, the batch a chip fixed, *highest* ({LABEL}s):\n\n{listed(study)}"
        yield f"The same steps against arithmetic, in bytes ({LABEL}s but for what is expected):\n\n{compared(study)}"


def _compiled(row: Pod) -> tuple[str, ...]:
    return row.effort, row.chip, row.precision


def _place(row: Pod) -> tuple[Any, ...]:
    return *_compiled(row), row.chips, row.batch
