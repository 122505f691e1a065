"""A count of the programs that JAX compiles."""

from jax import monitoring

from benchmarks.contestants.base import Contestant
from benchmarks.contestants.workload import Precision, Workload

EVENT = "/jax/core/compile/backend_compile_duration"
TRACE = "/jax/core/compile/jaxpr_trace_duration"


class Compilations:
    """Counts the programs that XLA is asked for, those from its cache too, and the seconds of tracing and compiling.

    Attributes:
        count: number of programs since the object was made.
        seconds: seconds under "trace" and "compile".
    """

    def __init__(self) -> None:
        self.count = 0
        self.seconds = {"trace": 0.0, "compile": 0.0}
        monitoring.register_event_duration_secs_listener(self._heard)

    def _heard(self, event: str, duration_secs: float, **_: str | int) -> None:
        if event == EVENT:
            self.count += 1
            self.seconds["compile"] += duration_secs
        elif event == TRACE:
            self.seconds["trace"] += duration_secs


class JaxContestant(Contestant):
    """A contestant whose programs are JAX's."""

    framework = "jax"

    def __init__(self, workload: Workload, precision: Precision, device: str) -> None:
        super().__init__(workload, precision, device)
        self._compilations = Compilations()

    def compiling(self) -> dict[str, float]:
        """Seconds of "trace" and "compile" so far, by JAX's monitoring events."""
        return dict(self._compilations.seconds)

    def programs(self) -> int:
        """The number of programs that XLA was asked for so far."""
        return self._compilations.count
