"""The project's own training loop in PyTorch."""

from torch._dynamo.utils import compilation_time_metrics, counters

from benchmarks.contestants.settings import autocast, set_torch
from benchmarks.contestants.tuned import Tuned
from benchmarks.contestants.workload import Precision, Workload
from parity.backends import Twin

WHOLE, COMPILER = "_compile.compile_inner", "OutputGraph.call_user_compiler"
"""PyTorch's names of the time that making a program takes, and of the compiler's part of it."""


class TorchTuned(Tuned):
    """One compiled program for a step, from forward to update; several steps in a call for small networks."""

    framework = "torch"
    compiled = True

    def __init__(self, workload: Workload, precision: Precision, device: str) -> None:
        super().__init__(workload, precision, device)
        set_torch(precision)

    def twin(self) -> Twin:
        """A twin whose products have the precision that is timed."""
        twin = super().twin()
        twin.compiled = self.compiled
        if self.precision in ("tf32", "bfloat16"):
            twin.setting = lambda: autocast(self.precision, self.device)  # type: ignore[method-assign] # of this one twin
        return twin

    def compiling(self) -> dict[str, float]:
        """Seconds of "trace" and "compile" so far, by Dynamo's counters; empty where nothing is compiled."""
        whole, compiler = (sum(compilation_time_metrics.get(name, ())) for name in (WHOLE, COMPILER))
        return {"trace": whole - compiler, "compile": compiler} if whole else {}

    def programs(self) -> int:
        """The number of graphs compiled so far."""
        return counters["stats"]["unique_graphs"]


class TorchEager(TorchTuned):
    """The same loop without compiling: `TorchSession`."""

    compiled = False
