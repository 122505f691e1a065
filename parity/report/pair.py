"""The report on a pair of networks that a user brought: plain values only, ready for every form of output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parity.checks.verdict import Rung, Verdict
from parity.errors import UsageError
from parity.files import write_atomically
from parity.report.records import Convention, Coverage, Difference, Input, Layer, Lint, Mapped


@dataclass(frozen=True)
class Report:
    """What `parity.compare` found.

    Args:
        name: of the pair.
        verdict: overall; accepted conventions do not spoil it.
        rungs: of the ladder, as far as it applies; a probe beyond the user's inputs is one of the findings of its rung.
        first_difference: if there is one.
        layers, weights, lints, conventions, coverage: see there.
        losses: of the trajectory, by side; empty without optimizers.
        not_run: why a rung is not there, by number, where there is a reason to give.
        notes: what the user should know (skipped probes, hard casts, …).
        repro_script: Python source that reproduces the first difference on the layer alone; "" if there is none.
        seconds: of the whole, and by part.
        seed: of weights, cotangents and what else was drawn; None where nothing was.
        device: on which both frameworks computed.
        inputs: the arrays that the user gave.
        repro_arrays: the .npz file that the script reads, if it does.
    """

    name: str
    verdict: Verdict
    rungs: Sequence[Rung]
    first_difference: Difference | None
    layers: Sequence[Layer]
    weights: Sequence[Mapped]
    lints: Sequence[Lint]
    conventions: Sequence[Convention]
    coverage: Coverage
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    not_run: Mapping[int, str] = field(default_factory=dict)
    repro_script: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None
    device: str = ""
    inputs: Sequence[Input] = ()
    repro_arrays: bytes = b""

    def to_html(self, path: str | Path) -> None:
        """Write the report as one self-contained HTML file; raises UsageError if it cannot be written."""
        from parity.report import html

        html.write(self, path)

    def to_json(self, path: str | Path) -> None:
        """Write everything as JSON; raises UsageError if it cannot be written."""
        from parity.report import pair_json

        pair_json.write(self, path)

    def to_markdown(self, path: str | Path) -> None:
        """Write a summary as Markdown; raises UsageError if it cannot be written."""
        from parity.report import markdown

        markdown.write(self, path)

    def to_junit(self, path: str | Path) -> None:
        """Write the rungs as JUnit's XML; raises UsageError if it cannot be written."""
        from parity.report import junit

        junit.write([self], path)

    def repro(self, path: str | Path) -> None:
        """Write the script that reproduces the first difference on the layer alone, and beside it the .npz file that it
        reads, if it does: one for a layer of no known kind, which needs a name such as "path/to/file.py:function".

        Raises:
            UsageError: there is no such script (nothing differs; or not in one layer of a known kind, and no file is
                known that makes the networks), or it cannot be written.
        """
        if not self.repro_script:
            raise UsageError(f"{self.name}: there is no single layer of a known kind to reproduce a difference with")
        if self.repro_arrays:
            write_atomically(Path(path).with_suffix(".npz"), self.repro_arrays)
        write_atomically(path, self.repro_script)
