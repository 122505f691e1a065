"""The pages of a record: its folder's page and drawings, the HTML page, docs/speed.md and the README's block.

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
from benchmarks.speed import timed_code
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
"""File of a record, name of its section, module of this package that shows it, title, and description of its figure."""
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
    """The path of the newest main record.

    Raises:
        UsageError: there is none.
    """
    paths = sorted((root / "benchmarks" / "records").glob(f"*-speed/{NAME}"))
    if not paths:
        place = f"benchmarks/records/DATE-speed/{NAME}"
        raise UsageError(f"no {place} is there; name a record, or make one: python -m benchmarks run --out {place}")
    return paths[-1]


def digest(path: Path) -> str:
    """The SHA-256 of a record's file in words, which the drawings carry."""
    return f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()} of {path.name}"


def sections(path: Path) -> list[Section]:
    """The sections on a main record and on those beside it.

    Raises:
        UsageError: a file is no record, or the module that shows it is missing.
    """
    record, source = records.load(path), digest(path)
    drawn = partial(_section, record, source)
    headline = f"{table.headline(record)}\n\n{targets.counted(record)}"
    return [
        Section("short", "In short", f"{headline}\n\n{table.busy(record)}".strip()),
        Section("targets", "Where it should end", f"{TARGETS}\n\n{targets.table(record)}"),
        drawn("ratios", "Ratios", RATIOS, plots.ratios),
        Section("workloads", "Every contestant", "\n".join(table.contestants(record))),
        drawn("phases", "Phases of the start", f"{PHASES}\n\n{table.starts(record)}", plots.phases),
        drawn("roofline", "Roofline", f"{ROOFLINE}\n\n{table.roofline(record)}", plots.roofline),
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
        page_module, record = import_module(f"benchmarks.{module}"), records.load(path, path.stem)
        yield Section(
            name, title, page_module.markdown(record), partial(page_module.figure, record), label, digest(path)
        )


def about(record: Record) -> str:
    """A list of the machine, versions, settings and command of a record."""
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
    """File → the text that it should hold.

    A record among the project's gets its folder's page and drawings; the newest of them docs/speed.md and the README's
    block too. Any other record gets the HTML page only, beside it.

    Args:
        path: the main record.
        root: folder of the project.
        html: path of the HTML page; None puts it beside the record.
    """
    contents = sections(path)
    if path.resolve().parent.parent != (root / "benchmarks" / "records").resolve():
        return {html or path.with_suffix(".html"): page(TITLE, contents)}
    folder = path.parent
    drawings = {section.id: drawing.file(section.draw(), section.source) for section in contents if section.draw}
    texts = {folder / f"{name}.svg": content for name, content in drawings.items()}
    texts |= {html or folder / HTML: page(TITLE, contents), folder / README: f"# {TITLE}\n\n{markdown(contents, '')}\n"}
    if path.resolve() == newest(root).resolve():
        place = folder.resolve().relative_to(root.resolve()).as_posix()
        whole = {
            "speed": short(contents, f"../{place}/"),
            "speed-in-short": table.turned(records.load(path)),
            "speed-about": contents[-1].text,
            "speed-since": timed_code.since(path, records.load(path), root),
        }
        for target in (root / "docs" / "speed.md", root / README):
            texts[target] = blocks.filled(target.read_text(), whole)
    return texts


def markdown(content: list[Section], place: str, *, level: int = 2) -> str:
    """The sections as Markdown.

    Args:
        content: the sections.
        place: folder of the drawings, as the beginning of a link from the page.
        level: level of the sections' headings.
    """
    parts = []
    for section in content:
        deeper = re.sub(r"^#+", lambda marks: "#" * (len(marks[0]) + level - 2), section.text, flags=re.MULTILINE)
        picture = f"![{section.label}]({place}{section.id}.svg)\n\n" if section.draw else ""
        parts.append(f"{'#' * level} {section.title}\n\n{picture}{deeper.strip()}")
    return "\n\n".join(parts)


def short(content: list[Section], place: str) -> str:
    """The block of docs/speed.md: the first section, and every figure with a sentence on it and a link to its table.

    Args:
        content: the sections, the first of which is the headline.
        place: the folder of the record, as a link from the page.
    """
    figures = [
        f"**{section.title}.** {_sentence(section)} ([all of it]({place}{README}#{_anchor(section.title)}))\n\n"
        f"![{section.label}]({place}{section.id}.svg)"
        for section in content
        if section.draw
    ]
    rest = ", ".join(
        f"[{section.title}]({place}{README}#{_anchor(section.title)})" for section in content[1:-1] if not section.draw
    )
    return "\n\n".join([content[0].text, f"Tables without a figure: {rest}.", *figures])


def _sentence(section: Section) -> str:
    """A sentence on a figure: the first line of its section, or its label where that line is a heading or a table."""
    text = section.text.partition("\n")[0]
    return f"{section.label[:1].upper()}{section.label[1:]}." if text.startswith(("#", "|")) else text


def _anchor(title: str) -> str:
    """The anchor of a heading, as GitHub spells it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def differs(target: Path, wanted: str) -> bool:
    """Whether a file differs from the wanted text; a drawing differs if it was made from another record."""
    if not target.is_file():
        return True
    there = target.read_text()
    if target.suffix == ".svg":
        source = re.search(r"<dc:source>(.*?)</dc:source>", wanted)
        return source is None or source[0] not in there
    return without_drawings(there) != without_drawings(wanted)


def write(texts: Mapping[Path, str]) -> None:
    """Write the files whose text has changed, even if only in the lines of a drawing."""
    for target, content in texts.items():
        if not target.is_file() or target.read_text() != content:
            write_atomically(target, content)
            print(f"wrote {target}", file=sys.stderr)


def check(texts: Mapping[Path, str], path: Path) -> int:
    """Compare the files with their texts, without writing; return 1 where one differs, else 0."""
    stale = [target for target, content in texts.items() if differs(target, content)]
    for target in stale:
        print(f"{target} does not say what {path} says; run python -m benchmarks report {path}", file=sys.stderr)
    return int(bool(stale))


def report(source: str | None, html: str | None, *, checked: bool, root: Path = ROOT) -> int:
    """Write the pages of a record, or check them; return the exit code.

    Args:
        source: path of a record or of its folder; None takes the newest.
        html: path of the HTML page; None puts it beside the record.
        checked: whether to write nothing and return 1 where a page differs from the record.
        root: folder of the project.

    Raises:
        UsageError: there is no such record, or a file cannot be written.
    """
    require_writable("--html", html)
    path = Path(source) if source else newest(root)
    path = path / NAME if path.is_dir() else path
    texts = outputs(path, root, Path(html) if html else None)
    if checked:
        return check(texts, path)
    write(texts)
    return 0
