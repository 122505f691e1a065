"""The declared types of records of speed, which `benchmarks.speed.record` reads and checks."""

from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Interval, MinLen
from typing_extensions import TypedDict

from parity.checks.verdict import Verdict
from parity.documents import Count, Share, Whole

Seconds = Annotated[float, Interval(ge=0, le=1e9)]
Took = Annotated[float, Interval(ge=1e-9, le=1e9)]
"""Seconds that others are divided by: no clock tells less, and no wait was longer."""
Rate = Annotated[float, Interval(ge=1e-6, le=1e12)]
"""A rate of a machine, in 10⁹ operations or bytes a second."""
Cores = Annotated[float, Interval(ge=0, le=1e6)]


class Hardware(TypedDict):
    """The machine that measured."""

    cpu: str
    cores: int
    system: str
    memory_bytes: Whole


class Environment(TypedDict):
    """The circumstances of a measurement."""

    commit: str
    date: str
    versions: dict[str, str]
    hardware: Hardware
    host: str
    device: str
    variables: dict[str, str]


class Proof(TypedDict):
    """The gate's judgement on a contestant, see `benchmarks.speed.gate.Proof`."""

    verdict: Verdict
    share: float | None
    where: str
    reason: str


class Failed(TypedDict):
    """A turn that did not come to its end."""

    contestant: str
    error: str


class Steady(TypedDict):
    """Blocks of steady steps."""

    seconds_per_step: Annotated[list[Took], MinLen(1)]
    others: NotRequired[Cores | None]
    joules_per_step: NotRequired[Annotated[float, Interval(ge=0, le=1e12)] | None]


Start = TypedDict(  # type: ignore[misc] # mypy knows no extra_items
    "Start",
    {
        "import": Took,
        "data": Took,
        "init": Took,
        "first step": Took,
        "first single step": Took,
        "first inference": Took,
    },
    total=False,
    extra_items=Seconds,
)
"""Seconds of the phases of a start; further ones, such as "trace" and "compile", may be 0."""


class Turn(TypedDict):
    """The turn of a contestant on a workload."""

    contestant: str
    round: int
    cold: bool
    phases: Start
    training: Steady
    inference: Steady
    pipeline: NotRequired[Steady]


class Workload(TypedDict):
    """The proofs and turns of all contestants on a workload."""

    title: str
    absent: dict[str, str]
    proofs: dict[str, Proof]
    turns: list[Turn | Failed]


class GrowthTurn(TypedDict):
    """The turn of a contestant along the sizes of a series."""

    contestant: str
    round: int
    points: dict[str, Steady]


class Series(TypedDict):
    """The proofs and turns of all contestants along the sizes of a series."""

    title: str
    axis: str
    sizes: Annotated[dict[str, Annotated[int, Interval(ge=1, le=10**15)]], MinLen(1)]
    proofs: dict[str, Proof]
    turns: list[GrowthTurn | Failed]


WaitPhases = TypedDict(
    "WaitPhases",
    {"import": Seconds, "init": Seconds, "first steps": Seconds, "training": Seconds, "evaluation": Seconds},
)


class Wait(TypedDict):
    """The wait of a contestant for a result."""

    contestant: str
    seed: int
    cold: bool
    phases: WaitPhases
    seconds: Took
    reached: bool
    step: Whole
    accuracy: Share
    others: NotRequired[Cores | None]


class FailedWait(Failed):
    """A wait that did not come to its end."""

    seed: int
    cold: bool


class Task(TypedDict):
    """The proofs and waits of all contestants for a result."""

    title: str
    every: Count
    steps: Count
    why: str
    absent: dict[str, str]
    proofs: dict[str, Proof]
    turns: list[Wait | FailedWait]


class About(TypedDict):
    """The first entries of every record."""

    command: str
    request: dict[str, Any]
    environment: Environment
    busy: bool
    others: NotRequired[Cores | None]
    code: NotRequired[dict[str, str]]


class Settings(TypedDict):
    """The settings of a run."""

    precision: str
    threads: int
    rounds: int
    blocks: int
    seconds: Seconds


class Best(TypedDict):
    """The most that the machine reaches, in GFLOP/s, and in GB/s for the copy."""

    gemm: Rate
    conv: Rate
    copy: Rate


class Ceilings(TypedDict):
    """The machine's limits."""

    best: Best


class Run(About):
    """The record that `python -m benchmarks run` writes."""

    request: Settings  # type: ignore[misc] # narrower than what every record has
    ceilings: Ceilings
    workloads: Annotated[dict[str, Workload], MinLen(1)]


class Growth(About):
    """The record that `python -m benchmarks growth` writes."""

    series: Annotated[dict[str, Series], MinLen(1)]


class Result(About):
    """The record that `python -m benchmarks result` writes."""

    tasks: Annotated[dict[str, Task], MinLen(1)]


Kind = Literal["run", "growth", "result"]
KINDS: dict[str, tuple[Any, str]] = {
    "run": (Run, "workloads"), "growth": (Growth, "series"), "result": (Result, "tasks"),
}  # fmt: skip
"""Kind of record → its type, and the key of its parts, each of which has proofs and turns."""
