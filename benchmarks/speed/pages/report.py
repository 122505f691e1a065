"""What is said of a record: its folder's page and drawings, the HTML page, docs/speed.md and the README's block.

Beside the main record of a dated folder there may be others, each shown by a module of its own (`BESIDE`).
"""

import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.pages import blocks, drawing
from benchmarks.speed import record as records
from benchmarks.speed.derive import Record
from benchmarks.speed.pages import plots, table, targets
from benchmarks.speed.pages.page import Section, page, without_drawings
from parity.errors import UsageError
from parity.files import require_writable, write_atomically

NAME, README, HTML = "run.json", "README.md", "report.html"
TITLE = "Who trains faster: Flax or PyTorch"
BESIDE = (
    (
        "growth.json",
        "growth",
        "growth.page",
        "How the cost grows",
        "step time against batch, width, length and parameters",
    ),
    ("result.json", "time_to", "waits.page", "Time to a result", "accuracy over the seconds that training takes"),
)
"""File of a record, name of its section, module of this package that shows it, title, and what its figure shows."""
RATIOS = (
    "How many times faster each contestant's training step is than that of its framework's default track: the median "
    "of the rounds' ratios with its bootstrap 95 % interval. The last row is Flax tuned against PyTorch tuned. Grey: "
    "what equals differ by (A/A); what lies in it is not told apart."
)
PHASES = (
    "A process from its start to its first steady step, with empty caches of compiled programs (*cold*) and with full "
    "ones (*cached*). *Trace* and *compile* are parts of the first steps and of what JAX computes before them, as the "
    "frameworks tell. *Pays after*: training steps until it has caught up with its framework's default that started "
    "likewise."
)
ROOFLINE = (
    "Operations that a step needs at least, over the bytes that it must move at least, beneath the most that either "
    "framework reached on this machine. The floor is the longer of both times at these limits."
)
TARGETS = "What the project wants, judged by the medians of this record. A miss says by how much."


def newest(root: Path = ROOT) -> Path:
    """The newest main record.

    Raises:
        UsageError: there is none.
    """
    found = sorted((root / "benchmarks" / "records").glob(f"*-speed/{NAME}"))
    if not found:
        place = f"benchmarks/records/DATE-speed/{NAME}"
        raise UsageError(f"no {place} is there; name a record, or make one: python -m benchmarks run --out {place}")
    return found[-1]


def digest(path: Path) -> str:
    """Of a record's file; drawings carry it."""
    return f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()} of {path.name}"


def sections(path: Path) -> list[Section]:
    """All that is said of a main record and of those beside it.

    Raises:
        UsageError: a file is no record, or the module that shows it is missing.
    """
    record, source = records.load(path), digest(path)
    made = partial(_section, record, source)
    headline = f"{table.headline(record)}\n\n{targets.counted(record)}"
    return [
        Section("short", "In short", f"{headline}\n\n{table.busy(record)}".strip()),
        Section("targets", "Where it should end", f"{TARGETS}\n\n{targets.table(record)}"),
        made("ratios", "Ratios", RATIOS, plots.ratios),
        Section("workloads", "Every contestant", "\n".join(table.contestants(record))),
        made("phases", "Phases of the start", f"{PHASES}\n\n{table.starts(record)}", plots.phases),
        made("roofline", "Roofline", f"{ROOFLINE}\n\n{table.roofline(record)}", plots.roofline),
        *_beside(path.parent),
        Section("about", "How it was measured", about(record)),
    ]


def _section(record: Record, source: str, name: str, title: str, text: str, draw: Callable[[Record], Any]) -> Section:
    return Section(name, title, text, partial(draw, record), text.split(". ")[0].split(":")[0], source)


def _beside(folder: Path) -> Iterator[Section]:
    for file, name, module, title, label in BESIDE:
        path = folder / file
        if not path.is_file():
            continue
        if find_spec(f"benchmarks.{module}") is None:
            missing = f"benchmarks/{module.replace('.', '/')}.py"
            raise UsageError(f"{path} cannot be shown: {missing} is not there; remove one or add the other")
        shown, found = import_module(f"benchmarks.{module}"), records.load(path, path.stem)
        yield Section(name, title, shown.markdown(found), partial(shown.figure, found), label, digest(path))


def about(record: Record) -> str:
    """Machine, versions, settings and command of a record."""
    environment, request = record["environment"], record["request"]
    hardware, limit = environment["hardware"], record["ceilings"]["best"]
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    facts = {
        "date and commit": f"{environment['date']}, {environment['commit']}",
        "machine": f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['system']}, "
        f"{hardware['memory_bytes'] / 2**30:.3g} GiB; device {environment['device']}",
        "versions": versions,
        "settings": f"{request['precision']}, {request['threads']} threads, {request['rounds']} rounds of "
        f"{request['blocks']} blocks of at least {request['seconds']:g} s",
        "limits": f"{limit['gemm']:.3g} GFLOP/s matrix product, {limit['conv']:.3g} GFLOP/s convolution, "
        f"{limit['copy']:.3g} GB/s copy",
        "other processes": _others(record),
        "command": f"`{record['command']}`",
    }
    if environment["variables"]:
        facts["variables"] = ", ".join(f"{name}={value}" for name, value in environment["variables"].items())
    return "\n".join(f"- {name}: {fact}" for name, fact in facts.items())


