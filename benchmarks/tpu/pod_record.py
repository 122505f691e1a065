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
    """The record at a path; an empty one where there is none.

    Raises:
        UsageError: what is there is no record.
    """
    if not path.exists():
        return empty()
    found: Record = documents.read(path, Kept, REMEDY)
    require_known(path, found["pods"])
    for row in found["pods"]:
        if row["batch"] % row["chips"]:
            raise UsageError(
                f"{path}: got a batch of {row['batch']} on {row['chips']} chips, each with the same part; {REMEDY}"
            )
    return found


def pod(row: Mapping[str, Any]) -> Pod:
    """A row of it."""
    parts = {"memory": Memory(**row["memory"]), "collectives": [Collective(**one) for one in row["collectives"]]}
    return Pod(**{**row, **parts})


def pods(record: Record) -> list[Pod]:
    """Its rows."""
    return [pod(row) for row in record["pods"]]


def table(found: Sequence[Pod]) -> str:
    """A step on so many chips a row, as Markdown; bytes are a chip's, and all but the ring's the compiler's."""
    return markdown(HEADER, [_cells(one) for one in found])


def _cells(one: Pod) -> list[str]:
    said = expected(one.workload, one.batch // one.chips)
    return [
        one.chip,
        f"{one.chips}",
        f"{one.batch}",
        f"{one.batch // one.chips}",
        one.precision,
        one.effort,
        size(one.needed_bytes),
        size(one.memory.argument),
        size(one.memory.temp),
        counted(one.collectives),
        size(one.step_bytes),
        ratio(one.step_bytes, said.exchanged),
        size(one.ring_bytes),
        f"{one.compile_seconds:.1f} s",
    ]


def counted(found: Sequence[Collective]) -> str:
    """How many of each kind there are, and how often they run where that is more than once."""
    kinds: Counter[tuple[str, int]] = Counter()
    for one in found:
        kinds[one.kind, one.times] += one.count
    return ", ".join(f"{n} {kind}{f' {times} times' * (times > 1)}" for (kind, times), n in kinds.items()) or "none"


def ratio(found: float, of: float) -> str:
    """One number in another, in so many digits that it is told from 1."""
    return f"{found / of:.4g}" if of else "–"


def compared(found: Sequence[Pod]) -> str:
    """What the compiler says against what the recipe does."""
    header = ("effort", "chips", "of a chip", "expected", "found", "ratio")
    rows = _alike((cells, one) for one in found for cells in _compared(one))
    return markdown(header, [[_efforts(on), _sizes(on), *cells] for cells, on in rows])


def _compared(one: Pod) -> Iterator[tuple[str, ...]]:
    said = expected(one.workload, one.batch // one.chips)
    for what, expectation, seen in (
        ("exchanged in a step", said.exchanged, one.step_bytes),
        ("of that BatchNorm's", said.norms, one.norm_bytes),
        ("arguments", said.arguments, one.argument_bytes),
        ("arguments in tiles", one.tiled_bytes, one.memory.argument),
        ("temporaries", said.gradients + said.outputs, one.memory.temp),
    ):
        if expectation:
            yield what, f"{expectation:,}", f"{seen:,}", ratio(seen, expectation)


def listed(found: Sequence[Pod]) -> str:
    """Every collective of these steps."""
    header = ("effort", "chips", "kind", "instructions", "runs of each", "arrays", "types", "bytes of a run")
    rows = _alike((_listed(collective), one) for one in found for collective in one.collectives)
    return markdown(header, [[_efforts(on), _sizes(on), *cells] for cells, on in rows])


def _listed(one: Collective) -> tuple[str, ...]:
    return one.kind, f"{one.count}", f"{one.times}", f"{one.arrays}", one.types, f"{one.bytes:,}"


def _alike(found: Iterable[tuple[tuple[str, ...], Pod]]) -> list[tuple[tuple[str, ...], list[Pod]]]:
    """What is said, and of which steps the very same is."""
    on: dict[tuple[str, ...], list[Pod]] = {}
    for cells, one in found:
        on.setdefault(cells, []).append(one)
    return list(on.items())


def _efforts(found: Sequence[Pod]) -> str:
    return ", ".join(sorted({one.effort for one in found}))


def _sizes(found: Sequence[Pod]) -> str:
    return ", ".join(map(str, sorted({one.chips for one in found})))


def tables(record: Record) -> list[str]:
    """Every step on every number of chips, its collectives, and arithmetic; these lie beside the record."""
    rows = sorted(pods(record), key=_place)
    parts = [part for step in STEPS for part in _tables(step, [row for row in rows if row.workload == step])]
    return [*parts, *(f"Failed, and not above: {failure}" for failure in record["failures"])]


def page(record: Record) -> dict[str, str]:
    """The block of docs/tpu.md: a row for each step on 64 chips that each have the study's batch."""
    head = ("step on 64 chips", "batch", "needs", "temporaries", "collectives", "exchanged", "of expected")
    rows = [row for row in pods(record) if (row.chip, row.precision, row.effort) == SHOWN and row.chips == CHIPS_SHOWN]
    weak = [row for row in rows if row.workload in STEPS and row.batch == batches(row.workload, row.chips)["weak"]]
    return {"pods": markdown(head, map(_shown, sorted(weak, key=lambda row: STEPS.index(row.workload))))}


def _shown(row: Pod) -> list[str]:
    cells = dict(zip(HEADER, _cells(row), strict=True))
    names = ("batch", "needs", "temporaries", "collectives", "exchanged", "of expected")
    return [row.workload, *(cells[name] for name in names)]


def _tables(step: str, found: Sequence[Pod]) -> Iterator[str]:
    weak, strong = ([one for one in found if one.batch == batches(step, one.chips)[s]] for s in TITLES)
    swept = {_compiled(one) for one in strong if one not in weak}
    strong = [one for one in strong if _compiled(one) in swept]  # what is not one size of a weak row alone
    for title, rows in zip(TITLES.values(), (weak, strong), strict=True):
        if rows:
            yield f"## {step}, {title} ({LABEL}s)\n\n{table(rows)}"
    if study := [one for one in weak if (one.chip, one.precision) == ("v5e", "highest")]:
        yield f"Its collectives on v5e, the batch a chip fixed, *highest* ({LABEL}s):\n\n{listed(study)}"
        yield f"The same steps against arithmetic, in bytes ({LABEL}s but for what is expected):\n\n{compared(study)}"


def _compiled(one: Pod) -> tuple[str, ...]:
    return one.effort, one.chip, one.precision


def _place(one: Pod) -> tuple[Any, ...]:
    return *_compiled(one), one.chips, one.batch
