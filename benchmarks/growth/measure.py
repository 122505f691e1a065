"""The growth of a step's time with batch, width, length and number of parameters: `python -m benchmarks growth`.

Each contestant goes along a series of sizes in a fresh process, in turns over rounds. The very programs that are timed
are proven at the smallest and the largest size of a series first. PyTorch's compiled loop can be asked for by name; by
default its eager one is timed, for PyTorch compiles a small network anew at each size: the RNN of T = 10 took 171 s
on a busy core, and that of T = 64 is a program six times as long.
"""

import argparse
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from benchmarks import contestants
from benchmarks.contestants import workload
from benchmarks.speed import process, record
from benchmarks.speed.gate import Gate
from benchmarks.speed.load import Load
from benchmarks.speed.measure import caches_in, noisy
from benchmarks.speed.record import Note
from benchmarks.speed.worker import Job
from parity.checks.verdict import Verdict
from parity.errors import UsageError, unknown_name

CONTESTANTS = ("flax-tuned", "torch-eager")
MLP, RNN = "CIFAR MLP, batch 128", "RNN, T = 5, batch 128"


@dataclass(frozen=True)
class Series:
    """Sizes of one workload along one axis.

    Args:
        title: description of all that stays the same.
        base, axis: name of a workload, and of one of `benchmarks.contestants.workload.AXES`.
        values: sizes along the axis, in ascending order.
    """

    title: str
    base: str
    axis: str
    values: tuple[int, ...]

    def names(self, points: int | None) -> list[str]:
        """Names of its workloads, all or `points` of them, with the smallest and the largest among them."""
        count = len(self.values)
        kept = range(count) if points is None else sorted({i * (count - 1) // (points - 1) for i in range(points)})
        return [f"{self.base}:{self.axis}={self.values[i]}" for i in kept]


BATCHES, WIDTHS = tuple(4**k for k in range(6)), tuple(2**k for k in range(4, 10))
SERIES = {
    "mlp-batch": Series("CIFAR MLP", "mlp", "batch", BATCHES),
    "rnn-batch": Series("RNN, T = 5", "rnn-5", "batch", BATCHES),
    "rnn-width": Series(RNN, "rnn-5", "width", WIDTHS),
    "mlp-width": Series(
        f"{MLP}, width of the first of three hidden layers", "mlp", "width", tuple(2 * w for w in WIDTHS)
    ),
    "rnn-length": Series("RNN, batch 128", "rnn-5", "length", tuple(2**k for k in range(1, 7))),
    "mlp-parameters": Series(
        "point MLP with two hidden layers, batch 800", "points", "parameters", tuple(10**k for k in range(2, 8))
    ),
}


@dataclass(frozen=True)
class Request:
    """A request to measure growth; the other fields are those of `benchmarks.speed.measure.Request`.

    Args:
        series: names of the series.
        points: number of sizes of each; None takes all.
    """

    series: Sequence[str]
    contestants: Sequence[str] = CONTESTANTS
    points: int | None = None
    precision: str = "float32"
    device: str = "cpu"
    rounds: int = 3
    blocks: int = 3
    seconds: float = 0.1
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    @property
    def command(self) -> str:
        """The command line that makes such a record again."""
        listed = [f"--series {name}" for name in self.series] + [f"--contestant {name}" for name in self.contestants]
        settings = [f"--{name} {value}" for name, value in asdict(self).items() if not isinstance(value, list | tuple)]
        return " ".join(["python -m benchmarks growth", *listed, *(s for s in settings if not s.endswith(" None"))])


def measure(request: Request, note: Note) -> dict[str, Any]:
    """Measure all series, and return the record, see `benchmarks.speed.record`; `note` is called with progress."""
    load, about = Load(), record.about("growth", request.command, request)
    with tempfile.TemporaryDirectory(prefix="netparity-") as folder:
        series = {name: _series(name, request, Path(folder), note) for name in request.series}
    return {
        **about,
        "load_average": os.getloadavg(),
        "others": load.others(),
        "busy": any(_busy(turn) for part in series.values() for turn in part["turns"]),
        "series": series,
    }


def _series(name: str, request: Request, folder: Path, note: Note) -> dict[str, Any]:
    """Prove the contestants on one series, then time those that are proven."""
    series = SERIES[name]
    points = series.names(request.points)
    proofs = _proofs(points, request, folder, note)
    passed = [c for c, proof in proofs.items() if proof["verdict"].startswith("same")]
    turns = _turns(name, points, passed, request, folder, note)
    sizes = {point: _size(series.axis, point) for point in points}
    return {"title": series.title, "axis": series.axis, "sizes": sizes, "proofs": proofs, "turns": turns}


def _size(axis: str, point: str) -> int:
    """The actual size of a point; a number of parameters is met only nearly, since layers have whole widths."""
    if axis != "parameters":
        return int(point.partition("=")[2])
    return sum(prod(shape) for shape in workload.load(point).shapes.values())


def _proofs(points: Sequence[str], request: Request, folder: Path, note: Note) -> dict[str, dict[str, Any]]:
    """Contestant → the worse of its proofs at the smallest and the largest size, with both of them under "points"."""
    by_contestant: dict[str, dict[str, Any]] = {name: {} for name in request.contestants}
    for point in dict.fromkeys((points[0], points[-1])):
        gate = Gate(workload.load(point), request.device, folder, request.threads, note)
        for name, proofs in by_contestant.items():
            proofs[point] = gate.prove(name).to_json()
    order = [str(verdict) for verdict in Verdict]
    return {
        name: {**max(proofs.values(), key=lambda proof: order.index(proof["verdict"])), "points": proofs}
        for name, proofs in by_contestant.items()
    }


def _turns(
    name: str, points: Sequence[str], passed: Sequence[str], request: Request, folder: Path, note: Note
) -> list[dict[str, Any]]:
    """Time every contestant along the sizes; the order of the contestants turns round from round to round."""
    turns = []
    for number in range(request.rounds):
        for place, contestant in enumerate(passed if number % 2 == 0 else passed[::-1]):
            note(f"{name}: round {number + 1} of {request.rounds}, {contestant}")
            result = _turn(contestant, points, request, folder, caches_in(folder / f"cache-{name}-{contestant}"))
            turns.append({"contestant": contestant, "round": number, "place": place, **result})
    return turns


def _turn(
    contestant: str, points: Sequence[str], request: Request, folder: Path, caches: Mapping[str, str]
) -> dict[str, Any]:
    job = Job(
        contestant, points[0], request.precision, request.device, "grow", str(folder / "turn.json"),
        blocks=request.blocks, seconds=request.seconds, threads=request.threads, points=points,
    )  # fmt: skip
    try:
        return process.run(job, caches)
    except process.ProcessError as error:
        return {"error": str(error)}


def _busy(turn: Mapping[str, Any]) -> bool:
    return any(map(noisy, turn.get("points", {}).values()))


def markdown(document: Mapping[str, Any]) -> str:
    """The record as tables, with exponents and crossings; see `benchmarks.growth.page`."""
    from benchmarks.growth import page as growth_page

    return growth_page.markdown(document)


def figure(document: Mapping[str, Any]) -> Any:
    """The record as a Matplotlib figure, log–log; see `benchmarks.growth.page`."""
    from benchmarks.growth import page as growth_page

    return growth_page.figure(document)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the tables, and write the record."""
    settings = {name: getattr(arguments, name) for name in ("points", "rounds", "blocks", "seconds", "threads")}
    if settings["points"] is not None and settings["points"] < 2:
        raise UsageError(f"got --points {settings['points']}; give at least 2")
    for name in arguments.series or ():
        if name not in SERIES:
            raise unknown_name("series", name, SERIES)
    request = Request(
        series=arguments.series or [n for n, s in SERIES.items() if s.axis in (arguments.axis or workload.AXES)],
        contestants=[contestants.entry(name).name for name in arguments.contestant or CONTESTANTS],
        device=arguments.device,
        **{name: value for name, value in settings.items() if value is not None},
    )
    return record.make(arguments.out, "-growth", partial(measure, request), markdown)


def add_command(commands: Any) -> None:
    """Declare the command `python -m benchmarks growth` and its options."""
    parser = commands.add_parser("growth", help="how a step's time grows with each size; writes a record")
    parser.add_argument("--axis", action="append", choices=tuple(workload.AXES), help="series along these (all)")
    parser.add_argument("--series", action="append", metavar="NAME", help=f"of {', '.join(SERIES)}")
    parser.add_argument("--contestant", action="append", metavar="NAME", help=f"({', '.join(CONTESTANTS)})")
    parser.add_argument("--points", type=int, help="how many sizes of a series, the smallest and the largest too (all)")
    parser.add_argument("--device", choices=("cpu", "gpu", "tpu"), default="cpu")
    parser.add_argument("--rounds", type=int, help="turns of each contestant, in a fresh process each (3)")
    parser.add_argument("--blocks", type=int, help="timed blocks at each size (3)")
    parser.add_argument("--seconds", type=float, help="least length of a block (0.1)")
    parser.add_argument("--threads", type=int, help="cores that each process may use (all)")
    parser.add_argument("--out", metavar="FILE", help="the record (a dated file under build/benchmarks)")
    parser.set_defaults(do=run)