def _others(record: Record) -> str:
    if record.get("others") is None:
        return "not known on this system"
    return f"{record['others']:.2g} cores busy on average{'; too much for these figures' if record['busy'] else ''}"


def outputs(path: Path, root: Path, html: Path | None = None) -> dict[Path, str]:
    """File → what it should hold.

    A record among the project's gets its folder's page and drawings; the newest of them docs/speed.md and the README's
    block too. Any other record gets the HTML page only, beside it.

    Args:
        path: the main record.
        root: of the project.
        html: where the HTML page goes.
    """
    found = sections(path)
    if path.resolve().parent.parent != (root / "benchmarks" / "records").resolve():
        return {html or path.with_suffix(".html"): page(TITLE, found)}
    folder = path.parent
    drawings = {one.id: drawing.file(one.draw(), one.source) for one in found if one.draw}
    made = {folder / f"{name}.svg": content for name, content in drawings.items()}
    made |= {html or folder / HTML: page(TITLE, found), folder / README: f"# {TITLE}\n\n{markdown(found, '')}\n"}
    if path.resolve() == newest(root).resolve():
        place = folder.resolve().relative_to(root.resolve()).as_posix()
        whole = {
            "speed": short(found, f"../{place}/"),
            "speed-in-short": table.turned(records.load(path)),
            "speed-about": found[-1].text,
        }
        for target in (root / "docs" / "speed.md", root / README):
            made[target] = blocks.filled(target.read_text(), whole)
    return made


def markdown(found: list[Section], place: str, *, level: int = 2) -> str:
    """The sections as Markdown, with the drawings in the folder `place`."""
    parts = []
    for one in found:
        deeper = re.sub(r"^#+", lambda marks: "#" * (len(marks[0]) + level - 2), one.text, flags=re.MULTILINE)
        picture = f"![{one.label}]({place}{one.id}.svg)\n\n" if one.draw else ""
        parts.append(f"{'#' * level} {one.title}\n\n{picture}{deeper.strip()}")
    return "\n\n".join(parts)


def short(found: list[Section], place: str) -> str:
    """The first section, and every figure with what it shows and the way to its table; for docs/speed.md.

    Args:
        found: the sections, the first of which is the headline.
        place: the folder of the record, as a link from the page.
    """
    figures = [
        f"**{one.title}.** {_sentence(one)} ([all of it]({place}{README}#{_anchor(one.title)}))\n\n"
        f"![{one.label}]({place}{one.id}.svg)"
        for one in found
        if one.draw
    ]
    rest = ", ".join(f"[{one.title}]({place}{README}#{_anchor(one.title)})" for one in found[1:-1] if not one.draw)
    return "\n\n".join([found[0].text, f"Tables without a figure: {rest}.", *figures])


def _sentence(found: Section) -> str:
    """What a figure shows: the text before the first table of its section, or its label where there is none."""
    text = found.text.partition("\n")[0]
    return f"{found.label[:1].upper()}{found.label[1:]}." if text.startswith(("#", "|")) else text


def _anchor(title: str) -> str:
    """The place of a heading in a page, as GitHub spells it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def differs(target: Path, wanted: str) -> bool:
    """Whether a file does not say what it should; of a drawing, whether it was made from another record."""
    if not target.is_file():
        return True
    there = target.read_text()
    if target.suffix == ".svg":
        source = re.search(r"<dc:source>(.*?)</dc:source>", wanted)
        return source is None or source[0] not in there
    return without_drawings(there) != without_drawings(wanted)


def write(made: Mapping[Path, str]) -> None:
    """Write what has changed, be it the lines of a drawing."""
    for target, content in made.items():
        if not target.is_file() or target.read_text() != content:
            write_atomically(target, content)
            print(f"wrote {target}", file=sys.stderr)


def check(made: Mapping[Path, str], path: Path) -> int:
    """1 where a file does not say what the record says; nothing is written."""
    stale = [target for target, content in made.items() if differs(target, content)]
    for target in stale:
        print(f"{target} does not say what {path} says; run python -m benchmarks report {path}", file=sys.stderr)
    return int(bool(stale))


def report(given: str | None, html: str | None, *, checked: bool, root: Path = ROOT) -> int:
    """The command: write the pages of a record, or check them.

    Args:
        given: a record, or the folder of one; None is the newest.
        html: where the HTML page goes; None is beside the record.
        checked: write nothing; 1 where a page does not say what the record says.
        root: of the project.

    Raises:
        UsageError: there is no such record, or a file cannot be written.
    """
    require_writable("--html", html)
    path = Path(given) if given else newest(root)
    path = path / NAME if path.is_dir() else path
    made = outputs(path, root, Path(html) if html else None)
    if checked:
        return check(made, path)
    write(made)
    return 0
