"""No *same*, no number: each contestant is proven to train the twins' function before its time counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.contestants.workload import Workload
from benchmarks.speed.process import ProcessError, run
from benchmarks.speed.worker import Job
from parity.backends import twin_class
from parity.checks import ladder
from parity.checks.referee import rule_drift
from parity.checks.verdict import Finding, Verdict, worst
from parity.interface.trace import Trajectory

REFERENCE = "reference"
"""Name of the PyTorch twin in the proofs, which runs eagerly, one step in a call, as in the parity check."""
Runs = tuple[Trajectory, NDArray]  # training, logits in evaluation before it


@dataclass(frozen=True)
class Proof:
    """The gate's judgement on a contestant on a workload.

    Args:
        verdict: verdict of the referee.
        share: gap between it and the twin in float64 after the steps, in units of the rounding expected there.
        where: quantity and name of the worst finding.
        reason: reason why it could not be ruled on; "" if it could.
        steps: number of training steps that were compared.
    """

    verdict: Verdict
    share: float
    where: str
    reason: str = ""
    steps: int = 0

    def to_json(self) -> dict[str, Any]:
        """The proof as a dictionary that JSON can hold."""
        return {
            "verdict": str(self.verdict),
            "share": self.share if np.isfinite(self.share) else None,
            "where": self.where,
            "reason": self.reason,
            "steps": self.steps,
        }


class Gate:
    """Proves contestants on one workload; the twin's own runs are made once for each number of steps.

    Args:
        workload: the workload that they train.
        device: device of the contestants.
        folder: folder for the files of their processes.
        threads: number of cores that each process may use.
        note: called with a few words on what is being done.
    """

    def __init__(
        self, workload: Workload, device: str, folder: Path, threads: int, note: Callable[[str], None]
    ) -> None:
        self._workload, self._device, self._folder, self._threads, self._note = workload, device, folder, threads, note
        self._case = workload.case()
        self._references: dict[tuple[int, bool], Runs] = {}

    def prove(self, contestant: str) -> Proof:
        """Judge a contestant against the twin, from the same weights on the same batches, in float64.

        Both also start from weights moved by one ulp: the distance to which that drives them is the unit of the gap.
        """
        self._note(f"{self._workload.name}: proving {contestant}")
        out = self._folder / f"proof-{self._workload.name}-{contestant}.json"
        job = Job(contestant, self._workload.name, "float64", self._device, "prove", str(out), threads=self._threads)
        try:
            steps = run(job)["steps"]
        except ProcessError as error:
            return Proof(Verdict.INCONCLUSIVE, np.inf, "", str(error))
        with np.load(out.with_suffix(".npz")) as arrays:
            (unmoved, logits), (moved, own_logits) = (_runs(arrays, start) for start in ("seen", "moved"))
        (reference, its_logits), (its_moved, its_own) = (self._reference(steps, start) for start in (False, True))
        rung = ladder.trajectory({contestant: unmoved, REFERENCE: reference}, {contestant: moved, REFERENCE: its_moved})
        evaluated = rule_drift(
            "logits",
            "in evaluation",
            {contestant: logits, REFERENCE: its_logits},
            {contestant: own_logits, REFERENCE: its_own},
        )
        return _proof([*rung.findings, evaluated], steps)

    def _reference(self, steps: int, moved: bool) -> Runs:
        if (steps, moved) not in self._references:
            self._references[steps, moved] = self._run(steps, moved)
        return self._references[steps, moved]

    def _run(self, steps: int, moved: bool) -> Runs:
        recipe, case = self._workload.recipe, self._case
        cls = twin_class("torch")
        twin = cls(cls.build(recipe.network, recipe.config), precision="float64")
        twin.load(case.moved if moved else case.weights)
        logits = twin.forward(case.batches[0].inputs, training=False)
        batches = list(islice(cycle(case.batches), steps))
        trained = twin.train(batches, recipe.optimizer, [recipe.optimizer.learning_rate] * steps)
        return Trajectory(np.atleast_1d(trained.losses.mean()), trained.weights), logits


def _runs(arrays: Mapping[str, NDArray], start: str) -> Runs:
    prefix = f"{start}/weights/"
    weights = {name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)}
    return Trajectory(np.atleast_1d(arrays[f"{start}/loss"]), weights), arrays[f"{start}/logits"]


def _proof(findings: list[Finding], steps: int) -> Proof:
    verdict = worst(finding.verdict for finding in findings)
    largest = max(findings, key=lambda finding: (list(Verdict).index(finding.verdict), finding.share))
    return Proof(verdict, float(largest.share), f"{largest.quantity} {largest.name}".strip(), largest.reason, steps)
