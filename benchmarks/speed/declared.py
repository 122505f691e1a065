"""What records of speed hold, declared; `benchmarks.speed.record` reads and checks them."""

from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Interval, MinLen
from typing_extensions import TypedDict

from parity.checks.verdict import Verdict
from parity.documents import Count, Share, Whole

Seconds = Annotated[float, Interval(ge=0, le=1e9)]
Took = Annotated[float, Interval(ge=1e-9, le=1e9)]
"""Seconds that others are divided by: no clock tells less, and nobody has waited for more."""
Rate = Annotated[float, Interval(ge=1e-6, le=1e12)]
"""Of a machine, in thousands of millions a second."""
Cores = Annotated[float, Interval(ge=0, le=1e6)]


class Hardware(TypedDict):
    """The machine."""

    cpu: str
    cores: int
    system: str
    memory_bytes: Whole


class Environment(TypedDict):
    """Where it was measured."""

    commit: str
    date: str
    versions: dict[str, str]
    hardware: Hardware
    host: str
    device: str
    variables: dict[str, str]


class Proof(TypedDict):
    """See `benchmarks.speed.gate.Proof`."""

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
"""Phases that records are compared by, and others; what is traced and compiled may be nothing."""


class Turn(TypedDict):
    """Of a contestant on a workload."""

    contestant: str
    round: int
    cold: bool
    phases: Start
    training: Steady
    inference: Steady
    pipeline: NotRequired[Steady]


class Workload(TypedDict):
    """All contestants on a workload."""

    title: str
    absent: dict[str, str]
    proofs: dict[str, Proof]
    turns: list[Turn | Failed]


class GrowthTurn(TypedDict):
    """Of a contestant along the sizes."""

    contestant: str
    round: int
    points: dict[str, Steady]


class Series(TypedDict):
    """All contestants along sizes."""

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
    """Of a contestant for a result."""

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
    """All waits for a result."""

    title: str
    every: Count
    steps: Count
    why: str
    absent: dict[str, str]
    proofs: dict[str, Proof]
    turns: list[Wait | FailedWait]


class About(TypedDict):
    """What every record says first."""

    command: str
    request: dict[str, Any]
    environment: Environment
    busy: bool
    others: NotRequired[Cores | None]


class Settings(TypedDict):
    """Of a run."""

    precision: str
    threads: int
    rounds: int
    blocks: int
    seconds: Seconds


class Best(TypedDict):
    """What the machine reaches."""

    gemm: Rate
    conv: Rate
    copy: Rate


class Ceilings(TypedDict):
    """The machine's limits."""

    best: Best


class Run(About):
    """Of `python -m benchmarks run`."""

    request: Settings  # type: ignore[misc] # narrower than what every record has
    ceilings: Ceilings
    workloads: Annotated[dict[str, Workload], MinLen(1)]


class Growth(About):
    """Of `python -m benchmarks growth`."""

    series: Annotated[dict[str, Series], MinLen(1)]


class Result(About):
    """Of `python -m benchmarks result`."""

    tasks: Annotated[dict[str, Task], MinLen(1)]


Kind = Literal["run", "growth", "result"]
KINDS: dict[str, tuple[Any, str]] = {
    "run": (Run, "workloads"), "growth": (Growth, "series"), "result": (Result, "tasks"),
}  # fmt: skip
"""Kind of record → what it holds, and where its parts are, each with proofs and turns."""
